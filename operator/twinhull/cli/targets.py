"""The options of verbs that ask a cluster: for the cluster and the namespace.

This file imports nothing that talks to a cluster, since each verb's help needs it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import click

from twinhull.api.objectnames import is_label
from twinhull.cli import completion

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Target:
    """The cluster and the namespace that a person means."""

    #: The namespace, empty for the kubeconfig's.
    namespace: str = ""
    #: The context of the kubeconfig, empty for the current one.
    context: str = ""
    #: The kubeconfig's path, empty for the environment's.
    kubeconfig: str = ""

    @property
    def options(self) -> list[str]:
        """The options that give another command the same target."""
        pairs = (("-n", self.namespace), ("--context", self.context), ("--kubeconfig", self.kubeconfig))
        return [word for option, value in pairs if value for word in (option, value)]


def _namespace(_: click.Context, __: click.Parameter, value: str) -> str:
    """A namespace, which becomes a part of a URL's path; empty if none is given."""
    if value and not is_label(value):
        raise click.BadParameter(f"{value!r} isn't the name of a namespace, such as shop")
    return value


def target_options(function: _Function) -> _Function:
    """The options of each verb that asks a cluster. The function gets them as `target`."""
    namespace = click.option(
        "-n",
        "--namespace",
        metavar="NAME",
        callback=_namespace,
        default="",
        shell_complete=completion.namespaces,
        help="The namespace. The default is that of the kubeconfig's context.",
    )

    @functools.wraps(function)
    def verb(*args: Any, namespace: str, target: Target, **more: Any) -> Any:  # noqa: ANN401  click's
        return function(*args, target=replace(target, namespace=namespace), **more)

    made: Any = namespace(cluster_options(verb))
    return made  # type: ignore[no-any-return]


def cluster_options(function: _Function) -> _Function:
    """The options of a verb that asks a cluster but no namespace. The function gets them as `target`."""

    @functools.wraps(function)
    def verb(*args: Any, context: str, kubeconfig: str, **more: Any) -> Any:  # noqa: ANN401  click's
        return function(*args, target=Target("", context, kubeconfig), **more)

    options = (
        click.option(
            "--context",
            metavar="NAME",
            default="",
            shell_complete=completion.contexts,
            help="The context of the kubeconfig.",
        ),
        click.option(
            "--kubeconfig",
            metavar="FILE",
            type=click.Path(),
            default="",
            help="The kubeconfig. The default is the file that KUBECONFIG names, or ~/.kube/config.",
        ),
    )
    made: Any = verb
    for option in reversed(options):
        made = option(made)
    return made  # type: ignore[no-any-return]
