"""`twinhull crd`: the CustomResourceDefinitions of this version."""

from __future__ import annotations

import click
import yaml

from twinhull.api.crd import crds


@click.command()
def crd() -> None:
    """Print the CustomResourceDefinitions.

    To install or upgrade them: twinhull crd | kubectl apply -f -
    """
    click.echo(yaml.safe_dump_all(crds(), sort_keys=False), nl=False)
