"""What a hull is made from, as a hash: the same for ever, since another would restart everything."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.workload import WorkloadSpec
from twinhull.core.revision import FORMAT, Content
from twinhull.hulls import pod

CONTAINER, SANDBOX, MACHINE = Isolation

TEMPLATE: Raw = {"spec": {"containers": [{"name": "web", "image": "nginx:1.29"}]}}
LABELLED: Raw = {"metadata": {"labels": {"app": "web"}, "annotations": {"a": "b"}}, **TEMPLATE}
BUILT: Raw = {
    "instancetype": {"name": "u1.small"},
    "preference": {"name": "linux", "kind": "VirtualMachinePreference"},
    "firmware": {"bootloader": "UEFI", "secureBoot": True, "tpm": True},
    "guestImage": "guest:1",
    "overrides": {"domain": {"cpu": {"model": "host-model"}}, "hostname": None},
}


def of(isolation: Isolation, runtime_class: str | None = None, template: Raw = TEMPLATE, **spec: Any) -> str:
    return content(isolation, runtime_class, template, **spec).revision


def content(
    isolation: Isolation, runtime_class: str | None = None, template: Raw = TEMPLATE, **spec: Any
) -> Content:
    return Content(WorkloadSpec.model_validate({"template": template, **spec}), isolation, runtime_class)


@pytest.mark.parametrize(
    ("spec", "isolation", "runtime_class", "known"),
    [
        ({}, CONTAINER, None, "29fe70c6cb"),
        ({}, SANDBOX, "gvisor", "23b2486eb6"),
        ({}, MACHINE, None, "21dbff149d"),
        ({"template": LABELLED}, CONTAINER, None, "23e9b4d184"),
        ({"template": LABELLED, "virtualMachine": BUILT}, MACHINE, None, "23e175c639"),
    ],
)
def test_revision_is_the_same_for_ever(
    spec: Raw, isolation: Isolation, runtime_class: str | None, known: str
) -> None:
    """When this fails, upgrading the operator would replace every hull: give the new way another FORMAT."""
    assert of(isolation, runtime_class, **spec) == known


def test_revision_says_how_it_was_made() -> None:
    assert of(CONTAINER)[0] == FORMAT == "2"
    assert len(of(CONTAINER)) == 10


def test_hull_name_fits_a_label() -> None:
    assert len(pod.hull_name("w" * 50, of(CONTAINER))) <= 63


@pytest.mark.parametrize("isolation", Isolation)
@pytest.mark.parametrize(
    "spec",
    [
        {"isolationPolicy": "Auto"},
        {"state": "Stopped"},
        {"replacement": {"progressDeadlineSeconds": 1}},
        {"service": {"enabled": False, "type": "LoadBalancer"}},
        {"sandbox": {"runtimeClassName": "other"}},
        {"virtualMachine": {}},
        {"virtualMachine": {"os": "Linux"}},
        {"template": {"metadata": {}, **TEMPLATE}},
        {"template": {"metadata": {"labels": {}, "annotations": {}, "finalizers": []}, **TEMPLATE}},
        {"template": {"metadata": {"creationTimestamp": None}, **TEMPLATE}},
    ],
)
def test_what_leaves_no_trace(isolation: Isolation, spec: Raw) -> None:
    assert of(isolation, **spec) == of(isolation)


@pytest.mark.parametrize("isolation", [CONTAINER, SANDBOX])
def test_how_a_machine_is_built_leaves_no_trace_in_a_pod(isolation: Isolation) -> None:
    assert of(isolation, virtualMachine=BUILT) == of(isolation)


@pytest.mark.parametrize(("field", "value"), [*BUILT.items(), ("guestImagePullSecret", "registry")])
def test_how_a_machine_is_built_makes_another_machine(field: str, value: object) -> None:
    assert of(MACHINE, virtualMachine={field: value}) != of(MACHINE)


@pytest.mark.parametrize(
    "template",
    [
        LABELLED,
        {"metadata": {"finalizers": ["example.com/x"]}, **TEMPLATE},
        {"spec": {"containers": [{"name": "web", "image": "nginx:1.30"}]}},
        {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}},
        {"spec": {**TEMPLATE["spec"], "runtimeClassName": "kata"}},
    ],
)
def test_another_template_makes_another_hull(template: Raw) -> None:
    assert of(CONTAINER, template=template) != of(CONTAINER)


def test_another_isolation_makes_another_hull() -> None:
    found = [of(CONTAINER), of(SANDBOX, "gvisor"), of(SANDBOX, "kata"), of(MACHINE)]
    assert len(set(found)) == len(found)


def test_order_of_keys_means_nothing() -> None:
    labels = {"a": "1", "b": "2"}
    swapped = dict(reversed(labels.items()))
    first, second = ({"metadata": {"labels": order}, **TEMPLATE} for order in (labels, swapped))
    assert of(CONTAINER, template=first) == of(CONTAINER, template=second)


def test_machine_keeps_running_with_another_instancetype_of_the_cluster_alone() -> None:
    """One of the namespace may have brought what a floor refuses, and that stays until the machine goes."""

    def of_machine(name: str, scope: str) -> str:
        named = {"name": name, "kind": f"VirtualMachine{scope}Instancetype"}
        return content(MACHINE, virtualMachine={"instancetype": named}).fixed_in_machine

    assert of_machine("small", "Cluster") == of_machine("large", "Cluster")
    assert len({of_machine("small", "Cluster"), of_machine("small", ""), of_machine("large", "")}) == 3


@pytest.mark.parametrize(
    ("spec", "isolation", "runtime_class", "known"),
    [
        ({}, CONTAINER, None, "19fe70c6cb"),
        ({}, SANDBOX, "gvisor", "13b2486eb6"),
        ({}, MACHINE, None, "11dbff149d"),
        ({"template": LABELLED}, CONTAINER, None, "13e9b4d184"),
        ({"template": LABELLED, "virtualMachine": BUILT}, MACHINE, None, "13e175c639"),
    ],
)
def test_revision_of_an_earlier_operator_is_known(
    spec: Raw, isolation: Isolation, runtime_class: str | None, known: str
) -> None:
    """When this fails, upgrading the operator would replace what an earlier one has made."""
    assert content(isolation, runtime_class, **spec).former.revision == known
