"""Changes that a running machine takes, how they go, and changes that need another machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change, Create, Delete
from twinhull.core.case import Case
from twinhull.core.observed import LONGEST_WAIT, Refusal
from twinhull.core.plan import Plan, plan
from twinhull.hulls import manifest as manifests
from twinhull.hulls import resources
from twinhull.hulls.hull import REVISION_LABEL
from twinhull.hulls.merge import merge_patch
from twinhull.hulls.report import Report

from .objects import KUBEVIRT, NOW, case, conditions, workload

LIVE: Raw = KUBEVIRT | {"spec": {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]}}}
WEB: Raw = {"name": "web", "image": "web:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
SMALL: Raw = {
    "kind": "VirtualMachineClusterInstancetype",
    "metadata": {"name": "small"},
    "spec": {"cpu": {"guest": 1}, "memory": {"guest": "2Gi"}},
}
LARGE: Raw = {
    "kind": "VirtualMachineClusterInstancetype",
    "metadata": {"name": "large"},
    "spec": {"cpu": {"guest": 2}, "memory": {"guest": "4Gi"}},
}
LINUX: Raw = {"kind": "VirtualMachineClusterPreference", "metadata": {"name": "linux"}}


def wl(container: Raw = WEB, *, machine: Raw | None = None, pod: Raw | None = None, **spec: Any) -> Raw:
    """A Workload whose machine has an instancetype, or the settings of `machine`."""
    built = {"instancetype": {"name": "small"}} if machine is None else machine
    template = {"spec": {"containers": [container], **(pod or {})}}
    fields = {"isolationPolicy": "VirtualMachine", "template": template, "virtualMachine": built}
    return workload({**fields, **spec})


def with_container(**changes: Any) -> Raw:
    return wl(WEB | changes)


BEFORE = wl()


@dataclass
class Machine:
    """A running machine: its manifest, VM and instance in the cluster, its guest's report, and its Workload's
    last status.
    """

    manifest: Raw
    vm: Raw
    vmi: Raw
    report: Report
    status: Raw

    @classmethod
    def of(cls, raw: Raw, size: Raw = SMALL) -> Machine:
        manifest, vm = case(raw, LIVE, SMALL, LARGE).desired.hull_objects
        vm["status"] = {"conditions": conditions("True"), "printableStatus": "Running"}
        metadata = {"name": vm["metadata"]["name"], "labels": vm["spec"]["template"]["metadata"]["labels"]}
        status = {"phase": "Running", "conditions": [{"type": "LiveMigratable", "status": "True"}]}
        vmi = {"kind": "VirtualMachineInstance", "metadata": metadata, "spec": {}, "status": status}
        runs_by = manifests.digest(manifests.text(manifest))
        machine = cls(manifest, vm, vmi, Report({"phase": "Running"}, manifest=runs_by), {})
        machine.resize(size)
        machine.plan(raw)
        return machine

    def resize(self, to: Raw) -> None:
        """KubeVirt gives the machine the size of an instancetype."""
        topology = {"sockets": to["spec"]["cpu"]["guest"], "cores": 1, "threads": 1}
        self.vmi["spec"]["domain"] = {"cpu": topology, "memory": to["spec"]["memory"]}

    def decide(self, raw: Raw, **more: Any) -> Case:
        objects = (more.pop("kubevirt", LIVE), SMALL, LARGE, LINUX, self.manifest, self.vm, self.vmi)
        reports = {f"uid-{self.vmi['metadata']['name']}": self.report}
        return case(raw | {"status": self.status}, *objects, reports=reports, **more)

    def plan(self, raw: Raw, **more: Any) -> Plan:
        planned = plan(self.decide(raw, **more))
        if planned.status is not None and not planned.actions:
            self.status = planned.status.raw()
        return planned

    def carry_out(self, *actions: Action) -> None:
        """Make the changes as the API server does."""
        for action in actions:
            assert isinstance(action, Change)
            at = "manifest" if action.kind == "ConfigMap" else "vm"
            setattr(self, at, merge_patch(getattr(self, at), action.patch))

    def take(self) -> None:
        """The guest takes the present manifest."""
        text = manifests.text(self.manifest)
        self.report = replace(self.report, manifest=manifests.digest(text))


def reason(planned: Plan) -> tuple[str, str]:
    assert planned.status is not None
    assert planned.status.conditions is not None
    ready = planned.status.conditions[0]
    return ready.status, ready.reason


ALIKE: dict[str, Raw] = {
    "an image": with_container(image="web:2"),
    "more CPU and memory in it": with_container(resources={"limits": {"cpu": "2", "memory": "2Gi"}}),
    "an instancetype": wl(machine={"instancetype": {"name": "large"}}),
}
MORE = {**WEB["resources"]["limits"], "ephemeral-storage": "1Gi"}
OTHER: dict[str, Raw] = {
    "its command": with_container(command=["serve"]),
    "a limit more": with_container(resources={"limits": MORE}),
    "another QoS class": with_container(resources={"limits": {"memory": "1Gi"}}),
    "a preference": wl(machine={"instancetype": {"name": "small"}, "preference": {"name": "linux"}}),
    "no instancetype": wl(machine={}),
    "a label": workload(
        {
            "isolationPolicy": "VirtualMachine",
            "virtualMachine": {"instancetype": {"name": "small"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [WEB]}},
        }
    ),
}


@pytest.mark.parametrize("what", ALIKE)
def test_a_running_machine_is_changed(what: str) -> None:
    machine, wanted = Machine.of(BEFORE), ALIKE[what]
    first = machine.plan(wanted).actions
    assert [action.key for action in first] == [f"VirtualMachine/{machine.vm['metadata']['name']}/change"]
    machine.carry_out(*first)
    assert machine.vm["metadata"]["labels"][REVISION_LABEL] == case(wanted).revision
    second = machine.plan(wanted).actions
    assert [action.key for action in second] == [f"ConfigMap/{machine.vm['metadata']['name']}/change"]
    machine.carry_out(*second)
    waiting = machine.plan(wanted)
    assert (waiting.actions, reason(waiting)) == ((), ("False", "Changing"))
    machine.take()
    machine.resize(LARGE if what == "an instancetype" else SMALL)
    third = machine.plan(wanted).actions
    machine.carry_out(*third)
    settled = machine.plan(wanted)
    assert (len(third), settled.actions, reason(settled)) == (1, (), ("True", "Ready"))
    assert settled.status is not None
    assert settled.status.hull is not None
    assert settled.status.hull.revision == case(wanted).revision


@pytest.mark.parametrize("what", OTHER)
def test_a_machine_is_replaced(what: str) -> None:
    [action] = Machine.of(BEFORE).plan(OTHER[what]).actions
    assert isinstance(action, Delete)


def test_it_is_not_ready_before_kubevirt_has_given_it_its_size() -> None:
    machine, wanted = Machine.of(BEFORE), ALIKE["an instancetype"]
    machine.carry_out(*machine.plan(wanted).actions)
    machine.carry_out(*machine.plan(wanted).actions)
    machine.take()
    early = machine.plan(wanted)
    assert (early.actions, reason(early)) == ((), ("False", "Changing"))
    machine.resize(LARGE)
    machine.vmi["status"]["conditions"].append({"type": "HotVCPUChange", "status": "True"})
    assert machine.plan(wanted).actions == ()
    machine.vmi["status"]["conditions"].pop()
    assert len(machine.plan(wanted).actions) == 1


def test_a_size_that_kubevirt_does_not_give_a_running_machine_is_another_machine() -> None:
    """KubeVirt isn't set up for live updates, or can't migrate the machine."""
    machine, wanted = Machine.of(BEFORE), ALIKE["an instancetype"]
    assert isinstance(machine.plan(wanted, kubevirt=KUBEVIRT).actions[0], Delete)
    machine.vmi["status"]["conditions"] = []
    assert isinstance(machine.plan(wanted).actions[0], Delete)
    assert isinstance(machine.plan(ALIKE["an image"]).actions[0], Change), "which needs no migration"


def test_a_size_from_the_containers_is_another_machine() -> None:
    """The node reserves such a size, and KubeVirt doesn't change reservations while the machine runs."""
    limits = {"limits": {"cpu": "2", "memory": "2Gi"}}
    before, after = wl(machine={}), wl(WEB | {"resources": limits}, machine={})
    assert isinstance(Machine.of(before).plan(after).actions[0], Delete)


def test_sizes_in_overrides_are_changed() -> None:
    def sized(sockets: int, memory: str) -> Raw:
        return {"overrides": {"domain": {"cpu": {"sockets": sockets}, "memory": {"guest": memory}}}}

    machine = Machine.of(wl(machine=sized(1, "2Gi")))
    machine.carry_out(*machine.plan(wl(machine=sized(2, "4Gi"))).actions)
    domain = machine.vm["spec"]["template"]["spec"]["domain"]
    assert (domain["cpu"]["sockets"], domain["memory"]["guest"]) == (2, "4Gi")
    assert machine.vm["spec"]["template"]["spec"]["volumes"], "the rest stays"


@pytest.mark.parametrize("who", ["guest", "KubeVirt"])
def test_a_machine_that_can_not_take_it_is_replaced(who: str) -> None:
    machine, wanted = Machine.of(BEFORE), ALIKE["an instancetype"]
    machine.carry_out(*machine.plan(wanted).actions)
    machine.carry_out(*machine.plan(wanted).actions)
    if who == "guest":
        machine.report = replace(machine.report, refused="probe.port differs: replace the machine")
    else:
        required = {"type": "RestartRequired", "status": "True", "message": "a non-live-updatable field"}
        machine.vm["status"]["conditions"].append(required)
    [action] = machine.plan(wanted).actions
    assert isinstance(action, Delete)
    first = wl(machine={"instancetype": {"name": "large"}}, replacement={"strategy": "StartFirst"})
    created = machine.plan(first).actions
    assert [type(action) for action in created] == [Create]


def test_a_machine_that_somebody_else_changed_is_left_alone() -> None:
    machine = Machine.of(BEFORE)
    machine.vm["status"]["conditions"].append({"type": "RestartRequired", "status": "True", "message": "x"})
    assert machine.plan(BEFORE).actions == ()


def test_an_older_guest_is_replaced() -> None:
    machine = Machine.of(BEFORE)
    machine.report = replace(machine.report, manifest="")
    assert isinstance(machine.plan(ALIKE["an image"]).actions[0], Delete)


def test_what_the_api_server_refuses_is_replaced() -> None:
    machine = Machine.of(BEFORE)
    key = f"VirtualMachine/{machine.vm['metadata']['name']}/change"
    no = Refusal(Reason.VIRTUAL_MACHINE_REFUSED, "no", final=True, retry_at=NOW + LONGEST_WAIT, since=NOW)
    assert isinstance(machine.plan(ALIKE["an image"], refusals={key: no}).actions[0], Delete)


def test_there_and_back_again_before_it_was_taken() -> None:
    machine = Machine.of(BEFORE)
    machine.carry_out(*machine.plan(ALIKE["an image"]).actions)
    back = machine.plan(BEFORE).actions
    machine.carry_out(*back)
    assert machine.vm["metadata"]["labels"][REVISION_LABEL] == case(BEFORE).revision
    last = machine.plan(BEFORE).actions
    machine.carry_out(*last)
    assert machine.plan(BEFORE).actions == ()


def test_under_start_first_an_image_is_another_machine() -> None:
    strategy: Raw = {"replacement": {"strategy": "StartFirst"}}
    machine = Machine.of(wl(**strategy))
    assert isinstance(machine.plan(wl(WEB | {"image": "web:2"}, **strategy)).actions[-1], Create)
    sized = wl(machine={"instancetype": {"name": "large"}}, **strategy)
    assert isinstance(machine.plan(sized).actions[0], Change)


def test_a_manifest_that_was_edited_is_put_back() -> None:
    machine = Machine.of(BEFORE)
    machine.manifest = merge_patch(machine.manifest, {"data": {manifests.MANIFEST_FILE: "{}"}})
    [action] = machine.plan(BEFORE).actions
    machine.carry_out(action)
    assert machine.plan(BEFORE).actions == ()


def test_a_refused_resize_in_the_guest_is_told() -> None:
    machine = Machine.of(BEFORE)
    pending = {"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": "too much"}
    machine.report = replace(machine.report, status={"phase": "Running", "conditions": [pending]})
    assert reason(machine.plan(BEFORE)) == ("False", "ResizeInfeasible")


def test_an_earlier_manifest_of_the_same_machine_is_put_right() -> None:
    """Somebody restores the former ConfigMap with its labels and annotations."""
    machine, wanted = Machine.of(BEFORE), ALIKE["an image"]
    earlier = machine.manifest
    machine.carry_out(*machine.plan(wanted).actions)
    machine.carry_out(*machine.plan(wanted).actions)
    machine.take()
    machine.carry_out(*machine.plan(wanted).actions)
    assert reason(machine.plan(wanted)) == ("True", "Ready")
    present, machine.manifest = machine.manifest, earlier
    (action,) = machine.plan(wanted).actions
    assert action.key == f"ConfigMap/{machine.vm['metadata']['name']}/change"
    machine.carry_out(action)
    assert manifests.text(machine.manifest) == manifests.text(present)


def test_a_machine_keeps_the_size_that_an_earlier_operator_gave_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """This operator doesn't resize it by itself, nor replace it for a change that it takes."""

    def of(image: str, memory: str = "90Mi") -> Raw:
        return wl({"name": "web", "image": image, "resources": {"requests": {"memory": memory}}}, machine={})

    with monkeypatch.context() as earlier:
        earlier.setattr(resources, "UNSAID_MEMORY", Decimal(1))
        machine = Machine.of(of("web:1"), {"spec": {"cpu": {"guest": 1}, "memory": {"guest": "346Mi"}}})
    domain = machine.vm["spec"]["template"]["spec"]["domain"]
    assert domain["memory"] == {"guest": "346Mi"}
    assert case(of("web:1"), LIVE).desired.hull_objects[1]["spec"]["template"]["spec"]["domain"][
        "memory"
    ] == {"guest": "768Mi"}
    assert machine.plan(of("web:1")).actions == ()
    for image in ("web:2", "web:3"):
        [changed] = machine.plan(of(image)).actions
        assert isinstance(changed, Change)
        machine.carry_out(changed)
        machine.carry_out(*machine.plan(of(image)).actions)
        machine.take()
        [taken] = machine.plan(of(image)).actions
        machine.carry_out(taken)
        assert reason(machine.plan(of(image))) == ("True", "Ready")
        assert machine.vm["spec"]["template"]["spec"]["domain"] == domain
    assert {type(action) for action in machine.plan(of("web:3", "91Mi")).actions} == {Delete}


def test_a_machine_whose_files_an_earlier_operator_shows_live_takes_a_change() -> None:
    """Its virtiofs file systems stay, and the manifest says so: the guest takes no other manifest."""

    def of(image: str) -> Raw:
        mount = {"name": "v", "mountPath": "/v", "subPath": "a"}
        volumes = {"volumes": [{"name": "v", "configMap": {"name": "c"}}]}
        return wl(WEB | {"image": image, "volumeMounts": [mount]}, pod=volumes)

    machine = Machine.of(of("web:1"))
    devices = machine.vm["spec"]["template"]["spec"]["domain"]["devices"]
    devices["disks"] = [disk for disk in devices["disks"] if disk["name"] != "configmap-1"]
    devices["filesystems"].append({"name": "configmap-1", "virtiofs": {}})
    manifest = json.loads(manifests.text(machine.manifest))
    [_, attached] = manifest["attachments"]
    attached["tag"] = attached.pop("serial")
    machine.manifest["data"]["manifest.json"] = json.dumps(manifest, ensure_ascii=False, sort_keys=True)
    noted = {manifests.DIGEST_ANNOTATION: manifests.digest(manifests.text(machine.manifest))}
    machine.vm["spec"]["template"]["metadata"]["annotations"] |= noted
    machine.take()
    assert machine.plan(of("web:1")).actions == ()
    machine.carry_out(*machine.plan(of("web:2")).actions)
    machine.carry_out(*machine.plan(of("web:2")).actions)
    after = json.loads(manifests.text(machine.manifest))
    assert after["pod"]["spec"]["containers"][0]["image"] == "web:2"
    assert after["attachments"] == manifest["attachments"]
