"""The situation that policies for images of machines make."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.core.decision import decide
from twinhull.core.plan import plan

from .objects import KUBEVIRT, case, hull, running, workload
from .policies import namespace, policy

LISTED = policy("images", machines={"guestImages": ["registry.example/guests/*"]})
PINNED = policy("pinned", machines={"imagesMustBePinned": True})


def machine(isolation: str = "VirtualMachine", **built: object) -> Raw:
    return workload({"isolationPolicy": isolation, "virtualMachine": built})


def test_a_machine_of_another_image_is_not_made_and_what_runs_is_left_alone() -> None:
    raw = machine(guestImage="evil/guest:1")
    for there in ((), (hull("Pod", "web-1before", status=running()),)):
        found = case(raw, namespace(), LISTED, KUBEVIRT, *there)
        step = decide(found)
        assert (step.ready, step.stalled, step.reason) == ("False", True, "ImageRejected")
        assert step.message == (
            "spec.virtualMachine.guestImage: evil/guest:1 is none of the guestImages of IsolationPolicy "
            "images: correct it"
        )
        assert [action.key for action in plan(found).actions if not action.key.startswith("Service/")] == []


def test_a_machine_that_a_policy_asks_for_is_held_to_it_too() -> None:
    floor = policy("floor", minimum="VirtualMachine")
    raw = machine("Container", guestImage="evil/guest:1")
    assert decide(case(raw, namespace(), LISTED, floor, KUBEVIRT)).reason == "ImageRejected"
    assert decide(case(raw, namespace(), LISTED, KUBEVIRT)).reason == "Creating", "a Pod boots no guest image"


@pytest.mark.parametrize("own", [{}, {"guestImage": "registry.example/guests/own:1"}])
def test_images_that_administrators_name_are_allowed(own: Raw) -> None:
    named = policy("named", virtualMachine={"guestImage": "elsewhere/guest:1"})
    assert decide(case(machine(**own), namespace(), LISTED, named, KUBEVIRT)).reason == "Creating"
    assert decide(case(machine(**own), namespace(), LISTED, KUBEVIRT)).reason == "Creating"


@pytest.mark.parametrize("field", ["instancetype", "preference"])
def test_nothing_runs_beside_the_images_by_what_the_namespace_brings(field: str) -> None:
    kind = f"VirtualMachine{field.capitalize()}"
    own = {
        "kind": kind,
        "metadata": {"name": "own"},
        "spec": {"annotations": {"hooks.kubevirt.io/hookSidecars": '[{"image": "evil"}]'}},
    }
    named: Raw = {field: {"name": "own", "kind": kind}}
    raw = workload({"isolationPolicy": "VirtualMachine", "virtualMachine": named})
    step = decide(case(raw, namespace(), LISTED, KUBEVIRT, own))
    assert step.reason == "ImageRejected"
    assert step.message.startswith(f"spec.virtualMachine.{field}: {kind} own has the annotation hooks.")
    raw["spec"]["template"]["metadata"] = {"annotations": {"hooks.kubevirt.io/hookSidecars": "[]"}}
    assert "spec.template.metadata.annotations" in decide(case(raw, namespace(), LISTED, KUBEVIRT)).message


def test_a_policy_for_others_has_no_say() -> None:
    elsewhere = {"namespaceSelector": {"matchLabels": {"a": "b"}}}
    others = policy("others", match=elsewhere, machines={"guestImages": []})
    assert decide(case(machine(guestImage="any"), namespace(), others, KUBEVIRT)).reason == "Creating"


def test_a_message_tells_of_some_of_many() -> None:
    many = [{"name": f"c{number}", "image": "nginx:1"} for number in range(120)]
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod={"containers": many})
    step = decide(case(raw, namespace(), PINNED, KUBEVIRT))
    assert step.reason == "ImageRejected"
    assert step.message.endswith("; and 112 more: correct it")
    assert len(step.message) < 2048
