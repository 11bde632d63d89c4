"""Drift: what somebody changes or deletes of a Workload is put back, and told; how fast is printed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.controlplane import Api
from tests.e2e.operator.subject import WORKLOAD_LABEL, Manifest, Subject, container, template

pytestmark = pytest.mark.simulated

SERVED = template(containers=[container(ports=[{"containerPort": 80}])])
KINDS = {"Container": "Pod", "VirtualMachine": "VirtualMachine"}


def corrected(web: Subject, what: str, drift: Callable[[], object], check: Callable[[], object]) -> None:
    """Bring a drift about, and see it corrected."""
    began = time.monotonic()
    drift()
    web.eventually(check, f"{what} is put back")
    print(f"\n{what}: put back after {time.monotonic() - began:.2f} s", end="")


def label(web: Subject, kind: str, name: str, **labels: str | None) -> Manifest:
    named = {f"twinhull.dev/{key.replace('_', '-')}": value for key, value in labels.items()}
    return web.cluster.api.patch(kind, name, web.namespace, {"metadata": {"labels": named}})


def test_deleted_service(web: Subject, api: Api) -> None:
    web.apply(pod_template=SERVED)
    web.becomes("Ready")
    uid = web.one("Service", "web")["metadata"]["uid"]
    corrected(
        web,
        "a deleted Service",
        lambda: api.delete("Service", "web", web.namespace),
        lambda: web.one("Service", "web")["metadata"]["uid"] != uid,
    )
    note = "created Service web again, which somebody had deleted"
    assert ("Warning", "DriftCorrected", note) in web.gets_event("DriftCorrected")


def test_changed_service(web: Subject, api: Api) -> None:
    web.apply(pod_template=SERVED)
    web.becomes("Ready")
    corrected(
        web,
        "a changed Service",
        lambda: api.patch("Service", "web", web.namespace, {"spec": {"selector": {"app": "theirs"}}}),
        lambda: web.one("Service", "web")["spec"]["selector"] == {WORKLOAD_LABEL: "web"},
    )
    note = "restored spec.selector of Service web"
    assert ("Warning", "DriftCorrected", note) in web.gets_event("DriftCorrected")


def test_a_change_of_the_spec_is_no_drift(web: Subject) -> None:
    web.apply(pod_template=SERVED)
    web.becomes("Ready")
    web.change(service={"type": "NodePort"})
    web.eventually(lambda: web.one("Service", "web")["spec"]["type"] == "NodePort", "the type is changed")
    web.becomes("Ready")
    events = web.all_events()
    assert ("Normal", "ServiceChanged", "changed Service web to match the spec") in events
    assert "DriftCorrected" not in [reason for _, reason, _ in events]


def test_deleted_and_changed_manifest(web: Subject, api: Api) -> None:
    web.apply("VirtualMachine")
    name = web.becomes("Ready")["status"]["hull"]["name"]
    manifest = web.one("ConfigMap", name)
    corrected(
        web,
        "a changed manifest",
        lambda: api.patch("ConfigMap", name, web.namespace, {"data": {"manifest.json": "{}"}}),
        lambda: web.one("ConfigMap", name)["data"] == manifest["data"],
    )
    note = f"restored the manifest in ConfigMap {name}"
    assert ("Warning", "DriftCorrected", note) in web.gets_event("DriftCorrected")
    corrected(
        web,
        "a deleted manifest",
        lambda: api.delete("ConfigMap", name, web.namespace),
        lambda: web.one("ConfigMap", name)["metadata"]["uid"] != manifest["metadata"]["uid"],
    )
    note = f"created ConfigMap {name} again, which somebody had deleted"
    assert ("Warning", "DriftCorrected", note) in web.gets_event("DriftCorrected", times=2)
    assert web.one("ConfigMap", name)["data"] == manifest["data"]


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_deleted_hull(web: Subject, api: Api, isolation: str) -> None:
    web.apply(isolation)
    web.becomes("Ready")
    kind, old = KINDS[isolation], web.hull()["metadata"]
    what = f"{kind} {old['name']}"
    corrected(
        web,
        f"a deleted {kind}",
        lambda: api.delete(kind, old["name"], web.namespace),
        lambda: web.one(kind, old["name"])["metadata"]["uid"] != old["uid"],
    )
    web.becomes("Ready")
    note = f"created {what} again (isolation {isolation})"
    assert ("Normal", "Created", note) in web.gets_event("Created", times=2)


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
@pytest.mark.parametrize(
    ("key", "value"),
    [("workload", None), ("workload", "other"), ("hull", None), ("revision", None), ("hull_name", "other")],
)
def test_changed_labels_of_a_hull(web: Subject, isolation: str, key: str, value: str | None) -> None:
    if (isolation, key) == ("VirtualMachine", "hull_name"):
        pytest.skip("a machine's launcher Pod has that one, and it can't be seen there")
    web.apply(isolation)
    web.becomes("Ready")
    kind, old = KINDS[isolation], web.hull()["metadata"]
    name = old["name"]
    corrected(
        web,
        f"the label {key} of a {kind}, made {value},",
        lambda: label(web, kind, name, **{key: value}),
        lambda: web.one(kind, name)["metadata"]["labels"] == old["labels"],
    )
    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] == old["uid"], "it isn't made anew for a label"
    web.gets_event("DriftCorrected")


def test_labels_that_others_add_to_a_hull_stay(web: Subject, api: Api) -> None:
    web.apply("Container")
    web.becomes("Ready")
    name = web.hull()["metadata"]["name"]
    api.patch("Pod", name, web.namespace, {"metadata": {"labels": {"mesh": "in"}}})
    web.change(service={"type": "NodePort"})
    web.becomes("Ready")
    assert web.one("Pod", name)["metadata"]["labels"]["mesh"] == "in"


def test_a_machine_that_is_changed_by_hand_is_not_restarted_and_says_so(web: Subject, api: Api) -> None:
    web.apply("VirtualMachine")
    web.becomes("Ready")
    hull = web.hull()
    name, spec = hull["metadata"]["name"], {"template": {"spec": {"terminationGracePeriodSeconds": 99}}}
    instance = web.one("VirtualMachineInstance", name)["metadata"]["uid"]

    api.patch("VirtualMachine", name, web.namespace, {"spec": spec})

    workload = web.becomes("MachineEdited")
    assert workload["status"]["hull"]["ready"]
    assert web.one("VirtualMachineInstance", name)["metadata"]["uid"] == instance
    web.gets_event("MachineEdited")

    web.annotate("Workload", "web", **{"twinhull.dev/restart": "1"})
    web.eventually(lambda: web.hull()["metadata"]["name"] != name, "another machine takes its place")
    web.becomes("Ready")
    assert web.hull()["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] != 99
