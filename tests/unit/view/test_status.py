"""The screen of one Workload: each part that a state of tests/gitops doesn't have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.view.objects import BEGAN, NOW, OWNER, pod, workload
from twinhull.view.screen import Cell
from twinhull.view.status import screen
from twinhull.view.workloadobjects import ReadFailure, WorkloadObjects

GOLDEN = Path(__file__).parents[2] / "golden"
PORTS = {"template": {"spec": {"containers": [{"name": "web", "ports": [{"containerPort": 80}]}]}}}


def parts(found: WorkloadObjects) -> dict[str, list[str]]:
    """The lines of each section, with a single space between columns."""
    shown = screen(found, NOW)
    return {
        section.title: [
            " ".join(line.split())
            for part in section.parts
            for line in ((part.text,) if isinstance(part, Cell) else part.lines())
        ]
        for section in shown.sections
    }


def of(spec: dict[str, Any] | None = None, **status: Any) -> dict[str, list[str]]:
    return parts(WorkloadObjects(workload(spec=spec, **status)))


def test_who_decided_the_isolation_and_since_when_it_is_too_weak() -> None:
    raised = {
        "requested": "Auto",
        "resolved": "Sandbox",
        "running": "Container",
        "policy": "floor",
        "reason": "RaisedByPolicy",
        "message": "Sandbox is required",
        "pendingSince": BEGAN,
    }
    assert of(isolation=raised)["Isolation"] == [
        "requested Auto, resolved Sandbox, running Container",
        "RaisedByPolicy: IsolationPolicy floor: Sandbox is required",
        "weaker than a policy requires for 5m",
    ]


def test_a_machine_says_what_kubevirt_says_and_whether_it_moves() -> None:
    hull = {"kind": "VirtualMachine", "name": "web-1", "revision": "1", "ready": False}
    moves = {"possible": False, "reason": "NotShareable", "message": "a disk is local"}
    machine = {"metadata": {"name": "web-1", "creationTimestamp": BEGAN, "ownerReferences": OWNER}}
    objects = WorkloadObjects(
        workload(hull={**hull, "migratable": moves}),
        machines=({**machine, "status": {"printableStatus": "Starting"}},),
        instances=({**machine, "status": {"phase": "Scheduling"}},),
    )
    assert parts(objects)["Hull"] == [
        "VirtualMachine web-1, revision 1, not Ready",
        "node none yet, address none yet, age 5m",
        "KubeVirt says: VirtualMachine Starting, VirtualMachineInstance Scheduling",
        "can't move to another node while it runs (NotShareable: a disk is local)",
    ]
    assert parts(objects)["Launcher"] == ["none"]


def test_containers_have_their_last_end() -> None:
    container = {
        "name": "web",
        "ready": False,
        "restarts": 5,
        "state": "Waiting",
        "reason": "CrashLoopBackOff",
        "lastReason": "OOMKilled",
        "lastExitCode": 137,
    }
    init = {"name": "setup", "init": True, "ready": True, "restarts": 0, "state": "Terminated", "exitCode": 0}
    assert of(containers=[init, container])["Containers"] == [
        "NAME READY STATUS RESTARTS LAST END",
        "setup (init) yes Terminated (exit code 0) 0 -",
        "web no CrashLoopBackOff 5 OOMKilled (exit code 137)",
    ]


@pytest.mark.parametrize(
    ("spec", "service", "shown"),
    [
        ({"service": {"enabled": False}}, None, "none, as spec.service.enabled is false"),
        ({}, None, "none, since no container names a port, and spec.service.ports is empty"),
        (PORTS, None, "none yet"),
        (PORTS, {"metadata": {"name": "web"}}, "none: Service web isn't this Workload's"),
    ],
)
def test_why_there_is_no_service(spec: dict[str, Any], service: dict[str, Any] | None, shown: str) -> None:
    assert parts(WorkloadObjects(workload(spec=spec or {"isolationPolicy": "Auto"}), service=service))[
        "Service"
    ] == [shown]


def test_a_service_has_its_addresses_and_its_endpoints() -> None:
    port = {"port": 80, "nodePort": 30_080, "protocol": "TCP", "targetPort": 8080}
    service = {
        "metadata": {"name": "web", "ownerReferences": OWNER},
        "spec": {"type": "LoadBalancer", "clusterIP": "10.0.0.9", "ports": [port]},
        "status": {"loadBalancer": {"ingress": [{"hostname": "web.example"}]}},
    }
    ready = {"addresses": ["fd00::1"], "conditions": {}}
    unready = {"addresses": ["10.0.0.2"], "conditions": {"ready": False}}
    slices = ({"metadata": {"name": "x"}, "ports": [{"port": 8080}], "endpoints": [ready, unready]},)
    assert parts(WorkloadObjects(workload(), service=service, slices=slices))["Service"] == [
        "LoadBalancer web, 10.0.0.9, from outside web.example: 80:30080/TCP → 8080",
        "1 ready endpoint: [fd00::1]:8080",
        "not ready: 10.0.0.2:8080",
    ]


def test_disks_have_their_progress_and_what_failed() -> None:
    disk = {
        "name": "data",
        "claim": "web-data",
        "phase": "ImportInProgress",
        "progress": "42.1%",
        "size": "10Gi",
        "attached": False,
        "message": "wait",
        "failure": {"attempts": 4, "message": "404"},
    }
    assert of(disks=[disk])["Disks"] == [
        "NAME CLAIM SIZE PHASE PROGRESS ATTACHED",
        "data web-data 10Gi ImportInProgress 42.1% no",
        "data: wait",
        "data: an import failed, 4 attempts at least: 404",
    ]


def test_what_is_lacked_replaced_and_lost() -> None:
    shown = of(
        lacks=[{"reason": "CDIMissing", "message": "install CDI"}],
        replacement={"revision": "2", "startedAt": BEGAN},
        backOff={
            "losses": 3,
            "revision": "1",
            "lostAt": BEGAN,
            "retryAt": "2026-01-01T00:06:00Z",
            "reason": "Evicted",
            "message": "no disk",
        },
    )
    assert shown["Lacks"] == ["CDIMissing: install CDI"]
    assert shown["Replacement"] == [
        "by revision 2: under way for 5m",
        (
            "3 hulls of revision 1 lost in a row, the last 5m ago (Evicted: no disk); the next one is made "
            "at 2026-01-01T00:06:00Z"
        ),
    ]
    given_up = {"revision": "2", "failedAt": BEGAN, "message": "too long"}
    assert of(replacement=given_up)["Replacement"] == ["by revision 2: given up 5m ago: too long"]


def test_what_may_not_be_read_is_said_and_nothing_is_made_of_it() -> None:
    read_failures = tuple(
        ReadFailure(kinds, "forbidden") for kinds in ("Pods", "Services", "EndpointSlices", "Events")
    )
    hull = {"kind": "VirtualMachine", "name": "web-1", "revision": "1", "ready": True}
    found = parts(WorkloadObjects(workload(hull=hull), read_failures=read_failures))
    assert found["Not read"] == [f"{one.kinds}: forbidden" for one in read_failures]
    assert not {"Service", "Events", "Launcher"} & found.keys()


def test_old_events_are_counted() -> None:
    events = [
        {
            "metadata": {"name": f"e{number}"},
            "involvedObject": {"kind": "Pod", "name": "web-1"},
            "eventTime": f"2026-01-01T00:00:{number:02}Z",
        }
        for number in range(8)
    ]
    lines = parts(WorkloadObjects(workload(), events=tuple(events)))["Events"]
    assert len(lines) == 1 + 5 + 1
    assert lines[-1] == "3 older ones: twinhull events web -n shop"


def test_others_pods_with_the_workload_s_label_are_not_shown() -> None:
    strange = pod()
    strange["metadata"]["ownerReferences"] = []
    found = WorkloadObjects(workload(hull={"kind": "Pod", "name": "web-1"}), pods=(strange,))
    assert found.hull_pods == ()
    assert "Containers" not in parts(found)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.output.yaml")), ids=lambda path: path.stem)
def test_every_status_that_the_operator_writes_is_shown_whole(path: Path) -> None:
    """Each text of a status is on the screen, but for what the verdict and the hull say in other words."""
    given = yaml.load(
        path.with_name(path.name.replace("output", "input")).read_text(encoding="utf-8"), yaml.CSafeLoader
    )
    made = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    obj = {"metadata": {"name": "web"}, **given["workload"], "status": made.get("status") or {}}
    text = "\n".join(screen(WorkloadObjects(obj), NOW).lines())
    status = obj["status"]
    for one in (*(status.get("lacks") or ()), *(status.get("unsupportedFields") or ())):
        assert " ".join(str(one.get("message") or one.get("reason")).split()) in text
    for disk in status.get("disks") or ():
        assert disk["name"] in text
    ready = next((one for one in status.get("conditions") or () if one["type"] == "Ready"), None)
    if ready:
        assert " ".join(ready["message"].split()) in text
