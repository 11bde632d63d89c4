"""The option for the container that is meant."""

from __future__ import annotations

import click

container_option = click.option(
    "-c",
    "--container",
    metavar="NAME",
    default="",
    help="The container. The default is the first, or what the annotation "
    "kubectl.kubernetes.io/default-container of the template says.",
)
