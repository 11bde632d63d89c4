"""The arguments of a verb that choose Workloads: names, or a label selector. Imports nothing that talks to a
cluster.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from twinhull.api.objectnames import is_subdomain

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: The kind that kubectl's users write before a name: another kind, or ours.
_OTHER = re.compile(r"[a-z][a-z.]*/([a-z0-9][-a-z0-9]*)")
_KIND = re.compile(r"(workloads?(\.twinhull\.dev)?|twl)/")


class WorkloadName(click.ParamType[str]):
    """The name of a Workload, with or without its kind before it, as in workload/web."""

    name = "NAME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  click's
        """The name."""
        name = _KIND.sub("", str(value), count=1)
        if not is_subdomain(name):
            other = _OTHER.fullmatch(name)
            hint = f": write {other[1]} or workload/{other[1]}" if other else ""
            self.fail(f"{value!r} isn't the name of a Workload, such as web{hint}", param, ctx)
        return name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[str]]:
        """The names of the cluster's Workloads that begin with `incomplete`."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415  a shell's business only

        from twinhull.cli.completion import workloads  # noqa: PLC0415

        kind = match[0] if (match := _KIND.match(incomplete)) else ""
        names = workloads(ctx, param, incomplete.removeprefix(kind))
        return [CompletionItem(f"{kind}{item.value}") for item in names]


def named_workload(ctx: click.Context) -> str:
    """The Workload whose containers or ports a shell completes: the first argument before the word, as with
    kubectl. Empty if there is none.
    """
    from twinhull.cli.completion import arguments  # noqa: PLC0415

    for word in arguments(ctx)[:1]:
        with suppress(click.BadParameter):
            return WorkloadName().convert(word, None, ctx)
    return ""


#: The argument of a verb for one Workload. The function gets it as `name`.
one_name = click.argument("name", metavar="NAME", type=WorkloadName())


def names_or_selector(function: _Function) -> _Function:
    """The argument NAME… and the option --selector, of which exactly one is given. The function gets both."""

    @functools.wraps(function)
    def verb(*args: Any, names: tuple[str, ...], selector: str, **more: Any) -> Any:  # noqa: ANN401  click's
        selector = selector.strip()  # a selector of blanks would choose all Workloads
        if bool(names) == bool(selector):
            raise click.UsageError("give either names of Workloads or a label selector (-l)")
        return function(*args, names=tuple(dict.fromkeys(names)), selector=selector, **more)

    made: Any = click.option(
        "-l",
        "--selector",
        metavar="LABELS",
        default="",
        help="Choose the Workloads with these labels, such as app=web or tier!=test, instead of names.",
    )(verb)
    return click.argument("names", metavar="[NAME…]", nargs=-1, type=WorkloadName())(made)  # type: ignore[no-any-return]
