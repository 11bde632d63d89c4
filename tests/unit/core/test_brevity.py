"""However much is wrong with a Workload, and in however many words, its status is said, and is small."""

from __future__ import annotations

import json

import pytest

from tests.unit.core.policies import namespace, policy
from twinhull.api.base import Raw
from twinhull.api.templatebounds import MOST_CONTAINERS, MOST_VOLUMES, excess
from twinhull.api.workloadstatus import WorkloadStatus
from twinhull.core.plan import plan

from .objects import KUBEVIRT, case, companion, hull, workload

#: Bytes; etcd takes 1.5 MB of an object.
LARGEST_STATUS = 400_000
LONG = "a word of many " * 10_000


def _claims(count: int) -> list[Raw]:
    return [{"name": f"v{n}", "persistentVolumeClaim": {"claimName": f"c{n}"}} for n in range(count)]


def _status(raw: Raw, *objects: Raw) -> WorkloadStatus:
    assert excess(raw["spec"]) is None
    status = plan(case(raw, *objects)).status
    assert status is not None
    assert len(json.dumps(status.raw())) < LARGEST_STATUS
    assert all(len(found.message.encode()) <= 4096 for found in status.conditions or ())
    return status


@pytest.mark.parametrize(("claims", "listed", "last"), [(32, 32, None), (33, 32, 2), (MOST_VOLUMES, 32, 225)])
def test_many_missing_claims_are_a_list_that_ends(claims: int, listed: int, last: int | None) -> None:
    status = _status(workload(pod={"volumes": _claims(claims)}))
    lacks = status.lacks or ()
    assert len(lacks) == listed
    assert lacks[0].message.startswith("spec.template.spec.volumes[v0].")
    assert (lacks[-1].message == f"and {last} more") is (last is not None)
    stalled = next(found for found in status.conditions or () if found.type == "Stalled")
    assert stalled.message.endswith(f"; and {claims - 8} more")


def test_many_unsupported_fields_are_a_list_that_ends() -> None:
    volumes = [{"name": f"v{n}", "hostPath": {"path": "/"}} for n in range(MOST_VOLUMES)]
    status = _status(workload({"isolationPolicy": "VirtualMachine"}, pod={"volumes": volumes}), KUBEVIRT)
    fields = status.unsupported_fields or ()
    assert len(fields) == 64
    assert (fields[-1].path, fields[-1].reason) == ("…", f"and {MOST_VOLUMES - 63} more fields")


def test_paths_that_are_the_same_once_they_are_cut_are_said_once() -> None:
    mounts = [{"name": "v", "mountPath": f"/{'a' * 2000}{n}"} for n in range(9)]
    pod = {
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
        "containers": [{"name": "web", "image": "nginx", "volumeMounts": mounts}],
    }
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "c"}}
    status = _status(workload({"isolationPolicy": "VirtualMachine"}, pod=pod), KUBEVIRT, claim)
    paths = [field.path for field in status.unsupported_fields or ()]
    assert len(paths) == len(set(paths)) == 1


def test_many_ways_past_a_floor_are_named_in_part() -> None:
    containers = [
        {"name": f"c{n}", "image": "i", "securityContext": {"privileged": True}}
        for n in range(MOST_CONTAINERS)
    ]
    status = _status(workload(pod={"containers": containers}), policy("p", minimum="Sandbox"), namespace())
    assert f"; and {MOST_CONTAINERS - 8} more: remove them" in (status.conditions or ())[0].message


def test_the_words_of_others_are_cut() -> None:
    """Those of a Pod's status, by whoever may write it."""
    raw = workload(pod={"containers": [{"name": f"c{n}", "image": "i"} for n in range(MOST_CONTAINERS)]})
    name = case(raw).hull_name
    state = {"terminated": {"exitCode": 1, "reason": LONG, "message": LONG}}
    containers = [
        {"name": f"c{n}", "state": {"waiting": {"reason": LONG, "message": LONG}}, "lastState": state}
        for n in range(500)
    ]
    for words in ({"reason": LONG, "message": LONG}, {}):
        seen = {"phase": "Running", "containerStatuses": containers, **words}
        status = _status(raw, hull("Pod", name, status=seen))
        assert len(status.containers or ()) == 2 * MOST_CONTAINERS
        ready = (status.conditions or ())[0]
        assert len(ready.reason) <= 128
        assert "bytes, cut)" in ready.message


def test_so_are_those_of_a_run_that_ended() -> None:
    raw = workload(pod={"restartPolicy": "Never"})
    ended = {"name": "web", "state": {"terminated": {"exitCode": 1, "reason": LONG, "message": LONG}}}
    status = _status(
        raw, hull("Pod", case(raw).hull_name, status={"phase": "Failed", "containerStatuses": [ended]})
    )
    assert status.exit is not None
    assert len((status.exit.message or "").encode()) <= 4096
    again = raw | {"status": status.raw()}
    failed = hull("Pod", case(raw).hull_name, status={"phase": "Failed", "containerStatuses": [ended]})
    assert plan(case(again, failed)).status is None, "what was cut is no news the next time"


def test_many_hulls_are_named_in_part() -> None:
    raw = workload()
    pods = [hull("Pod", f"web-{n}") for n in range(40)]
    assert "and 32 more" in (_status(raw, *pods, companion("Service", "other")).conditions or ())[0].message
