"""A Sandbox: a Pod with a RuntimeClass, never without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane import Api
from tests.e2e.operator.situations.admission import probe_of, until_refused
from tests.e2e.operator.subject import Manifest, Subject, condition

pytestmark = pytest.mark.simulated


def runtime_class(name: str) -> Manifest:
    return {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": name},
        "handler": "runsc",
    }


@pytest.fixture
def gvisor(api: Api) -> Iterator[str]:
    api.create(runtime_class("gvisor"))
    yield "gvisor"
    api.delete("RuntimeClass", "gvisor")


def test_sandbox_is_a_pod_with_the_runtime_class(web: Subject, gvisor: str) -> None:
    web.apply("Sandbox", sandbox={"runtimeClassName": gvisor})
    workload = web.becomes("Ready")

    assert web.hull()["kind"] == "Pod"
    assert web.hull()["spec"]["runtimeClassName"] == gvisor
    assert workload["status"]["isolation"]["resolved"] == "Sandbox"


def test_missing_runtime_class_stalls_and_is_picked_up_when_it_appears(web: Subject, api: Api) -> None:
    web.apply("Sandbox", sandbox={"runtimeClassName": "late"})
    workload = web.becomes("RuntimeClassMissing")

    sentence = "RuntimeClass late does not exist: create it, or name another in spec.sandbox.runtimeClassName"
    for kind in ("Stalled", "Ready", "IsolationResolved"):
        truth = "True" if kind == "Stalled" else "False"
        assert condition(workload, kind) == (truth, "RuntimeClassMissing", sentence)
    assert web.belongings() == {}

    api.create(runtime_class("late"))
    web.becomes("Ready")
    assert web.hull()["spec"]["runtimeClassName"] == "late"
    api.delete("RuntimeClass", "late")


def test_sandbox_without_any_runtime_class_named_stalls(web: Subject) -> None:
    web.apply("Sandbox")
    sentence = (
        "no RuntimeClass is named for the sandbox: set spec.sandbox.runtimeClassName, "
        "or the operator's --sandbox-runtime-class"
    )
    workload = web.becomes("RuntimeClassMissing")
    assert condition(workload, "Stalled") == ("True", "RuntimeClassMissing", sentence)


def test_sandbox_outlives_its_runtime_class(web: Subject, api: Api) -> None:
    api.create(runtime_class("brief"))
    web.apply("Sandbox", sandbox={"runtimeClassName": "brief"})
    web.becomes("Ready")
    old = web.hull()["metadata"]

    api.delete("RuntimeClass", "brief")
    # No Pod can have it any more, and a second Workload tells when the operator has seen that.
    probe = probe_of(web.namespace)
    probe["spec"]["runtimeClassName"] = "brief"
    until_refused(web.cluster, probe, "RuntimeClass")
    other = web.named("other")
    other.apply("Sandbox", sandbox={"runtimeClassName": "brief"})
    other.becomes("RuntimeClassMissing")

    assert condition(web.get(), "Ready")[0] == "True"
    assert web.hull()["metadata"]["uid"] == old["uid"]


def test_another_runtime_class_is_another_pod(web: Subject, api: Api, gvisor: str) -> None:
    api.create(runtime_class("kata"))
    web.apply("Sandbox", sandbox={"runtimeClassName": gvisor})
    web.becomes("Ready")
    old = web.hull()["metadata"]

    web.change(sandbox={"runtimeClassName": "kata"})
    web.becomes("Ready")

    assert web.hull()["spec"]["runtimeClassName"] == "kata"
    assert web.hull()["metadata"]["name"] != old["name"]
    assert web.belongings() == {"Pod": [web.hull()["metadata"]["name"]]}
    api.delete("RuntimeClass", "kata")
