"""Finds the hull that a Workload runs in, and the way into it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twinhull.api import commands
from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.api.group import FIND_OPERATOR
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError
from twinhull.reach.guest import GuestDoor
from twinhull.reach.kubevirt_stream import Instance
from twinhull.reach.machine import MachineEntry, no_containers
from twinhull.reach.pod import PodEntry
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.kinds import POD

_UNSEEN = f"the operator hasn't seen it yet: see whether the operator runs ({FIND_OPERATOR})"
#: The phases of a Pod in which nothing runs any more.
_ENDED = frozenset({"Succeeded", "Failed"})
#: The annotation of a Pod that names its default container (kubectl reads it, too).
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
        raise EntryError(runs_nowhere(workload))
    if hull["kind"] == "Pod":
        pod = await cluster.get(POD, namespace, hull["name"])
        if pod is None or not _is_of(pod, metadata["uid"]):
            raise EntryError(f"Pod {hull['name']} of Workload {name} is gone: {_ready(workload)}")
        if usage != Usage.LOGS and (pod.get("status") or {}).get("phase") in _ENDED:
            raise EntryError(
                f"Pod {hull['name']} of Workload {name} has ended{_how(pod)}: {_again(name, namespace)}"
            )
        yield PodEntry.of(connection, pod)
        return
    if (workload["spec"].get("virtualMachine") or {}).get("bootDisk"):
        if usage != Usage.PORT_FORWARD:
            raise no_containers(name, namespace)
        yield MachineEntry(Instance(connection, namespace, hull["name"], name, metadata["uid"]))
        return
    door = GuestDoor(cluster, connection, namespace)
    async with door.open(name, usage, container_names(template)) as entry:
        yield entry


def runs_nowhere(workload: Raw) -> str:
    """The sentence about a Workload without a hull: why it has none, and what starts it."""
    metadata, spec, status = workload["metadata"], workload["spec"], workload.get("status") or {}
    name, namespace = metadata["name"], metadata["namespace"]
    sentence = f"Workload {name} runs nowhere now: {_ready(workload)}"
    if spec.get("state") == "Stopped":
        return f"{sentence}. `{commands.ours('start', name, namespace)}` starts it"
    again = f"{sentence}. `{commands.ours('restart', name, namespace)}` runs it again"
    return again if status.get("exit") else sentence


def ended_container(workload: Raw, container: str) -> str:
    """The sentence about a container that has ended, by the Workload's status. Empty if it hasn't ended."""
    name, namespace = workload["metadata"]["name"], workload["metadata"]["namespace"]
    listed = (workload.get("status") or {}).get("containers") or ()
    status: Raw = next((status for status in listed if status.get("name") == container), {})
    if status.get("state") != "Terminated":
        return ""
    code = f" with exit code {status['exitCode']}" if isinstance(status.get("exitCode"), int) else ""
    sentence = f"container {container} of Workload {name} has ended{code}"
    named = container if len(listed) > 1 else ""
    return f"{sentence}: {_again(name, namespace, named, init=bool(status.get('init')))}"


def _again(name: str, namespace: str, container: str = "", *, init: bool = False) -> str:
    """What to do about a container or Pod that has ended. `container` is empty if there is only one."""
    option = ("-c", container) if container else ()
    log = f"`{commands.ours('logs', name, namespace, *option)}` shows what it wrote"
    again = f"`{commands.ours('restart', name, namespace)}` runs it again"
    return log if init else f"{log}, and {again}"


def _how(pod: Raw) -> str:
    """The exit codes of the containers of a Pod that has ended, as far as its status has them."""
    listed = (pod.get("status") or {}).get("containerStatuses") or ()
    ended = (
        (one["name"], ((one.get("state") or {}).get("terminated") or {}).get("exitCode")) for one in listed
    )
    codes = [f"container {name} with exit code {code}" for name, code in ended if code is not None]
    return f" ({', '.join(codes)})" if codes else ""


def _is_of(pod: Raw, uid: str) -> bool:
    """Whether the Workload with this uid controls a Pod: anybody could make a Pod of the name that its status
    has.
    """
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == uid for owner in owners)


def container_names(template: Raw) -> tuple[str, ...]:
    """The names of a template's containers, the init containers first."""
    spec = template.get("spec") or {}
    return tuple(one["name"] for field in ("initContainers", "containers") for one in spec.get(field) or ())


def defaulted(workload: Raw, entry: Entry) -> str:
    """The note in which kubectl says which container it chose, if there are several and neither a person nor
    the template names one. Empty otherwise.
    """
    template = workload["spec"]["template"]
    if len(entry.containers) <= 1 or _annotated(template, entry):
        return ""
    init = {one["name"] for one in template["spec"].get("initContainers") or ()}
    listed = [name for name in entry.containers if name not in init]
    listed += [f"{name} (init)" for name in entry.containers if name in init]
    return f'Defaulted container "{chosen_container(workload, entry, "")}" out of: {", ".join(listed)}'


def chosen_container(workload: Raw, entry: Entry, container: str) -> str:
    """The container to enter: the one that is asked for, or that the template's annotation names, or the
    first that is no init container. Raises EntryError, which lists the containers.
    """
    if container:
        if container not in entry.containers:
            names = ", ".join(entry.containers)
            raise EntryError(
                f"Workload {workload['metadata']['name']} has no container {container}: it has {names}"
            )
        return container
    template = workload["spec"]["template"]
    return _annotated(template, entry) or str(template["spec"]["containers"][0]["name"])


def _annotated(template: Raw, entry: Entry) -> str:
    """The container that the template's annotation names, empty if it names none."""
    named = ((template.get("metadata") or {}).get("annotations") or {}).get(DEFAULT_CONTAINER)
    return str(named) if named in entry.containers else ""


def port_number(workload: Raw, port: str) -> int:
    """The number of a container's port that is given by number or name. Raises EntryError, which lists the
    names.
    """
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
    """The message of the condition Ready: why a Workload isn't Ready."""
    conditions = (workload.get("status") or {}).get("conditions") or ()
    messages = [one.get("message") for one in conditions if one["type"] == "Ready"]
    return messages[0] if messages and messages[0] else _UNSEEN
