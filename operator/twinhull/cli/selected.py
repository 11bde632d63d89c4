"""Reads the Workloads that a verb's arguments choose."""

from __future__ import annotations

from dataclasses import replace

import click

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.cli.session import Session, not_served
from twinhull.shell.kinds import WORKLOAD


async def selected(session: Session, names: tuple[str, ...], selector: str) -> list[Raw]:
    """The Workloads of these names, or with these labels. Raises ClickException if a named one doesn't exist,
    or if none has the labels.
    """
    if names:
        return [await session.workload(name) for name in names]
    listed = await session.cluster.list(replace(WORKLOAD, label_selector=selector))
    if listed is None:
        raise click.ClickException(not_served())
    if not listed[0]:
        labels = commands.others(session.namespace, "twinhull", "list", "--show-labels")
        raise click.ClickException(
            f"namespace {session.namespace} has no Workload with the labels {selector}: see {labels}"
        )
    return sorted(listed[0], key=lambda one: str(one["metadata"]["name"]))
