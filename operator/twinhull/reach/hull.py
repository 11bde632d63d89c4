"""Finds the hull that a Workload runs in, and the way into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError
from twinhull.reach.guest import GuestDoor
from twinhull.reach.pod import PodEntry
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.kinds import POD

#: The annotation of a Pod that says which container is meant if none is named (kubectl has it, too).
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


@asynccontextmanager
async def entered(
    cluster: Cluster, connection: Connection, workload: Raw, usage: Usage
) -> AsyncIterator[Entry]:
    """The entry to the hull that serves a Workload now, for one usage. Raises EntryError."""
    metadata, template = workload["metadata"], workload["spec"].get("template") or {}
    namespace, name = metadata["namespace"], metadata["name"]
    hull = (workload.get("status") or {}).get("hull")
    if not hull:
        raise EntryError(f"Workload {name} runs nowhere now: {_ready(workload)}")
    if hull["kind"] == "Pod":
        pod = await cluster.get(POD, namespace, hull["name"])
        if pod is None or not _is_of(pod, metadata["uid"]):
            raise EntryError(f"Pod {hull['name']} of Workload {name} is gone: {_ready(workload)}")
        yield PodEntry.of(connection, pod)
        return
    if (workload["spec"].get("virtualMachine") or {}).get("bootDisk"):
        raise EntryError(
            f"Workload {name} runs in a machine that boots a disk of its own, without containers: use "
            f"twinhull console {name} or twinhull ssh {name}"
        )
    door = GuestDoor(cluster, connection, namespace)
    async with door.open(name, usage, container_names(template)) as entry:
        yield entry


def _is_of(pod: Raw, uid: str) -> bool:
    """Whether a Workload controls a Pod: anybody could make one of the name that its status has."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)


def container_names(template: Raw) -> tuple[str, ...]:
    """The containers of a template, the init containers first."""
    spec = template.get("spec") or {}
    return tuple(one["name"] for field in ("initContainers", "containers") for one in spec.get(field) or ())


def chosen_container(workload: Raw, entry: Entry, asked: str) -> str:
    """The container that is meant: the one that is asked for, that the template's annotation names, or the
    first that is no init container. Raises EntryError with those that there are.
    """
    if asked:
        if asked not in entry.containers:
            has = ", ".join(entry.containers)
            raise EntryError(
                f"Workload {workload['metadata']['name']} has no container {asked}: it has {has}"
            )
        return asked
    template = workload["spec"]["template"]
    named = ((template.get("metadata") or {}).get("annotations") or {}).get(DEFAULT_CONTAINER)
    return str(named if named in entry.containers else template["spec"]["containers"][0]["name"])


def port_number(workload: Raw, port: str) -> int:
    """A port of the containers by its number or name. Raises EntryError with the names that there are."""
    if port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16:
        return int(port)
    containers = (workload["spec"].get("template") or {}).get("spec", {}).get("containers") or ()
    listed = [one for each in containers for one in each.get("ports") or ()]
    ports = {one["name"]: one["containerPort"] for one in listed if one.get("name")}
    if port in ports:
        return int(ports[port])
    names = ", ".join(sorted(ports)) or "none"
    raise EntryError(f"{port} is neither a port from 1 to 65535 nor a port's name (there are: {names})")


def _ready(workload: Raw) -> str:
    """What the status says about why a Workload isn't Ready."""
    conditions = (workload.get("status") or {}).get("conditions") or ()
    messages = [one.get("message") for one in conditions if one["type"] == "Ready"]
    return messages[0] if messages and messages[0] else "the operator hasn't seen it yet: does it run?"
