"""What is tried out before anything that runs goes, and which refusals of it count."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Create, Rehearse, RehearseChange
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.observed import Refusal
from twinhull.core.plan import plan
from twinhull.core.rehearsal import counts, explained, rehearsals

from .objects import KUBEVIRT, NOW, case, companion, hull, running, workload

MACHINE = workload({"isolationPolicy": "VirtualMachine"})
POD = workload({"isolationPolicy": "Container"})
OLD = hull("Pod", "web-1former", status=running())
NEW = case(MACHINE, KUBEVIRT).hull_name
PORTS = {"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 81}]}]}


def tried(found: Case) -> list[tuple[str, str]]:
    return [
        (action.key, action.stands_for if isinstance(action, Rehearse) else "change")
        for action in rehearsals(found)
    ]


def rehearsal(found: Case, stands_for: str) -> Rehearse:
    for action in rehearsals(found):
        if isinstance(action, Rehearse) and action.stands_for == stands_for:
            return action
    raise LookupError(stands_for)


def flip(raw: Raw = MACHINE, *objects: Raw, **how: Any) -> Case:
    return case(raw, OLD, KUBEVIRT, *objects, rehearsed=False, **how)


def names(actions: tuple[Action, ...]) -> list[str]:
    return [f"{type(action).__name__} {action.key}" for action in actions]


def test_all_that_a_machine_is_made_of_is_tried_out() -> None:
    assert tried(flip()) == [
        (f"PodTemplate/{NEW}", "guest's Pod"),
        (f"ConfigMap/{NEW}", "itself"),
        (f"VirtualMachine/{NEW}", "itself"),
        (f"Pod/{NEW}", "launcher"),
        (f"Pod/{NEW}/unlimited", "launcher without limits"),
    ]
    step = decide(flip())
    assert (step.reason, step.actions) == (Reason.REPLACING, rehearsals(flip()))


def test_launcher_is_not_tried_out_where_kubevirts_settings_cannot_be_seen() -> None:
    unseen = case(POD).observed.capabilities
    assert unseen.launcher is None
    assert ("Pod/" + NEW, "launcher") in tried(flip())


def test_launcher_of_a_machine_that_says_its_limits_is_tried_out_once() -> None:
    limits = {"resources": {"limits": {"memory": "64Mi"}}}
    raw = workload(
        {"isolationPolicy": "VirtualMachine"}, pod={"containers": [{"name": "web", "image": "x", **limits}]}
    )
    assert [what for _, what in tried(flip(raw))][-1] == "launcher"


def test_change_of_the_service_is_tried_out() -> None:
    ports = [{"name": "tcp-80", "port": 80, "targetPort": 80, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "selector": {"twinhull.dev/workload": "web"}, "ports": ports}
    raw = workload({"isolationPolicy": "Container"}, pod=PORTS)
    found = case(raw, OLD, companion("Service", "web", spec=spec), rehearsed=False)
    *_, action = rehearsals(found)
    assert isinstance(action, RehearseChange)
    assert action.change.patch["spec"]["ports"][0]["port"] == 81
    foreign = companion("Service", "web", owner=None, spec=spec)
    assert not any(isinstance(one, RehearseChange) for one in rehearsals(case(raw, OLD, foreign)))


def test_pod_of_a_new_machine_is_tried_out_before_anything_is_made() -> None:
    found = case(MACHINE, KUBEVIRT, rehearsed=False)
    assert names(plan(found).actions) == [f"Rehearse PodTemplate/{NEW}"]
    assert names(plan(case(MACHINE, KUBEVIRT)).actions) == [f"Create ConfigMap/{NEW}"]


def test_machine_whose_pod_is_invalid_is_not_made() -> None:
    refusal = Refusal(
        Reason.POD_REFUSED, "invalid", final=True, retry_at=NOW + timedelta(minutes=5), since=NOW
    )
    for objects in ((), (OLD,)):
        refusals = {f"PodTemplate/{NEW}": refusal}
        found = case(MACHINE, KUBEVIRT, *objects, refusals=refusals, rehearsed=False)
        step = decide(found)
        assert (step.stalled, step.reason, step.message) == (True, Reason.POD_REFUSED, "invalid")
        assert not any(isinstance(action, Create) for action in plan(found).actions)


def test_nothing_is_tried_out_for_a_new_pod() -> None:
    assert [type(action) for action in plan(case(POD, rehearsed=False)).actions] == [Create]


def test_pod_of_a_machine_is_tried_out_as_its_template_says_it() -> None:
    obj = rehearsal(flip(), "guest's Pod").obj
    assert obj["template"]["spec"] == flip().desired.guests_pod["spec"]
    assert obj["metadata"]["ownerReferences"][0]["kind"] == "Workload"


INVALID = f'PodTemplate "{NEW}" is invalid: template.spec.containers[0].env[0].name: Invalid value: "1=A"'
FORBIDDEN = f'pods "{NEW}" is forbidden: '
DEFAULT_LIMIT = (
    f'Pod "{NEW}" is invalid: spec.containers[0].resources.requests: Invalid value: "768Mi": must be less '
    "than or equal to memory limit of 256Mi"
)


@pytest.mark.parametrize(
    ("stands_for", "sentence", "counted"),
    [
        ("guest's Pod", INVALID, True),
        ("guest's Pod", f'podtemplates "{NEW}" is forbidden: exceeded quota', False),
        ("guest's Pod", 'admission webhook "x" denied the request: PodTemplate "y" is invalid: no', False),
        ("itself", f'admission webhook "x" denied the request: {NEW}', True),
        ("itself", 'admission webhook "x" does not support dry run', False),
        ("launcher", f'{FORBIDDEN}violates PodSecurity "restricted:latest": seccompProfile', True),
        ("launcher", f"{FORBIDDEN}no PriorityClass with name high was found", True),
        ("launcher", f"{FORBIDDEN}error looking up service account shop/web: not found", True),
        ("launcher", f"{FORBIDDEN}maximum memory usage per Container is 512Mi, but limit is 768Mi", True),
        ("launcher", f"{FORBIDDEN}[maximum cpu usage per Pod is 1, but limit is 2, minimum…", True),
        ("launcher", f"{FORBIDDEN}minimum memory usage per Container is 1Gi, but request is 768Mi", False),
        ("launcher", f"{FORBIDDEN}failed quota: team: must specify limits.cpu for: compute", False),
        ("launcher", 'admission webhook "images" denied the request: unknown registry', False),
        ("launcher", f"{FORBIDDEN}ValidatingAdmissionPolicy 'x' with binding 'x' denied request: no", False),
        ("launcher", DEFAULT_LIMIT, True),
        ("launcher without limits", DEFAULT_LIMIT, True),
        (
            "launcher without limits",
            f"{FORBIDDEN}maximum memory usage per Pod is 2Gi.  No limit is specified",
            True,
        ),
        ("launcher without limits", f'{FORBIDDEN}violates PodSecurity "restricted:latest"', False),
        ("launcher without limits", f"{FORBIDDEN}failed quota: q: must specify limits.memory", False),
    ],
)
def test_refusals_that_count(stands_for: str, sentence: str, *, counted: bool) -> None:
    assert counts(rehearsal(flip(), stands_for), sentence) is counted


def test_quota_that_the_pod_itself_fills_is_no_refusal_and_a_smaller_one_is() -> None:
    action = rehearsal(flip(), "launcher")
    exceeded = FORBIDDEN + "exceeded quota: q, requested: pods=1, used: pods={0}, limited: pods=1"
    assert not counts(action, exceeded.format(1))
    assert counts(action, exceeded.format(2))


def test_refusal_tells_what_it_is_of() -> None:
    assert explained(rehearsal(flip(), "guest's Pod"), INVALID) == (
        f"VirtualMachine {NEW} can't run its Pod: template.spec.containers[0].env[0].name: Invalid value: "
        '"1=A"'
    )
    assert explained(rehearsal(flip(), "launcher"), "no").startswith(
        "KubeVirt couldn't make the launcher Pod of "
    )
    assert explained(rehearsal(flip(), "itself"), "no") == "no"
