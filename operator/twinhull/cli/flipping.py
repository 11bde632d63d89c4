"""The flip of a Workload: what stops it, what it costs, the change itself, and the way back."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import click

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.cli import changing, forecast, waiting
from twinhull.cli.changeoptions import ChangeOptions
from twinhull.cli.progress import coloured, told
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


async def flip(name: str, asked: Asked, options: ChangeOptions, target: Target) -> int:
    """Flip a Workload. The exit code."""
    async with session(target) as opened:
        workload = await opened.workload(name)
        former = Status(workload).requested
        if former == asked.policy:
            click.echo(f"Workload {name}: spec.isolationPolicy is {former} already")
            return await _wait(opened, workload, asked, options)
        click.echo(f"Workload {name}: spec.isolationPolicy {plain(former)} → {asked.policy}")
        stopped = await _look(opened, workload, asked)
        if stopped and not asked.force:
            return waiting.Exit.REFUSED
        await changing.warn_of_owners(opened, workload, _FIELD)
        back = f"Way back: {shlex.join(['twinhull', 'flip', name, '--to', name_of(former), *target.options])}"
        if options.dry_run:
            click.echo(f"Nothing was changed (--dry-run=server). {back}")
            return waiting.Exit.DONE
        await change_isolation(opened, workload, asked)
        click.echo(f"Changed: spec.isolationPolicy of Workload {name} is {asked.policy} now")
        click.echo(plain(back))
        return await _wait(opened, workload, asked, options)


async def _look(opened: Session, workload: Raw, asked: Asked) -> bool:
    """Say what stops the flip and what it costs. Whether anything stops it."""
    name = workload["metadata"]["name"]
    try:
        changed = await opened.cluster.change(
            WORKLOAD, opened.namespace, name, asked.patch, manager=changing.MANAGER, rehearse=True
        )
    except (Refused, Conflict) as error:
        return _stops((f"the API server refuses the change: {plain(str(error))}",), asked)
    told("Looking at what the flip needs …")
    defaults = OperatorDefaults(Isolation(asked.default_isolation), asked.sandbox_runtime_class)
    found, unseen = await forecast.flip(Cluster(opened.connection), workload, changed, defaults)
    if unseen:
        told(f"You may not list {', '.join(unseen)}: what the flip needs of these is assumed to be there")
    if found is None:
        told(
            "This version of twinhull can't read the Workload, and can't tell what the flip costs: upgrade it"
        )
        return False
    if _stops(found.hindrances(), asked):
        return True
    for cost in found.costs():
        click.echo(f"  {cost}")
    return False


def _stops(hindrances: tuple[str, ...], asked: Asked) -> bool:
    """Say what stops the flip, if anything does."""
    for hindrance in hindrances:
        click.echo(f"{coloured('Stops it:', 'red')} {hindrance}", err=True)
    if hindrances and not asked.force:
        click.echo(
            "Error: nothing was changed. Remove what stops it, or change spec.isolationPolicy all the same "
            "by --force",
            err=True,
        )
    return bool(hindrances)


async def change_isolation(opened: Session, workload: Raw, asked: Asked) -> None:
    """Change the isolation, if the spec is still what the forecast was made for; otherwise raise
    ClickException.
    """

    def patch(current: Raw) -> Raw:
        if current["spec"] != workload["spec"]:
            raise click.ClickException(
                "somebody else has changed the spec meanwhile, and what the flip needs and costs may be "
                "another: nothing was changed. Try again"
            )
        return asked.patch

    await changing.change(opened, workload, patch, dry_run=False)


async def _wait(opened: Session, workload: Raw, asked: Asked, options: ChangeOptions) -> int:
    if not options.wait:
        return waiting.Exit.DONE
    if Status(workload).is_stopped:
        told("It is stopped: there is nothing to wait for")
        return waiting.Exit.DONE
    goal: Goal = Up() if asked.policy == "Auto" else Isolated(asked.policy, asked=True)
    return await waiting.wait(opened, {workload["metadata"]["name"]: goal}, options.timeout)
