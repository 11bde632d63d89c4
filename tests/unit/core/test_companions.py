"""The Service, which outlives hulls, and the manifest, which doesn't."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change, Create, Delete, Event
from twinhull.core.companions import upkeep
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.hulls.hull import HULL_NAME_LABEL
from twinhull.hulls.manifest import digest
from twinhull.hulls.merge import merge_patch

from .objects import KUBEVIRT, OURS, as_asked, case, companion, hull, running, workload

FORMER = OURS | {"uid": "uid-former"}
PORTS = {"containers": [{"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}]}
SERVED = workload({"isolationPolicy": "Container"}, pod=PORTS)
UNSERVED = workload({"service": {"enabled": False}}, pod=PORTS)
MACHINE = workload({"isolationPolicy": "VirtualMachine"})
VM = case(MACHINE).hull_name
#: The manifest as it should be.
CARRIED = case(MACHINE).desired.hull_objects[0]


def kept(raw: Raw, *objects: Raw) -> list[Action]:
    return list(upkeep(case(raw, *objects)))


def service(**also: Any) -> Raw:
    """The Service as it should be."""
    (create,) = kept(SERVED)
    assert isinstance(create, Create)
    return companion("Service", "web", spec=create.obj["spec"]) | also


def test_service_is_made() -> None:
    (action,) = kept(SERVED)
    assert isinstance(action, Create)
    assert action.key == "Service/web"
    assert action.obj["spec"] == {
        "type": "ClusterIP",
        "selector": {"twinhull.dev/workload": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": 80, "protocol": "TCP"}],
    }


def test_service_is_left_as_it_is() -> None:
    assert kept(SERVED, service()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"type": "NodePort"},
        {"selector": {"twinhull.dev/workload": "other"}},
        {"selector": {"twinhull.dev/workload": "web", "app": "x"}},
        {"ports": []},
    ],
)
def test_changed_service_is_put_right_in_one_patch(change: Raw) -> None:
    was = service()
    changed = was | {"spec": was["spec"] | change}
    (action,) = kept(SERVED, changed)
    assert isinstance(action, Change)
    assert (action.key, action.uid) == ("Service/web/change", "uid-web")
    assert kept(SERVED, merge_patch(changed, action.patch)) == []
    assert action.event
    assert action.event.message == "changed Service web to match the spec"


def test_service_that_is_no_longer_wanted_is_deleted() -> None:
    (action,) = kept(UNSERVED, service())
    assert action == Delete("Service", "web", "uid-web")


@pytest.mark.parametrize("owner", [None, FORMER])
@pytest.mark.parametrize("raw", [SERVED, UNSERVED])
def test_service_of_somebody_else_is_left_alone(raw: Raw, owner: Raw | None) -> None:
    assert kept(raw, companion("Service", "web", owner=owner, spec={})) == []


@pytest.mark.parametrize("raw", [SERVED, UNSERVED])
def test_service_on_its_way_out_is_left_alone(raw: Raw) -> None:
    assert kept(raw, companion("Service", "web", deleting=True, spec={})) == []


def test_stopped_workload_keeps_its_service() -> None:
    assert kept(SERVED | {"spec": SERVED["spec"] | {"state": "Stopped"}}, service()) == []


def manifest(name: str = VM, **also: Any) -> Raw:
    return companion("ConfigMap", name, **also)


def test_manifest_is_made_again_beside_its_machine() -> None:
    (action,) = kept(MACHINE, KUBEVIRT, hull("VirtualMachine", VM))
    assert isinstance(action, Create)
    assert action.key == f"ConfigMap/{VM}"


@pytest.mark.parametrize(
    "objects", [(), (hull("VirtualMachine", VM),)], ids=["machine to come", "machine there"]
)
def test_manifest_is_kept(objects: tuple[Raw, ...]) -> None:
    assert kept(MACHINE, KUBEVIRT, manifest(), *objects) == []


def test_manifest_is_not_made_for_a_machine_on_its_way_out() -> None:
    assert kept(MACHINE, KUBEVIRT, hull("VirtualMachine", VM, deleting=True)) == []


def test_manifest_of_a_former_machine_is_kept_until_that_is_gone() -> None:
    former, of = manifest("web-1f0123e456"), hull("VirtualMachine", "web-1f0123e456", deleting=True)
    assert kept(MACHINE, KUBEVIRT, former, of) == []
    assert kept(MACHINE, KUBEVIRT, former) == [Delete("ConfigMap", "web-1f0123e456", "uid-web-1f0123e456")]


def test_manifest_of_a_machine_that_became_a_pod_is_deleted() -> None:
    assert [action.key for action in kept(workload(), manifest())] == [f"ConfigMap/{VM}"]


def test_manifest_of_a_stopped_machine_is_deleted_after_it() -> None:
    stopped = workload({"isolationPolicy": "VirtualMachine", "state": "Stopped"})
    assert kept(stopped, manifest(), hull("VirtualMachine", VM)) == []
    assert kept(stopped, manifest()) == [Delete("ConfigMap", VM, f"uid-{VM}")]


@pytest.mark.parametrize("also", [{"owner": None}, {"owner": FORMER}, {"deleting": True}])
def test_manifest_that_is_not_ours_or_goes_already_is_left_alone(also: Any) -> None:
    assert kept(workload(), manifest(**also)) == []


@pytest.mark.parametrize(
    ("pod", "previous"),
    [
        (
            {"containers": [{"name": "web", "image": "nginx", "ports": [{"containerPort": 81}]}]},
            "another port",
        ),
        ({"containers": [{"name": "web", "image": "nginx"}]}, "none"),
    ],
    ids=["another port", "no port"],
)
def test_service_leads_to_what_runs_while_the_new_revision_can_not_be_made(pod: Raw, previous: str) -> None:
    """KubeVirt is missing, or a policy rejects it: the hull of before goes on, and listens where it did."""
    wanted = workload({"isolationPolicy": "VirtualMachine"}, pod=pod)
    running = hull("Pod", "web-1before")
    assert kept(wanted, service(), running) == [], previous
    going = kept(wanted, service(), hull("Pod", "web-1before", deleting=True))
    assert [action.key for action in going] == [f"Service/web{'/change' if previous != 'none' else ''}"]


def test_service_that_is_switched_off_goes_at_once_whatever_else_is_under_way() -> None:
    wanted = workload({"isolationPolicy": "VirtualMachine", "service": {"enabled": False}}, pod=PORTS)
    assert [action.key for action in kept(wanted, service(), hull("Pod", "web-1before"))] == ["Service/web"]


def test_service_that_leads_to_one_hull_leads_to_all_again_though_the_new_revision_declares_no_port() -> None:
    """The hull that it leads to is the only one that is left, and the new one can't be made."""
    pinned = service()
    pinned["spec"] = pinned["spec"] | {
        "selector": {**pinned["spec"]["selector"], HULL_NAME_LABEL: "web-1before"}
    }
    wanted = workload({"isolationPolicy": "VirtualMachine", "replacement": {"strategy": "StartFirst"}})
    [change] = kept(wanted, pinned, hull("Pod", "web-1before"))
    assert isinstance(change, Change)
    assert change.patch["spec"]["selector"] == {HULL_NAME_LABEL: None}
    assert change.patch["spec"]["ports"] == pinned["spec"]["ports"]


POD = case(SERVED).hull_name


def drift(sentence: str) -> Event:
    return Event("Warning", Reason.DRIFT_CORRECTED, sentence)


def test_service_that_somebody_deleted_is_told_when_it_is_made_again() -> None:
    (action,) = kept(as_asked(SERVED), hull("Pod", POD, status=running()))
    assert isinstance(action, Create)
    assert action.event == drift("created Service web again, which somebody had deleted")
    assert action.if_present == drift("restored the labels of Service web")


def test_service_that_is_made_for_the_first_time_is_no_drift() -> None:
    (action,) = kept(SERVED)
    assert isinstance(action, Create)
    assert (action.event, action.if_present) == (None, None)


def test_service_that_somebody_changed_is_told_by_its_fields_when_it_is_put_back() -> None:
    changed = service()
    changed["spec"] = changed["spec"] | {"type": "NodePort", "selector": {"app": "x"}}
    (action,) = kept(as_asked(SERVED), changed, hull("Pod", POD, status=running()))
    assert action.event == drift("restored spec.type, spec.selector of Service web")


def test_manifest_that_somebody_deleted_is_told_when_it_is_made_again() -> None:
    (action,) = kept(as_asked(MACHINE), KUBEVIRT, hull("VirtualMachine", VM))
    assert action.event == drift(f"created ConfigMap {VM} again, which somebody had deleted")


def test_manifest_that_somebody_changed_is_told_when_it_is_put_back() -> None:
    edited = manifest(data={"manifest.json": "{}"})
    (action,) = kept(as_asked(MACHINE), KUBEVIRT, hull("VirtualMachine", VM), edited)
    assert action.event == drift(f"restored the manifest in ConfigMap {VM}")


FORGED = {"manifest.json": "{}"}


@pytest.mark.parametrize(
    "forged",
    [
        {"data": FORGED},
        {"data": {}},
        {"data": None, "binaryData": {"manifest.json": "e30="}},
        {"binaryData": {"other": "e30="}},
        {"data": {**CARRIED["data"], "other": ""}},
        {"data": FORGED, "deleting": True},
    ],
)
@pytest.mark.parametrize("beside", [{}, {"twinhull.dev/manifest": digest("{}")}])
def test_whatever_is_written_beside_it_a_manifest_is_put_right_in_one_patch(forged: Raw, beside: Raw) -> None:
    present = manifest(**{"data": CARRIED["data"], **forged})
    present["metadata"]["annotations"] = beside
    present["metadata"]["labels"] = CARRIED["metadata"]["labels"]
    (action,) = kept(MACHINE, KUBEVIRT, hull("VirtualMachine", VM), present)
    assert isinstance(action, Change)
    put_right = merge_patch(present, action.patch)
    assert (put_right["data"], put_right.get("binaryData")) == (CARRIED["data"], None)
    assert kept(MACHINE, KUBEVIRT, hull("VirtualMachine", VM), put_right) == []


def test_one_that_can_not_be_changed_is_made_anew() -> None:
    forged = manifest(data=FORGED, immutable=True)
    (action,) = kept(MACHINE, KUBEVIRT, hull("VirtualMachine", VM), forged)
    assert isinstance(action, Delete)
    assert (action.key, action.uid) == (f"ConfigMap/{VM}", f"uid-{VM}")
    assert action.event == drift(f"restored the manifest in ConfigMap {VM}")
    going = manifest(data=FORGED, immutable=True, deleting=True)
    assert kept(MACHINE, KUBEVIRT, hull("VirtualMachine", VM), going) == []
    right = manifest(data=CARRIED["data"], immutable=True)
    right["metadata"]["labels"] = CARRIED["metadata"]["labels"]
    assert kept(MACHINE, KUBEVIRT, hull("VirtualMachine", VM), right) == []


def test_no_machine_starts_by_a_manifest_that_waited_for_it() -> None:
    """Its name can be known beforehand, and so can its owner's uid."""
    waiting = manifest(data=FORGED)
    (change,) = plan(case(MACHINE, KUBEVIRT, waiting)).actions
    assert isinstance(change, Change)
    assert change.event == drift(f"restored ConfigMap {VM}, which somebody had changed")
    (create,) = plan(case(MACHINE, KUBEVIRT, merge_patch(waiting, change.patch))).actions
    assert isinstance(create, Create)
    assert create.key == f"VirtualMachine/{VM}"
    (delete,) = plan(case(MACHINE, KUBEVIRT, waiting | {"immutable": True})).actions
    assert isinstance(delete, Delete)


def unnoted() -> Raw:
    """A machine that an earlier operator made."""
    made = case(MACHINE, KUBEVIRT).desired.hull_objects[1]["spec"]["template"]
    return hull("VirtualMachine", VM, spec={"template": made | {"metadata": {}}})


def test_a_machine_of_an_earlier_operator_is_told_its_manifest_by_one_patch_of_its_annotations() -> None:
    (action,) = kept(MACHINE, KUBEVIRT, unnoted(), manifest())
    notes = case(MACHINE, KUBEVIRT).desired.manifest_notes(VM)
    assert isinstance(action, Change)
    assert action.patch == {"spec": {"template": {"metadata": {"annotations": notes}}}}
    assert action.event is None
    assert kept(MACHINE, KUBEVIRT, merge_patch(unnoted(), action.patch), manifest()) == []


def test_if_it_has_another_that_is_written_anew_and_is_no_drift() -> None:
    event, change = kept(MACHINE, KUBEVIRT, unnoted(), manifest(data=FORGED))
    assert [event.key, change.key] == [f"VirtualMachine/{VM}/change", f"ConfigMap/{VM}/change"]
    assert (event.event, change.event) == (None, None)


def test_a_manifest_that_another_operator_rendered_stays_as_the_machine_notes_it() -> None:
    """Its registries, say, are others by now: the next machine takes them up."""
    other = manifest(data={"manifest.json": '{"registries": []}'})
    other["metadata"]["labels"] = CARRIED["metadata"]["labels"]
    machine = hull("VirtualMachine", VM, spec=noting('{"registries": []}'))
    assert kept(MACHINE, KUBEVIRT, machine, other) == []
    # Once it is lost, it is what is rendered now, and the machine notes that before.
    event, create = kept(MACHINE, KUBEVIRT, machine)
    assert [event.key, create.key] == [f"VirtualMachine/{VM}/change", f"ConfigMap/{VM}"]


def noting(text: str) -> Raw:
    return {"template": {"metadata": {"annotations": {"twinhull.dev/manifest": digest(text)}}}}


@pytest.mark.parametrize(
    ("label", "value"),
    [("twinhull.dev/hull-name", None), ("twinhull.dev/hull-name", "other"), ("twinhull.dev/revision", None)],
)
def test_labels_of_a_pod_are_put_back(label: str, value: str | None) -> None:
    changed = hull("Pod", POD, status=running())
    was = changed["metadata"]["labels"].pop(label)
    if value:
        changed["metadata"]["labels"][label] = value
    (action,) = kept(as_asked(SERVED), changed, service())
    assert isinstance(action, Change)
    assert (action.key, action.patch) == (f"Pod/{POD}/change", {"metadata": {"labels": {label: was}}})
    assert action.event == drift(f"restored the labels {label} of Pod {POD}")


def test_labels_that_others_added_stay() -> None:
    theirs = hull("Pod", POD, status=running())
    theirs["metadata"]["labels"]["mesh"] = "in"
    assert kept(SERVED, theirs, service()) == []


def test_a_machine_that_runs_is_not_given_the_name_that_its_launcher_lacks() -> None:
    vm = hull("VirtualMachine", VM)
    del vm["metadata"]["labels"]["twinhull.dev/hull-name"]
    assert kept(MACHINE, KUBEVIRT, manifest(), vm) == []


HEADLESS = workload({"isolationPolicy": "Container", "service": {"headless": True}}, pod=PORTS)


def test_service_that_is_to_be_headless_is_deleted_and_made_once_it_is_gone() -> None:
    live = service()
    live["spec"] = {**live["spec"], "clusterIP": "10.0.0.1"}
    (action,) = kept(HEADLESS, live)
    assert isinstance(action, Delete)
    assert action.event == Event(
        "Normal", Reason.SERVICE_CHANGED, "deleted Service web, to make it again without a cluster IP"
    )
    live["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert kept(HEADLESS, live) == []
    (made,) = kept(HEADLESS)
    assert isinstance(made, Create)
    assert made.obj["spec"]["clusterIP"] == "None"
    live = companion("Service", "web", spec=made.obj["spec"])
    live["metadata"]["annotations"] = made.obj["metadata"]["annotations"]
    assert kept(HEADLESS, live) == []
    (action,) = kept(SERVED, live)
    assert isinstance(action, Delete)
    assert action.event
    assert action.event.message.endswith(" with a cluster IP")


def test_a_node_port_of_no_port_is_told() -> None:
    fields = {"type": "NodePort", "nodePorts": {"https": 30443}}
    raw = workload({"isolationPolicy": "Container", "service": fields}, pod=PORTS)
    present = hull("Pod", case(raw).hull_name, status=running())
    step = decide(case(raw, present))
    assert (step.stalled, step.reason) == (True, "ServiceRefused")
    assert step.message == (
        "spec.service.nodePorts: the Service has no port https, but http: name one of these, or remove it"
    )
