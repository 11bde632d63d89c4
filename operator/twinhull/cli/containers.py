"""The option --container."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from twinhull.cli import completion
from twinhull.cli.workloadarguments import named_workload

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def container_option_of(named: Callable[[click.Context], tuple[str, str]]) -> Callable[[Any], Any]:
    """The option --container of a verb, whose function gets it as `container`.

    `named` reads the words before the one that a shell completes. It gives the Workload whose containers are
    completed: its namespace, empty if only the option or the kubeconfig names one, and its name, empty if
    none is typed yet.
    """

    def containers(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        namespace, name = named(ctx)
        names = completion.cluster_names("Container", ctx, namespace=namespace, name=name) if name else []
        return completion.items(names, incomplete)

    return click.option(
        "-c",
        "--container",
        metavar="NAME",
        default="",
        shell_complete=containers,
        help="The container. The default is the first, or what the annotation "
        "kubectl.kubernetes.io/default-container of the template says.",
    )


def _named(ctx: click.Context) -> tuple[str, str]:
    return "", named_workload(ctx)


#: The option of a verb whose first argument is a Workload's name.
container_option = container_option_of(_named)
