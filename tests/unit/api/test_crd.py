"""What can be told of the CRD without an API server; tests/e2e/test_workload_api.py asks a real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from twinhull.api.base import Raw
from twinhull.api.crd import crds, workloads

ROOT = Path(__file__).parents[3]

#: A client-side `kubectl apply` puts the object as JSON into an annotation, and this is what an object's
#: annotations may have together: TotalAnnotationSizeLimitB in k8s.io/apimachinery pkg/api/validation.
ANNOTATIONS_LIMIT = 262_144


def nodes(schema: Raw, path: str = "") -> Iterator[tuple[str, Raw]]:
    """Every schema below and including `schema`, by its path from the root."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


@pytest.fixture(scope="module")
def schema() -> Raw:
    (version,) = workloads()["spec"]["versions"]
    found: Raw = version["schema"]["openAPIV3Schema"]
    return found


@pytest.fixture(scope="module")
def ours(schema: Raw) -> dict[str, Raw]:
    """What doesn't come from Kubernetes' own types."""
    return {path: node for path, node in nodes(schema) if not path.startswith(".spec.template.")}


@pytest.fixture(scope="module")
def template(schema: Raw) -> dict[str, Raw]:
    """What does."""
    return dict(nodes(schema["properties"]["spec"]["properties"]["template"]))


def test_every_crd_is_printed() -> None:
    kinds = ("accessrequests", "isolationpolicies", "workloads")
    names = [f"{kind}.twinhull.dev" for kind in kinds]
    assert [crd["metadata"]["name"] for crd in crds()] == names


@pytest.mark.parametrize("name", [crd["metadata"]["name"] for crd in crds()])
def test_plain_apply_has_room_for_the_crd(name: str) -> None:
    (crd,) = (crd for crd in crds() if crd["metadata"]["name"] == name)
    assert len(json.dumps(crd, separators=(",", ":"))) < 190_000 < ANNOTATIONS_LIMIT
    assert len((ROOT / f"crds/{name}.yaml").read_bytes()) < 360_000


def unstored(value: object, path: str) -> Iterator[str]:
    """The values that the API server drops when it stores a definition: empty ones, by the types of
    k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/v1, whose fields are `omitempty`. Numbers and
    `subresources.status` are pointers there, and JSON in a schema (`default`, `enum`) is stored as it is.
    """
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not value and not is_number and not path.endswith(".subresources.status"):
        yield path
    entries = dict(enumerate(value)) if isinstance(value, list) else value
    for key, below in entries.items() if isinstance(entries, dict) else ():
        if path.endswith(".properties") or key not in {"default", "enum"}:
            yield from unstored(below, f"{path}.{key}")


@pytest.mark.parametrize("crd", crds(), ids=lambda crd: str(crd["metadata"]["name"]))
def test_the_api_server_stores_a_definition_as_it_is_applied(crd: Raw) -> None:
    """`versions` is a list without keys: to Argo CD all of it differs if one value is lost."""
    assert list(unstored(crd["spec"], "spec")) == []
    priorities = [column.get("priority") for column in crd["spec"]["versions"][0]["additionalPrinterColumns"]]
    assert 0 not in priorities, "0 is as good as absent"


def test_every_field_of_our_own_is_described(ours: dict[str, Raw]) -> None:
    assert [path for path, node in ours.items() if "description" not in node and path != ".metadata"] == []


def test_of_the_template_only_its_two_parts_are_described(template: dict[str, Raw]) -> None:
    described = {path: node["description"] for path, node in template.items() if "description" in node}
    assert described.keys() == {"", ".metadata", ".spec"}
    assert "kubectl explain pod.metadata" in described[".metadata"]
    assert "kubectl explain pod.spec" in described[".spec"]


def test_every_node_has_a_type(schema: Raw) -> None:
    typeless = ("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields")
    assert [path for path, node in nodes(schema) if "type" not in node and not node.keys() & typeless] == []


def test_keys_of_list_maps_are_always_there(schema: Raw) -> None:
    for path, node in nodes(schema):
        for key in node.get("x-kubernetes-list-map-keys", []):
            item = node["items"]
            assert key in item.get("required", []) or "default" in item["properties"][key], (path, key)


def test_defaults_turn_up_at_the_top_of_spec_or_in_what_was_given(ours: dict[str, Raw]) -> None:
    defaulted = {path: node["default"] for path, node in ours.items() if "default" in node}
    objects = {path: default for path, default in defaulted.items() if ours[path]["type"] == "object"}
    assert objects == {".status": {"observedGeneration": -1}}
    assert {path: default for path, default in defaulted.items() if path.count(".") == 2} == {
        ".spec.isolationPolicy": "Auto",
        ".spec.state": "Running",
        ".status.observedGeneration": -1,
    }


def test_nothing_in_a_list_has_a_default(schema: Raw) -> None:
    """It would turn up in what was sent, and `kubectl apply` would change the list back each time."""
    paths = [path for path, node in nodes(schema["properties"]["spec"]) if "default" in node]
    assert [path for path in paths if "[]" in path] == []


def test_template_has_no_default(template: dict[str, Raw]) -> None:
    assert [path for path, node in template.items() if "default" in node] == []


def test_everything_in_the_template_may_be_null_but_what_must_be_there(template: dict[str, Raw]) -> None:
    needed = {
        f"{path}{below}.{name}"
        for path, node in template.items()
        for below, schema in (("", node), ("[]", node.get("items", {})))
        for name in (*schema.get("required", ()), *node.get("x-kubernetes-list-map-keys", ()))
    }
    fields = {path for path in template if path and not path.endswith("[]")}
    assert {path for path in fields if not template[path].get("nullable")} == fields & needed


def test_everything_in_the_template_is_bounded(template: dict[str, Raw]) -> None:
    def is_bounded(node: Raw) -> bool:
        match node.get("type"):
            case "array":
                return "maxItems" in node
            case "object":
                return "additionalProperties" not in node or "maxProperties" in node
            case "string":
                return bool({"enum", "format", "maxLength"} & node.keys())
            case "boolean" | "integer" | "number":
                return True
        return "maxLength" in node

    assert [path for path, node in template.items() if not is_bounded(node)] == []


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".spec.restartPolicy", ["", "Always", "Never", "OnFailure"]),
        (".spec.containers[].imagePullPolicy", ["", "Always", "IfNotPresent", "Never"]),
        (".spec.containers[].ports[].protocol", ["", "SCTP", "TCP", "UDP"]),
        (".spec.initContainers[].restartPolicy", ["Always", "Never", "OnFailure"]),
        (".spec.tolerations[].effect", ["", "NoExecute", "NoSchedule", "PreferNoSchedule"]),
    ],
)
def test_template_knows_the_values_of(template: dict[str, Raw], path: str, values: list[str]) -> None:
    assert template[path]["allOf"] == [{"enum": values}]


def test_template_has_no_ephemeral_containers(template: dict[str, Raw]) -> None:
    assert "ephemeralContainers" not in template[".spec"]["properties"]
