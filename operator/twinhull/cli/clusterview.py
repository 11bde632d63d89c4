"""Reads a Workload with its Pods, machines, Service, disks and Events, as far as a person may read them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import click

from twinhull.api.base import Raw
from twinhull.cli.session import Session, not_served
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Unauthorized, Unreachable
from twinhull.shell.kinds import (
    DATA_VOLUME,
    SERVICE,
    VIRTUAL_MACHINE,
    VIRTUAL_MACHINE_INSTANCE,
    WORKLOAD,
    Kind,
)
from twinhull.view.workloadobjects import ReadFailure, WorkloadObjects

#: All Pods of Workloads: hulls, and launchers of machines.
PODS = Kind("Pod", "", "v1", "pods", label_selector=WORKLOAD_LABEL)
#: Events as everybody with the role view may read them: the role doesn't have those of events.k8s.io.
EVENTS = Kind("Event", "", "v1", "events")
POD_METRICS = Kind("PodMetrics", "metrics.k8s.io", "v1beta1", "pods")
_SLICES = Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices")
#: The label of EndpointSlices that names their Service (discovery.k8s.io/v1, constant LabelServiceName).
_SERVICE_LABEL = "kubernetes.io/service-name"
#: How many requests for Events are sent at a time.
_AT_A_TIME = 8


class Reader:
    """Reads objects of one namespace, and notes the kinds that can't be read. Raises Unreachable and
    Unauthorized, after which nothing can be read.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._failures: dict[str, ReadFailure] = {}

    @property
    def read_failures(self) -> tuple[ReadFailure, ...]:
        """The kinds that couldn't be read so far, sorted by name, since answers come in any order."""
        return tuple(self._failures[kinds] for kinds in sorted(self._failures))

    async def list(self, kind: Kind, selector: str = "", fields: str = "") -> tuple[Raw, ...]:
        """The objects of a kind that the label and field selectors choose; none if they can't be read, or if
        the cluster has no such kind.
        """
        labels = ",".join(filter(None, (kind.label_selector, selector))) or None
        chosen = replace(kind, label_selector=labels, field_selector=fields or None)
        try:
            listed = await self._cluster.list(chosen)
        except (Unreachable, Unauthorized):
            raise
        except ApiError as error:
            self._note(kind, error)
            return ()
        return tuple(whole(kind, obj) for obj in listed[0]) if listed else ()

    async def get(self, kind: Kind, name: str) -> Raw | None:
        """One object; None if it doesn't exist, or can't be read."""
        try:
            return await self._cluster.get(kind, self._namespace, name)
        except (Unreachable, Unauthorized):
            raise
        except ApiError as error:
            self._note(kind, error)
            return None

    def _note(self, kind: Kind, error: ApiError) -> None:
        plural = f"{kind.name}s"
        why = str(error)
        if " is forbidden" in why:
            why = (
                f"you may not read {kind.plural} in namespace {self._namespace}: ask for the role view there"
            )
        self._failures.setdefault(plural, ReadFailure(plural, why))


async def look(session: Session, name: str) -> WorkloadObjects:
    """A Workload and the objects that belong to it. Raises ClickException if the Workload doesn't exist, and
    ApiError if it can't be read. Other objects that can't be read are noted in `read_failures`.
    """
    workload = await session.workload(name)
    reader = Reader(session.cluster, session.namespace)
    mine = f"{WORKLOAD_LABEL}={name}"
    objects = WorkloadObjects(workload)
    pods, service, slices, volumes = await asyncio.gather(
        reader.list(PODS, mine),
        reader.get(SERVICE, name),
        reader.list(_SLICES, f"{_SERVICE_LABEL}={name}"),
        _volumes(reader, objects),
    )
    machines, instances = await _machines(reader, mine, wanted=objects.concerns_machines)
    objects = replace(
        objects,
        pods=pods,
        machines=machines,
        instances=instances,
        service=service,
        slices=slices,
        volumes=volumes,
    )
    events = await events_of(reader, objects)
    return replace(objects, events=events, read_failures=reader.read_failures)


async def everything(cluster: Cluster, reader: Reader) -> tuple[list[WorkloadObjects], tuple[Raw, ...]]:
    """The Workloads that the cluster lists, each with its Pods, machines and disks, and all Events. Raises
    ClickException if the cluster doesn't serve Workloads, and ApiError if they can't be read.
    """
    listed = await cluster.list(WORKLOAD)
    if listed is None:
        raise click.ClickException(not_served())
    workloads = [WorkloadObjects(one) for one in listed[0]]
    pods, volumes, events = await asyncio.gather(
        reader.list(PODS), reader.list(DATA_VOLUME), reader.list(EVENTS)
    )
    wanted = any(objects.concerns_machines for objects in workloads)
    machines, instances = await _machines(reader, "", wanted=wanted)
    by_owner = [_by_workload(some, WORKLOAD_LABEL) for some in (pods, machines, instances)]
    of_disks = _by_workload(volumes, str(DATA_VOLUME.label_selector))
    filled = []
    for objects in workloads:
        key = objects.namespace, objects.name
        own = (some.get(key, ()) for some in (*by_owner, of_disks))
        pods, machines, instances, volumes = map(tuple, own)
        filled.append(replace(objects, pods=pods, machines=machines, instances=instances, volumes=volumes))
    return filled, events


def _by_workload(objects: Iterable[Raw], label: str) -> dict[tuple[str, str], list[Raw]]:
    """Objects by the namespace and the name of their Workload. The name is the value of `label`."""
    by_workload: dict[tuple[str, str], list[Raw]] = {}
    for obj in objects:
        metadata = obj["metadata"]
        key = str(metadata.get("namespace") or ""), str((metadata.get("labels") or {}).get(label) or "")
        by_workload.setdefault(key, []).append(obj)
    return by_workload


async def events_of(reader: Reader, objects: WorkloadObjects) -> tuple[Raw, ...]:
    """The Events of a Workload and of the objects that belong to it."""
    chosen = [
        f"involvedObject.uid={objects.workload['metadata'].get('uid')}",
        *(f"involvedObject.kind={kind},involvedObject.name={name}" for kind, name in objects.subjects()),
    ]
    turns = asyncio.Semaphore(_AT_A_TIME)

    async def read(fields: str) -> tuple[Raw, ...]:
        async with turns:
            return await reader.list(EVENTS, fields=fields)

    lists = await asyncio.gather(*(read(fields) for fields in chosen))
    return tuple(event for events in lists for event in events)


async def _volumes(reader: Reader, objects: WorkloadObjects) -> tuple[Raw, ...]:
    """The DataVolumes of the Workload's disks, if it has any."""
    return await reader.list(DATA_VOLUME, _of_disks(objects)) if objects.disks else ()


def _of_disks(objects: WorkloadObjects) -> str:
    return f"{DATA_VOLUME.label_selector}={objects.name}"


async def _machines(reader: Reader, mine: str, *, wanted: bool) -> tuple[tuple[Raw, ...], tuple[Raw, ...]]:
    """The VirtualMachines and VirtualMachineInstances if they are `wanted`. A person who looks at a Pod needs
    no right to read them.
    """
    if not wanted:
        return (), ()
    machines, instances = await asyncio.gather(
        reader.list(VIRTUAL_MACHINE, mine), reader.list(VIRTUAL_MACHINE_INSTANCE, mine)
    )
    return machines, instances


def whole(kind: Kind, obj: Raw) -> Raw:
    """An object of a list with its apiVersion and kind, which the API server leaves out there."""
    return {"apiVersion": kind.api_version, "kind": kind.name, **obj}


def as_list(objects: Iterable[Raw]) -> Raw:
    """Objects in a List, as kubectl prints several."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}
