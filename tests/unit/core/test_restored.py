"""What a restore from a backup leaves beside a Workload, whose uid is another than before: docs/operations.md
says what comes of each.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Create
from twinhull.core.plan import plan

from .objects import CREATED, KUBEVIRT, OURS, case, companion, hull, running, workload

SERVED = {"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]}
CONTAINER = workload({"isolationPolicy": "Container"}, pod=SERVED)
MACHINE = workload({"isolationPolicy": "VirtualMachine"}, pod=SERVED)
POD, VM = case(CONTAINER).hull_name, case(MACHINE).hull_name
FORMER = OURS | {"uid": "uid-of-the-former"}
SERVICE: Raw = {"spec": {"type": "ClusterIP", "selector": {}, "ports": []}}

LEFT: dict[str, tuple[Raw, Callable[[Raw | None], Raw]]] = {
    "Pod": (CONTAINER, lambda owner: hull("Pod", POD, owner=owner, status=running())),
    "Pod of another name": (CONTAINER, lambda owner: hull("Pod", "web-1former", owner=owner)),
    "machine": (
        MACHINE,
        lambda owner: hull("VirtualMachine", VM, owner=owner, spec={"runStrategy": "Always"}),
    ),
    "Service": (CONTAINER, lambda owner: companion("Service", "web", owner=owner, **SERVICE)),
    "manifest": (MACHINE, lambda owner: companion("ConfigMap", VM, owner=owner, data={})),
}


@pytest.mark.parametrize("left", LEFT)
@pytest.mark.parametrize(("owner", "reason"), [(None, "NameConflict"), (FORMER, "Waiting")])
def test_no_hull_is_made_beside_what_is_not_its_own(left: str, owner: Raw | None, reason: str) -> None:
    raw, made = LEFT[left]
    planned = plan(case(raw, KUBEVIRT, made(owner), now=CREATED + timedelta(minutes=1)))
    assert planned.status
    assert planned.status.conditions
    assert planned.status.conditions[0].reason == reason
    touched = {action.key.partition("/")[0] for action in planned.actions}
    assert touched <= {"Service"}, "its own Service may come before"
    assert all(isinstance(action, Create) for action in planned.actions)


def test_a_hull_of_its_own_is_left_alone_beside_a_restored_one() -> None:
    """A Pod that was changed in place had an earlier revision's name, so the restored one has another."""
    own, restored = hull("Pod", POD, status=running()), hull("Pod", "web-1former", owner=None)
    step = plan(case(workload({"isolationPolicy": "Container"}), own, restored))
    assert step.actions == ()
    assert step.status
    assert step.status.conditions
    assert step.status.conditions[0].reason == "NameConflict"


def test_a_manifest_that_it_needs_not_is_let_be() -> None:
    raw = workload({"isolationPolicy": "Container"})
    planned = plan(case(raw, companion("ConfigMap", VM, owner=None, data={})))
    assert [action.key for action in planned.actions] == [f"Pod/{case(raw).hull_name}"]


@pytest.mark.parametrize("restored", [True, False])
def test_what_completed_runs_again_unless_its_status_is_restored(restored: bool) -> None:  # noqa: FBT001
    raw = workload({"isolationPolicy": "Container"}, pod={"restartPolicy": "Never"})
    end = {"code": 0, "reason": "Completed", "revision": case(raw).revision}
    status = {"status": {"observedGeneration": 7, "exit": end}} if restored else {}
    anew = raw | {"metadata": raw["metadata"] | {"uid": "uid-of-the-restored"}} | status
    planned = plan(case(anew))
    assert [type(action) for action in planned.actions] == ([] if restored else [Create])
