"""What runs isn't replaced because its template is written in another way, nor because an earlier operator
made it, which gave its revision another name.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Action, Change, Create, Delete
from twinhull.core.case import Case
from twinhull.core.plan import plan
from twinhull.core.revision import FORMER
from twinhull.hulls import manifest as manifests
from twinhull.hulls.applied import APPLIED_ANNOTATION
from twinhull.hulls.hull import REVISION_LABEL
from twinhull.hulls.manifest import DIGEST_ANNOTATION
from twinhull.hulls.merge import merge_patch
from twinhull.hulls.report import Report

from .objects import GVISOR, KUBEVIRT, as_asked, case, conditions, ended, running, terminated, workload

LIVE: Raw = KUBEVIRT | {"spec": {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]}}}
WEB: Raw = {"name": "web", "image": "web:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
#: The same, as another version of a chart prints it.
WRITTEN_OTHERWISE: Raw = {
    "name": "web",
    "image": "web:1",
    "imagePullPolicy": "IfNotPresent",
    "env": [],
    "args": None,
    "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 1}},
}
SPECS: dict[str, Raw] = {
    "Container": {"isolationPolicy": "Container"},
    "Sandbox": {"isolationPolicy": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}},
    "VirtualMachine": {"isolationPolicy": "VirtualMachine"},
}


def wl(isolation: str, container: Raw = WEB, **pod: Any) -> Raw:
    template = {"spec": {"containers": [container], **pod}}
    return workload({**SPECS[isolation], "service": {"enabled": False}, "template": template})


class Cluster:
    """A Workload's objects, as they are in the cluster."""

    def __init__(self, raw: Raw, *, formerly: bool, noted: bool = True) -> None:
        made = case(raw, LIVE, GVISOR)
        text = json.dumps(made.desired.hull_objects)
        if formerly:
            content = made.blueprint.content.former
            text = text.replace(made.blueprint.revision, content.revision)
            text = text.replace(made.blueprint.applied_to_pod.fixed, made.blueprint._fixed.former.fixed)  # noqa: SLF001
            if made.hull_type.has_guest:
                text = text.replace(made.blueprint.applied_to_machine.fixed, content.fixed_in_machine)
        self.objects = {obj["kind"]: obj for obj in json.loads(text)}
        self.hull = next(kind for kind in ("VirtualMachine", "Pod") if kind in self.objects)
        self.reports: dict[str, Report] = {}
        self.start()
        if not noted:
            del self.objects[self.hull]["metadata"]["annotations"][APPLIED_ANNOTATION]

    def start(self) -> None:
        hull = self.objects[self.hull]
        if self.hull == "Pod":
            hull["status"] = running()
            return
        text = manifests.text(self.objects["ConfigMap"])
        annotations = hull["spec"]["template"]["metadata"]["annotations"]
        annotations[DIGEST_ANNOTATION] = manifests.digest(text)
        hull["status"] = {"conditions": conditions("True"), "printableStatus": "Running"}
        metadata = {
            "name": hull["metadata"]["name"],
            "labels": hull["spec"]["template"]["metadata"]["labels"],
            "ownerReferences": [
                {
                    "apiVersion": "kubevirt.io/v1",
                    "kind": "VirtualMachine",
                    "name": hull["metadata"]["name"],
                    "uid": f"uid-{hull['metadata']['name']}",
                    "controller": True,
                }
            ],
        }
        domain = hull["spec"]["template"]["spec"]["domain"]
        status = {"phase": "Running", "conditions": [{"type": "LiveMigratable", "status": "True"}]}
        self.objects["VirtualMachineInstance"] = {
            "kind": "VirtualMachineInstance",
            "metadata": metadata,
            "spec": {"domain": {"cpu": domain["cpu"], "memory": domain["memory"]}},
            "status": status,
        }
        report = Report({"phase": "Running"}, manifest=manifests.digest(text))
        self.reports[f"uid-{metadata['name']}"] = report

    def case(self, raw: Raw) -> Case:
        return case(raw, LIVE, GVISOR, *self.objects.values(), reports=self.reports)

    def decides(self, raw: Raw) -> tuple[Action, ...]:
        return plan(self.case(raw)).actions

    def carry_out(self, *actions: Action) -> None:
        for action in actions:
            assert isinstance(action, Change)
            self.objects[action.kind] = merge_patch(self.objects[action.kind], action.patch)

    @property
    def revision(self) -> str:
        label: str = self.objects[self.hull]["metadata"]["labels"][REVISION_LABEL]
        return label


@pytest.mark.parametrize("isolation", SPECS)
def test_another_way_to_write_it_changes_nothing(isolation: str) -> None:
    cluster = Cluster(wl(isolation), formerly=False)
    assert cluster.decides(wl(isolation)) == ()
    assert cluster.decides(wl(isolation, WRITTEN_OTHERWISE)) == ()


@pytest.mark.parametrize("noted", [True, False])
@pytest.mark.parametrize("isolation", SPECS)
def test_what_an_earlier_operator_made_is_noted_once_and_goes_on(isolation: str, noted: bool) -> None:  # noqa: FBT001
    cluster = Cluster(wl(isolation), formerly=True, noted=noted)
    assert cluster.revision.startswith(FORMER)

    (event,) = cluster.decides(wl(isolation))
    assert isinstance(event, Change)
    assert event.patch.keys() == {"metadata"}
    assert event.patch["metadata"].keys() == {"annotations"}
    assert event.patch["metadata"]["annotations"].keys() == {APPLIED_ANNOTATION}
    cluster.carry_out(event)

    assert cluster.revision.startswith(FORMER)
    assert cluster.decides(wl(isolation)) == ()
    assert cluster.decides(wl(isolation, WRITTEN_OTHERWISE)) == ()
    assert cluster.case(wl(isolation, WRITTEN_OTHERWISE)).revision == cluster.revision


@pytest.mark.parametrize("noted", [True, False])
@pytest.mark.parametrize("isolation", SPECS)
def test_what_an_earlier_operator_made_is_changed_in_place(isolation: str, noted: bool) -> None:  # noqa: FBT001
    cluster = Cluster(wl(isolation), formerly=True)
    if noted:
        cluster.carry_out(*cluster.decides(wl(isolation)))
    container = (WRITTEN_OTHERWISE if noted else WEB) | {"image": "web:2"}
    actions = cluster.decides(wl(isolation, container))
    assert [type(action) for action in actions] == [Change]
    cluster.carry_out(*actions)
    assert not cluster.revision.startswith(FORMER)


@pytest.mark.parametrize("isolation", SPECS)
def test_what_differs_is_replaced(isolation: str) -> None:
    cluster = Cluster(wl(isolation), formerly=True)
    cluster.carry_out(*cluster.decides(wl(isolation)))
    other = wl(isolation, WRITTEN_OTHERWISE | {"command": ["other"]})
    assert any(isinstance(action, Delete) for action in cluster.decides(other))


def test_a_note_of_a_revision_that_an_earlier_operator_has_changed_since_is_none() -> None:
    cluster = Cluster(wl("Container"), formerly=True)
    cluster.carry_out(*cluster.decides(wl("Container")))
    cluster.objects["Pod"]["metadata"]["labels"][REVISION_LABEL] = "1000000000"
    assert cluster.decides(wl("Container")) != ()
    assert cluster.case(wl("Container")).current is None


def test_other_amounts_are_given_whatever_they_are_written_as() -> None:
    cluster = Cluster(wl("Container"), formerly=False)
    more = WRITTEN_OTHERWISE | {"resources": {"limits": {"cpu": "1000m", "memory": "2048Mi"}}}
    noted, resize, last = cluster.decides(wl("Container", more))
    assert all(isinstance(action, Change) for action in (noted, resize, last))


def job(container: Raw, status: Raw | None = None) -> Raw:
    raw = wl("Container", container, restartPolicy="Never")
    return raw | ({"status": status} if status else {})


def test_a_run_that_an_earlier_operator_saw_end_isnt_repeated() -> None:
    cluster = Cluster(job(WEB), formerly=True)
    cluster.objects["Pod"]["status"] = ended("Succeeded", terminated("web", 0))
    last = plan(cluster.case(as_asked(job(WEB)))).status
    assert last is not None
    assert last.exit is not None
    assert (last.exit.revision, last.exit.canonical) == (cluster.revision, case(job(WEB)).blueprint.revision)

    # Its Pod is tidied away; and what an earlier operator's status says doesn't name the present revision.
    status = last.raw()
    for remembered in (status, {**status, "exit": {**status["exit"], "canonical": None}}):
        after = plan(case(job(WEB, remembered)))
        assert not any(isinstance(action, Create) for action in after.actions)
    assert not any(
        isinstance(action, Create) for action in plan(case(job(WRITTEN_OTHERWISE, status))).actions
    )
    other = job(WRITTEN_OTHERWISE | {"command": ["other"]}, status)
    assert any(isinstance(action, Create) for action in plan(case(other)).actions)
