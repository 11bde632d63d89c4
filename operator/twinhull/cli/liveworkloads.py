"""Reads Workloads of a cluster, as manifests like those of files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import yaml

from twinhull.cli import ending
from twinhull.cli.manifests import Manifest
from twinhull.cli.personallogin import PersonalLogin
from twinhull.cli.session import session
from twinhull.cli.targets import Target


def read(names: Sequence[str], target: Target, login: PersonalLogin | None = None) -> list[Manifest]:
    """The Workloads of these names, by `login` if there is one already. Raises ClickException if one doesn't
    exist, or the cluster can't be asked.
    """
    return ending.run(_read(names, target, login))


async def _read(names: Sequence[str], target: Target, login: PersonalLogin | None) -> list[Manifest]:
    async with session(target, login) as opened:
        workloads = await asyncio.gather(*map(opened.workload, names))
    nowhere = yaml.MappingNode("tag:yaml.org,2002:map", [])
    return [
        Manifest("the cluster", f"Workload {name}", obj, nowhere)
        for name, obj in zip(names, workloads, strict=True)
    ]
