"""Flips a Workload: tells what prevents the flip, what it costs and how to undo it, and makes the change."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.cli import changing, forecast
from twinhull.cli.changeoptions import ChangeOptions
from twinhull.cli.changingeach import LeftUnchanged, change_each
from twinhull.cli.missingrights import with_right
from twinhull.cli.progress import coloured, say
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import Conflict, Refused
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.goals import Goal, Isolated, Up
from twinhull.verbs.isolationnames import name_of
from twinhull.verbs.status import Status
from twinhull.view.safetext import plain

_FIELD = ("spec", "isolationPolicy")


@dataclass(frozen=True, slots=True)
class FlipRequest:
    """The isolation that a person asks for, and the operator's settings as far as they know them."""

    #: The value that spec.isolationPolicy is to have.
    policy: str
    #: Whether to change it even though something prevents the flip.
    force: bool
    #: The operator's --default-isolation.
    default_isolation: str
    #: The operator's --sandbox-runtime-class, None if it has none or the person doesn't know it.
    sandbox_runtime_class: str | None

    @property
    def patch(self) -> Raw:
        """The merge patch of the Workload."""
        return {"spec": {"isolationPolicy": self.policy}}


async def flip(
    names: tuple[str, ...], selector: str, request: FlipRequest, options: ChangeOptions, target: Target
) -> int:
    """Flip Workloads, one after the other. Returns the exit code."""
    async with session(target) as opened:

        async def change(workload: Raw) -> Goal | None:
            await _flip(opened, workload, request, options, target)
            return _goal(workload, request, options)

        return await change_each(opened, names, selector, options, change, failure="isn't changed")


async def _flip(
    opened: Session, workload: Raw, request: FlipRequest, options: ChangeOptions, target: Target
) -> None:
    """Flip one Workload. If something prevents that, print it and raise LeftUnchanged."""
    name, former = workload["metadata"]["name"], Status(workload).requested
    if former == request.policy:
        click.echo(f"Workload {name}: spec.isolationPolicy is {former} already")
        return
    click.echo(f"Workload {name}: spec.isolationPolicy {plain(former)} → {request.policy}")
    stopped = await _look(opened, workload, request)
    if stopped and not request.force:
        raise LeftUnchanged
    await changing.warn_of_owners(opened, workload, _FIELD)
    back = f"Way back: {way_back(workload, target)}"
    if options.dry_run:
        click.echo(f"Nothing was changed (--dry-run=server). {back}")
        return
    await change_isolation(opened, workload, request)
    click.echo(f"Changed: spec.isolationPolicy of Workload {name} is {request.policy} now")
    click.echo(plain(back))


def way_back(workload: Raw, target: Target) -> str:
    """The command that flips a Workload back to the isolation of its present spec, on the same cluster."""
    status, cluster = Status(workload), replace(target, namespace="").options
    return status.command("flip", "--to", name_of(status.requested), *cluster)


async def _look(opened: Session, workload: Raw, request: FlipRequest) -> bool:
    """Print what prevents the flip, or what it costs. Returns whether anything prevents it."""
    name = workload["metadata"]["name"]
    try:
        changed = await opened.cluster.patch_as(
            WORKLOAD, opened.namespace, name, request.patch, manager=changing.MANAGER, rehearse=True
        )
    except (Refused, Conflict) as error:
        return _stops(name, (f"the API server refuses the change: {plain(with_right(str(error)))}",), request)
    say("Looking at what the flip needs …")
    defaults = OperatorDefaults(Isolation(request.default_isolation), request.sandbox_runtime_class)
    foreseen, unseen = await forecast.flip(Cluster(opened.connection), workload, changed, defaults)
    if unseen:
        say(f"You may not list {', '.join(unseen)}: the flip is assumed to find those that it needs")
    if foreseen is None:
        say(
            "This version of twinhull can't read the Workload, and can't tell what the flip costs: upgrade it"
        )
        return False
    if _stops(name, foreseen.hindrances(), request):
        return True
    for cost in foreseen.costs():
        click.echo(f"  {cost}")
    return False


def _stops(name: str, hindrances: tuple[str, ...], request: FlipRequest) -> bool:
    """Print what prevents the flip of a Workload. Returns whether anything does."""
    for hindrance in hindrances:
        click.echo(f"{coloured('Stops it:', 'red')} {hindrance}", err=True)
    if hindrances and not request.force:
        click.echo(
            f"Error: nothing was changed of Workload {name}. Remove what stops it, or change "
            "spec.isolationPolicy all the same by --force",
            err=True,
        )
    return bool(hindrances)


async def change_isolation(opened: Session, workload: Raw, request: FlipRequest) -> None:
    """Change the isolation. Raises ClickException if the spec isn't the one that the forecast was made for
    any more.
    """

    def patch(current: Raw) -> Raw:
        if current["spec"] != workload["spec"]:
            raise click.ClickException(
                "somebody else has changed the spec meanwhile, so that the flip may need and cost something "
                "else: nothing was changed. Try again"
            )
        return request.patch

    await changing.change(opened, workload, patch, dry_run=False)


def _goal(workload: Raw, request: FlipRequest, options: ChangeOptions) -> Goal | None:
    """The goal to wait for, None if there is nothing to wait for."""
    if not options.wait:
        return None
    if Status(workload).is_stopped:
        say(f"Workload {workload['metadata']['name']} is stopped: there is nothing to wait for")
        return None
    return Up() if request.policy == "Auto" else Isolated(request.policy, is_requested=True)
