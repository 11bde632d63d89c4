"""The flip of a Workload: what stops it, what it costs, the change itself, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.cli import changing, forecast, waiting
from twinhull.cli.changeoptions import ChangeOptions
from twinhull.cli.progress import coloured, say
from twinhull.cli.selected import selected
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Conflict, Refused, Unauthorized, Unreachable
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.goals import Goal, Isolated, Up
from twinhull.verbs.isolationnames import name_of
from twinhull.verbs.status import Status
from twinhull.view.safetext import plain

_FIELD = ("spec", "isolationPolicy")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for, and what they know of the operator."""

    #: The value that spec.isolationPolicy is to have.
    policy: str
    #: Whether to change it even though something stops the flip.
    force: bool
    #: The operator's --default-isolation.
    default_isolation: str
    #: The operator's --sandbox-runtime-class, None if it has none or that isn't known.
    sandbox_runtime_class: str | None

    @property
    def patch(self) -> Raw:
        """The change."""
        return {"spec": {"isolationPolicy": self.policy}}


async def flip(
    names: tuple[str, ...], selector: str, request: Asked, options: ChangeOptions, target: Target
) -> int:
    """Flip Workloads, one after the other. The exit code."""
    async with session(target) as opened:
        goals: dict[str, Goal] = {}
        refused = False
        workloads = await selected(opened, names, selector)
        for workload in workloads:
            name = workload["metadata"]["name"]
            try:
                is_done = await _flip(opened, workload, request, options, target)
            except (Unreachable, Unauthorized):  # the others fare no better
                raise
            except (ApiError, click.ClickException) as error:
                if len(workloads) == 1:
                    raise
                click.echo(plain(f"Error: Workload {name} isn't changed: {error}"), err=True)
                is_done = False
            refused |= not is_done
            if is_done and (goal := _goal(workload, request, options)):
                goals[name] = goal
        waited = await waiting.wait(opened, goals, options.timeout) if goals else waiting.Exit.DONE
        return waited or (waiting.Exit.REFUSED if refused else waiting.Exit.DONE)


async def _flip(
    opened: Session, workload: Raw, request: Asked, options: ChangeOptions, target: Target
) -> bool:
    """Flip one, unless something stops it. Whether nothing does."""
    name, former = workload["metadata"]["name"], Status(workload).requested
    if former == request.policy:
        click.echo(f"Workload {name}: spec.isolationPolicy is {former} already")
        return True
    click.echo(f"Workload {name}: spec.isolationPolicy {plain(former)} → {request.policy}")
    stopped = await _look(opened, workload, request)
    if stopped and not request.force:
        return False
    await changing.warn_of_owners(opened, workload, _FIELD)
    back = f"Way back: {way_back(workload, target)}"
    if options.dry_run:
        click.echo(f"Nothing was changed (--dry-run=server). {back}")
        return True
    await change_isolation(opened, workload, request)
    click.echo(f"Changed: spec.isolationPolicy of Workload {name} is {request.policy} now")
    click.echo(plain(back))
    return True


def way_back(workload: Raw, target: Target) -> str:
    """The command that flips a Workload to what its spec asks for now, on the same cluster."""
    status, cluster = Status(workload), replace(target, namespace="").options
    return status.command("flip", "--to", name_of(status.requested), *cluster)


async def _look(opened: Session, workload: Raw, request: Asked) -> bool:
    """Say what stops the flip and what it costs. Whether anything stops it."""
    name = workload["metadata"]["name"]
    try:
        changed = await opened.cluster.patch_as(
            WORKLOAD, opened.namespace, name, request.patch, manager=changing.MANAGER, rehearse=True
        )
    except (Refused, Conflict) as error:
        return _stops(name, (f"the API server refuses the change: {plain(str(error))}",), request)
    say("Looking at what the flip needs …")
    defaults = OperatorDefaults(Isolation(request.default_isolation), request.sandbox_runtime_class)
    foreseen, unseen = await forecast.flip(Cluster(opened.connection), workload, changed, defaults)
    if unseen:
        say(f"You may not list {', '.join(unseen)}: what the flip needs of these is assumed to be there")
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


def _stops(name: str, hindrances: tuple[str, ...], request: Asked) -> bool:
    """Say what stops the flip of a Workload, if anything does."""
    for hindrance in hindrances:
        click.echo(f"{coloured('Stops it:', 'red')} {hindrance}", err=True)
    if hindrances and not request.force:
        click.echo(
            f"Error: nothing was changed of Workload {name}. Remove what stops it, or change "
            "spec.isolationPolicy all the same by --force",
            err=True,
        )
    return bool(hindrances)


async def change_isolation(opened: Session, workload: Raw, request: Asked) -> None:
    """Change the isolation, if the spec is still what the forecast was made for; otherwise raise
    ClickException.
    """

    def patch(current: Raw) -> Raw:
        if current["spec"] != workload["spec"]:
            raise click.ClickException(
                "somebody else has changed the spec meanwhile, and what the flip needs and costs may be "
                "another: nothing was changed. Try again"
            )
        return request.patch

    await changing.change(opened, workload, patch, dry_run=False)


def _goal(workload: Raw, request: Asked, options: ChangeOptions) -> Goal | None:
    """What is to be waited for, None if nothing is."""
    if not options.wait:
        return None
    if Status(workload).is_stopped:
        say(f"Workload {workload['metadata']['name']} is stopped: there is nothing to wait for")
        return None
    return Up() if request.policy == "Auto" else Isolated(request.policy, is_requested=True)
