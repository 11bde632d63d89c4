"""Restarts Workloads: sets the annotation that does it, and waits for the restart."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.workload import RESTART_ANNOTATION, WorkloadSpec
from twinhull.cli import changing
from twinhull.cli.changeoptions import ChangeOptions
from twinhull.cli.changingeach import change_each
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.hulls.types import type_of
from twinhull.shell.kinds import WORKLOAD
from twinhull.verbs.goals import Goal, Restarted
from twinhull.verbs.status import Status

#: The annotation by which kubectl restarts objects with a template (k8s.io/kubectl,
#: pkg/polymorphichelpers/objectrestarter.go).
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


async def restart(names: tuple[str, ...], selector: str, options: ChangeOptions, target: Target) -> int:
    """Restart Workloads. Returns the exit code."""
    async with session(target) as opened:

        async def change(workload: Raw) -> Goal:
            return await _restart(opened, workload, options)

        return await change_each(opened, names, selector, options, change, failure="isn't restarted")


async def _restart(opened: Session, workload: Raw, options: ChangeOptions) -> Goal:
    """Restart one Workload, and print that. Returns the goal to wait for."""
    name = workload["metadata"]["name"]
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    former = workload

    def patch(current: Raw) -> Raw:
        nonlocal former
        former = current
        if Status(current).is_stopped:
            start = Status(current).command("start")
            raise click.ClickException(f"spec.state is Stopped, so nothing of it runs: start it by {start}")
        if _boots_a_disk(current):
            return {"metadata": {"annotations": {RESTART_ANNOTATION: now}}}
        return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: now}}}}}

    path = _path(patch(workload))
    await changing.warn_of_owners(opened, workload, path, tracked=False)
    await changing.change(opened, workload, patch, dry_run=options.dry_run)
    would = "would restart" if options.dry_run else "restarts"
    click.echo(f"Workload {name} {would}: {'.'.join(path[:-1])}[{path[-1]}] is {now}{_beside(former)}")
    asked_at = "" if Status(former).is_settled or options.dry_run else await _time(opened, name)
    return Restarted(Status(former).revisions, asked_at)


def _path(patch: Raw) -> tuple[str, ...]:
    """The path of the one field that a patch sets."""
    (key, value) = next(iter(patch.items()))
    return (key, *(_path(value) if isinstance(value, dict) else ()))


def _beside(workload: Raw) -> str:
    """The end of the line about a Workload, if more is to be said; else empty."""
    ready = Status(workload).ready
    return (
        ". It had run to its end, and runs again" if ready and ready.reason in {"Completed", "Failed"} else ""
    )


def _boots_a_disk(workload: Raw) -> bool:
    """Whether the Workload's hull is a machine that boots a disk, so that it doesn't run the template."""
    try:
        spec = WorkloadSpec.model_validate(workload["spec"])
        isolation = Isolation(Status(workload).resolved or Status(workload).requested)
    except (ValidationError, ValueError):  # of a later version, or an Auto that isn't decided yet
        return not (workload["spec"].get("template") or {}).get("spec", {}).get("containers")
    return not type_of(isolation, spec).runs_template


async def _time(opened: Session, name: str) -> str:
    """When this command's change was made, by the API server's clock (RFC 3339, in whole seconds); empty if
    unknown.
    """
    entries = await opened.cluster.managed_fields(WORKLOAD, opened.namespace, name)
    return max(
        (str(one.get("time") or "") for one in entries if one.get("manager") == changing.MANAGER), default=""
    )
