"""The options of the verbs that change Workloads. Imports nothing that talks to a cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from twinhull.cli.durations import Duration

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """How a change is made."""

    #: Whether to wait until the operator has carried out the change.
    wait: bool = False
    #: How long to wait, in seconds.
    timeout: float = 0
    #: Whether the API server only checks the change, and doesn't store it.
    dry_run: bool = False


def change_options(function: _Function) -> _Function:
    """--wait, --timeout and --dry-run. The function gets them as `options`."""

    @functools.wraps(function)
    def verb(*args: Any, wait: bool, timeout: float, dry_run: str, **more: Any) -> Any:  # noqa: ANN401  click's
        options = ChangeOptions(wait and dry_run == "none", timeout, dry_run == "server")
        return function(*args, options=options, **more)

    options = (
        click.option(
            "--wait",
            is_flag=True,
            help="Wait until the operator has carried out the change, and show the progress.",
        ),
        click.option(
            "--timeout",
            type=Duration(),
            default="10m",
            show_default=True,
            help="How long --wait waits at most, such as 90s or 5m.",
        ),
        click.option(
            "--dry-run",
            type=click.Choice(["none", "server"]),
            default="none",
            is_flag=False,
            flag_value="server",
            show_default=True,
            help="With server, the API server checks the change but doesn't make it. --dry-run as the last "
            "word means the same.",
        ),
    )
    made: Any = verb
    for option in reversed(options):
        made = option(made)
    return made  # type: ignore[no-any-return]
