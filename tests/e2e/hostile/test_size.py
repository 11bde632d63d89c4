"""A tenant's Workloads are as large as the API server takes them, and nobody else notices."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.controlplane import ControlPlane, eventually
from tests.controlplane.api import ApiError
from tests.e2e.hostile.people import Person, is_served, seconds_to_ready
from tests.e2e.operator.subject import Subject, condition, container
from tests.e2e.refusal import refusal
from twinhull.api.podtemplate import podtemplate

Manifest = dict[str, Any]

_CRD = "workloads.twinhull.dev"
_SPEC = "/spec/versions/0/schema/openAPIV3Schema/properties/spec"

#: What is larger than it may be: the field, and the Pod's spec.
LARGE: dict[str, Manifest] = {
    "containers[0].image": {"containers": [container(image="a" * 1_300_000)]},
    "containers": {"containers": [container(name=f"c{n}") for n in range(20_000)]},
    "initContainers": {
        "containers": [container()],
        "initContainers": [container(name=f"i{n}") for n in range(900)],
    },
    "volumes": {
        "containers": [container()],
        "volumes": [
            {"name": f"v{n}", "persistentVolumeClaim": {"claimName": f"c{n}"}} for n in range(14_000)
        ],
    },
    "containers[0].env": {
        "containers": [container(env=[{"name": f"E{n}", "value": ""} for n in range(40_000)])]
    },
    "containers[0].args[0]": {"containers": [container(args=["a" * 1_300_000])]},
    "tolerations": {
        "containers": [container()],
        "tolerations": [{"key": f"k{n}", "operator": "Exists"} for n in range(20_000)],
    },
    "nodeSelector": {"containers": [container()], "nodeSelector": {f"k{n}": "" for n in range(40_000)}},
}

#: The same, but small enough to be held in memory, and so to be measured: what isn't is Unreadable.
STORED: dict[str, Manifest] = {
    "containers[0].image": {"containers": [container(image="a" * 900_000)]},
    "containers": {"containers": [container(name=f"c{n}") for n in range(5_000)]},
    "volumes": {
        "containers": [container()],
        "volumes": [{"name": f"v{n}", "emptyDir": {}} for n in range(5_000)],
    },
    "containers[0].env": {
        "containers": [container(env=[{"name": f"E{n}", "value": ""} for n in range(10_000)])]
    },
}


def _workload(person: Person, name: str, pod: Manifest) -> Manifest:
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name, "namespace": person.namespace},
        "spec": {"template": {"spec": pod}},
    }


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("field", LARGE)
def test_what_is_too_large_is_refused(tenant: Person, field: str) -> None:
    refused = eventually(
        lambda: _refusal(tenant, _workload(tenant, "large", LARGE[field])), 60, "the API server answers"
    )
    assert refused
    assert refused.code == 422
    assert f"spec.template.spec.{field}: Too " in refused.message


def _refusal(person: Person, workload: Manifest) -> ApiError | None:
    """What the API server says against it, None if it hasn't looked through all of it after half a minute."""
    with pytest.raises(ApiError) as refused:
        person.api.create(workload)
    return None if refused.value.code == 504 else refused.value


def _unbounded(schema: Manifest) -> Manifest:
    """A schema as it was before it had bounds, and rules that count on them; labels had theirs."""
    bounded = {
        key: value
        for key, value in schema.items()
        if key != "x-kubernetes-validations"
        and (key not in {"maxItems", "maxLength", "maxProperties"} or value < 128)
    }
    for key in ("items", "additionalProperties"):
        if key in bounded:
            bounded[key] = _unbounded(bounded[key])
    if "properties" in bounded:
        fields = bounded["properties"].items()
        bounded["properties"] = {
            name: below if name == "labels" else _unbounded(below) for name, below in fields
        }
    return bounded


@contextlib.contextmanager
def _before_there_were_bounds(plane: ControlPlane) -> Iterator[None]:
    crd = plane.api.get("CustomResourceDefinition", _CRD)
    assert crd
    present = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    described = present["properties"]["template"]["description"]
    template = {**_unbounded(podtemplate()), "description": described}
    # Without its rules, which cost too much where lists have no bounds.
    earlier = {key: value for key, value in present.items() if key != "x-kubernetes-validations"}
    earlier["properties"] = {**present["properties"], "template": template}
    for schema in (earlier, present):
        change = [{"op": "replace", "path": _SPEC, "value": schema}]
        plane.api.patch("CustomResourceDefinition", _CRD, None, change)
        if schema is earlier:
            yield


def _stored(tenant: Person, manifest: Manifest) -> bool:
    with contextlib.suppress(ApiError):
        tenant.api.create(manifest)
        return True
    return False


def test_what_was_stored_before_says_so_and_slows_nobody(
    simulation: ControlPlane, tenant: Person, neighbour: Subject
) -> None:
    alone = seconds_to_ready(neighbour)
    names = {field: f"w{number}" for number, field in enumerate(STORED)}
    with _before_there_were_bounds(simulation):
        for field, name in names.items():
            manifest = _workload(tenant, name, STORED[field])
            neighbour.eventually(partial(_stored, tenant, manifest), f"{field} is stored")
    probe = _workload(tenant, "probe", LARGE["initContainers"])
    neighbour.eventually(lambda: "Too many" in refusal(tenant.api, probe), "the bounds are back")
    # What else the machine does makes some of them late, and not all.
    assert any(seconds_to_ready(neighbour) < 2 * alone + 5 for _ in range(6))

    for field, name in names.items():
        # The API server takes a change beside what is too large, from its owner and in the status.
        tenant.api.patch("Workload", name, tenant.namespace, {"spec": {"state": "Stopped"}})
        large = Subject(simulation, tenant.namespace, name, neighbour.alive)
        status, reason, message = condition(large.becomes("TooLarge"), "Stalled")
        assert (status, reason) == ("True", "TooLarge")
        assert message.startswith(f"spec.template.spec.{field}: has ")
        assert large.belongings() == {}


@pytest.mark.usefixtures("operator")
def test_a_workload_with_much_to_say_says_some_of_it(tenant: Person, simulation: ControlPlane) -> None:
    volumes = [{"name": f"v{n}", "persistentVolumeClaim": {"claimName": f"c{n}"}} for n in range(200)]
    tenant.api.create(_workload(tenant, "web", {"containers": [container()], "volumes": volumes}))
    web = Subject(simulation, tenant.namespace)
    found = web.becomes("ClaimMissing")
    lacks = found["status"]["lacks"]
    assert len(lacks) == 32
    assert lacks[-1] == {"reason": "ClaimMissing", "message": "and 169 more"}
    assert condition(found, "Stalled")[2].endswith("; and 192 more")


def test_strangers_with_a_workloads_label_are_looked_past(
    tenant: Person, simulation: ControlPlane, neighbour: Subject
) -> None:
    """Those that say that they are its own are too, but for some that have the name of a manifest."""
    web = Subject(simulation, tenant.namespace, alive=neighbour.alive)
    web.apply("Container")
    uid = web.becomes("Ready")["metadata"]["uid"]
    owner = {"apiVersion": "twinhull.dev/v1alpha1", "kind": "Workload", "name": "web", "uid": uid}
    about = {"namespace": tenant.namespace, "labels": {"twinhull.dev/workload": "web"}}
    made = [f"web-1{number:09}" for number in range(20)]
    others = [f"m{number}" for number in range(150)]
    for number, name in enumerate([*made, *others]):
        owners = [] if number % 2 and name in others else [{**owner, "controller": True}]
        metadata = {**about, "name": name, "ownerReferences": owners}
        tenant.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    is_served(neighbour)
    web.eventually(lambda: sorted(web.belongings()["ConfigMap"]) == sorted(others), "no others are left")
    web.change(state="Stopped")
    web.becomes("Stopped")
