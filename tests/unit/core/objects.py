"""Small objects to decide on: a Workload, what may be there of it, and the case that both make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from twinhull.api.base import API_VERSION, Raw
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Refusal
from twinhull.core.rehearsal import rehearsals
from twinhull.hulls.hull import HULL_LABEL, HULL_NAME_LABEL, REVISION_LABEL, WORKLOAD_LABEL
from twinhull.hulls.report import Report
from twinhull.shell.kinds import BY_NAME
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.policies import Policies
from twinhull.shell.refusals import Refusals
from twinhull.shell.store import Store

NAMESPACE, NAME, UID = "shop", "web", "6f1f8f0e-6b8c-4d2e-9c64-7a1f2b3c4d5e"
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
#: A quarter of an hour after everything was created: every deadline has passed.
NOW = CREATED + timedelta(minutes=15)
DEFAULTS = OperatorDefaults(guest_image="guest:1")
KUBEVIRT: Raw = {
    "kind": "KubeVirt",
    "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
    "status": {"phase": "Deployed"},
}
#: A node that can run machines.
NODE: Raw = {"kind": "Node", "metadata": {"name": "node-0"}}
GVISOR: Raw = {"kind": "RuntimeClass", "metadata": {"name": "gvisor"}}
OURS: Raw = {"apiVersion": API_VERSION, "kind": "Workload", "name": NAME, "uid": UID, "controller": True}


def at(seconds: float = 0) -> str:
    """A time, in seconds after everything was created, as Kubernetes writes it."""
    return (CREATED + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def workload(
    spec: Mapping[str, Any] | None = None, *, pod: Mapping[str, Any] | None = None, **also: Any
) -> Raw:
    """A Workload of one container; `pod` is added to its template's spec, `also` to the whole."""
    template = {"spec": {"containers": [{"name": "web", "image": "nginx:1"}], **(pod or {})}}
    metadata = {"generation": 1, **also.pop("metadata", {})}
    return {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "metadata": _placed({"name": NAME, "uid": UID, **metadata}),
        "spec": {"template": template, **(spec or {})},
        **also,
    }


def case(  # noqa: PLR0913  one parameter a part
    raw: Raw,
    *objects: Raw,
    defaults: OperatorDefaults = DEFAULTS,
    now: datetime = NOW,
    refusals: Mapping[str, Refusal] | None = None,
    rehearsed: bool = True,
    nodes: Iterable[Raw] = (NODE,),
    reports: Mapping[str, Report] | None = None,
    asks_guests: bool = True,
    kubernetes: str = "",
) -> Case:
    """What the operator would decide on, had it seen these objects, and tried out the hull that is to be.

    A ConfigMap without data, and a VirtualMachine without a template, are as the operator makes them.
    """
    if any(_is_bare(obj) for obj in objects):
        objects = tuple(_made(raw, obj, defaults, now) if _is_bare(obj) else obj for obj in objects)
    store = Store()
    store.kubernetes_version = kubernetes
    for obj in (raw, *objects, *nodes):
        kind = BY_NAME[obj["kind"]]
        placed = _placed(obj["metadata"]) | ({} if kind.namespaced else {"namespace": ""})
        store.put(kind, deepcopy(obj) | {"metadata": placed})  # the store keeps it: tests may change theirs
    known = Knowledge(store, Policies(store), Refusals(), reports or {}, asks_guests=asks_guests)
    found = observe(known, (NAMESPACE, NAME), defaults, now)
    assert isinstance(found, Case)
    tried = {action.key for action in rehearsals(found)} if rehearsed else set()
    return replace(
        found, observed=replace(found.observed, refusals=refusals or {}, rehearsed=frozenset(tried))
    )


def _is_bare(obj: Raw) -> bool:
    missing = {"ConfigMap": "data" not in obj, "VirtualMachine": "template" not in obj.get("spec", {})}
    return missing.get(obj["kind"], False)


def _made(raw: Raw, obj: Raw, defaults: OperatorDefaults, now: datetime) -> Raw:
    """A manifest with its content, or a machine with the note of it, if it is the present revision's."""
    found = case(raw, KUBEVIRT, defaults=defaults, now=now)
    if not found.hull_type.has_guest or obj["metadata"]["name"] != found.hull_name:
        return obj
    carried, vm = found.desired.hull_objects
    if obj["kind"] == "VirtualMachine":
        return obj | {"spec": {"template": vm["spec"]["template"], **obj.get("spec", {})}}
    labels = {**carried["metadata"]["labels"], **obj["metadata"].get("labels", {})}
    return obj | {"metadata": {**obj["metadata"], "labels": labels}, "data": carried["data"]}


def _placed(metadata: Mapping[str, Any]) -> Raw:
    kindless = {"namespace": NAMESPACE, "resourceVersion": "1", "creationTimestamp": at()}
    return {**kindless, "uid": f"uid-{metadata.get('name')}", **metadata}


def hull(  # noqa: PLR0913  one parameter a part
    kind: str,
    name: str,
    *,
    owner: Raw | None = OURS,
    deleting: bool = False,
    spec: Raw | None = None,
    status: Raw | None = None,
) -> Raw:
    """A Pod, VirtualMachine or VirtualMachineInstance with the Workload's label."""
    labels = {
        WORKLOAD_LABEL: NAME,
        HULL_LABEL: kind,
        HULL_NAME_LABEL: name,
        REVISION_LABEL: name.rpartition("-")[2],
    }
    gone = {"deletionTimestamp": at(870), "deletionGracePeriodSeconds": 30} if deleting else {}
    specs: dict[str, Raw] = {
        "Pod": {"containers": [{"name": "web", "image": "nginx:1"}]},
        "VirtualMachineInstance": {"domain": {"devices": {"panicDevices": [{"model": "pvpanic"}]}}},
    }
    return {
        "kind": kind,
        "metadata": {
            "namespace": NAMESPACE,
            "name": name,
            "labels": labels,
            "ownerReferences": [owner] if owner else [],
            **gone,
        },
        "spec": spec or specs.get(kind, {}),
        "status": status or {},
    }


def conditions(ready: str, *, since: float = 0, **more: str) -> list[Raw]:
    """A Ready condition."""
    return [{"type": "Ready", "status": ready, "lastTransitionTime": at(since), **more}]


def running(*, ready: bool = True, since: float = 1) -> Raw:
    """The status of a Pod that runs."""
    return {"phase": "Running", "conditions": conditions(str(ready), since=since), "startTime": at(1)}


def ended(phase: str, *containers: Raw, **more: Any) -> Raw:
    """The status of a Pod that ended."""
    return {"phase": phase, "containerStatuses": list(containers), **more}


def terminated(name: str, code: int, *, seconds: float = 5, **more: Any) -> Raw:
    """A container's status after its end, that many seconds after everything was created."""
    end = {"exitCode": code, "finishedAt": at(seconds), **more}
    return {"name": name, "state": {"terminated": end}}


def as_asked(raw: Raw, hull: str | None = None) -> Raw:
    """A Workload whose status says of its present spec that all is as asked, in this hull."""
    reported = [
        {"type": kind, "status": status, "reason": "Ready", "message": "", "lastTransitionTime": at()}
        | {"observedGeneration": 1}
        for kind, status in (("Ready", "True"), ("Reconciling", "False"), ("Stalled", "False"))
    ]
    name = hull or case(raw).hull_name
    found = {"kind": case(raw).hull_kind, "name": name, "revision": name.rpartition("-")[2], "ready": True}
    return raw | {"status": {"observedGeneration": 1, "conditions": reported, "hull": found}}


def companion(kind: str, name: str, *, owner: Raw | None = OURS, deleting: bool = False, **more: Any) -> Raw:
    """A Service or ConfigMap with the Workload's label."""
    labels = {WORKLOAD_LABEL: NAME}
    gone = {"deletionTimestamp": at(40)} if deleting else {}
    metadata = {"name": name, "labels": labels, "ownerReferences": [owner] if owner else [], **gone}
    return {"kind": kind, "metadata": metadata, **more}
