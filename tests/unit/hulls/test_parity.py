"""The parity table, held against the schema of the committed CRD."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.hulls.objections import unsupported
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.hulls.parity import TABLE, Fate, ParityRow, speaking_for

ROOT = Path(__file__).parents[3]
EVERYTHING = yaml.load((ROOT / "tests/podtemplate/everything.yaml").read_text("utf-8"), yaml.CSafeLoader)
CRD = yaml.load((ROOT / "crds/workloads.twinhull.dev.yaml").read_text("utf-8"), yaml.CSafeLoader)


def fields(schema: Raw, path: str = "") -> Iterator[tuple[str, Raw]]:
    """Every field of a schema by its path in the table; a map's values aren't fields."""
    for name, field in schema.get("properties", {}).items():
        at = f"{path}.{name}".lstrip(".")
        yield at, field
        yield from fields(field, at)
        yield from fields(field.get("items", {}), f"{at}[]")


def template_schema() -> Raw:
    (version,) = CRD["spec"]["versions"]
    schema: Raw = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["template"]
    return schema


def above(path: str) -> Iterator[str]:
    """Every field above this one."""
    while "." in path:
        path = path.rpartition(".")[0].removesuffix("[]")
        yield path


FIELDS = dict(fields(template_schema()))
ROWS = {row.path: row for row in TABLE}
#: What is only there to hold other fields: each of those is walked by itself.
GROUPS = {group for row in TABLE for group in above(row.path)} - ROWS.keys()
REFUSING = [row for row in TABLE if row.refusal]


def test_every_field_has_a_row() -> None:
    assert [path for path in FIELDS if path not in GROUPS and speaking_for(path) is None] == []


def test_every_row_is_a_field() -> None:
    assert [path for path in ROWS if path not in FIELDS] == []


def test_no_field_has_two_rows() -> None:
    assert len(ROWS) == len(TABLE)


def test_no_row_lies_below_one_that_speaks_for_all() -> None:
    assert [path for path in ROWS if any(ROWS[up].below for up in above(path) if up in ROWS)] == []


def test_field_that_nobody_thought_of_has_no_row() -> None:
    assert speaking_for("spec.containers[].unheardOf") is None
    assert speaking_for("spec.unheardOf") is None
    assert speaking_for("spec.affinity.unheardOf") is ROWS["spec.affinity"], "KubeVirt's own is the API's"


def test_refusal_says_what_to_do() -> None:
    advice = ("remove it", "use ", "set ")
    assert [row.path for row in REFUSING if not any(word in row.refusal for word in advice)] == []


def test_row_of_a_refused_field_has_a_refusal() -> None:
    assert [row.path for row in TABLE if row.fate is Fate.REFUSED and not row.refusal] == []


def test_by_the_machine_says_how() -> None:
    assert [row.path for row in TABLE if row.fate is Fate.MACHINE and not row.why] == []


def template(path: str, value: Any) -> Raw:
    """A template with one field set; lists on the way have one element, named x."""
    made: Any = value
    for step in reversed(path.split(".")):
        made = {step.removesuffix("[]"): [{"name": "x", **made}] if step.endswith("[]") else made}
    whole: Raw = made
    return whole | {"spec": whole.get("spec", {})}


def listed_at(row: ParityRow, value: Any, **how: Any) -> str | None:
    """Why a row's field is listed at a value, None if it isn't."""
    found = {field.path: field.reason for field in unsupported(template(row.path, value), **how)}
    return found.get(row.path.replace("[]", "[x]"))


def samples(row: ParityRow) -> list[Any]:
    """Values of a field that mean something."""
    schema = FIELDS[row.path]
    by_type: dict[str, list[Any]] = {
        "boolean": [True, False],
        "integer": [7, *(int(value) for value in row.values if value.isdigit())],
        "array": [
            ["y"] if schema.get("items", {}).get("type") == "string" else [{"name": "y"}],
            [*row.values],
        ],
        "object": [{"a": "b"}],
    }
    return schema.get("enum") or by_type.get(schema.get("type", ""), ["y", *row.values])


@pytest.mark.parametrize("row", REFUSING, ids=lambda row: row.path)
def test_refused_value_is_listed_where_it_is_set(row: ParityRow) -> None:
    reasons = {listed_at(row, value) for value in samples(row)}
    assert row.refusal in reasons
    assert reasons <= {row.refusal, None}


@pytest.mark.parametrize(
    "row", [row for row in REFUSING if row.fate is not Fate.REFUSED], ids=lambda row: row.path
)
def test_field_that_is_refused_at_some_values_is_honoured_at_others(row: ParityRow) -> None:
    assert None in {listed_at(row, value) for value in samples(row)}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.path)
def test_value_that_asks_for_nothing_is_not_listed(row: ParityRow) -> None:
    nothing: list[Any] = [None, "", [], {}, False, *([] if "[0-9]*" in row.values else [0])]
    listed = [value for value in nothing if row.objection(value, "1.0")]
    assert listed == ([False] if "false" in row.values else [])


@pytest.mark.parametrize("row", [row for row in TABLE if not row.refusal], ids=lambda row: row.path)
def test_honoured_field_is_not_listed(row: ParityRow) -> None:
    assert {listed_at(row, value) for value in samples(row) if isinstance(value, str)} <= {None}


@pytest.mark.parametrize("isolation", [Isolation.CONTAINER, Isolation.SANDBOX])
def test_pod_honours_what_the_api_server_takes(isolation: Isolation) -> None:
    refused = {"spec.runtimeClassName"} if isolation is Isolation.SANDBOX else set()
    assert {row.path for row in TABLE if listed_at(row, samples(row)[0], isolation=isolation)} == refused


@pytest.mark.parametrize(
    ("guest", "value", "listed"),
    [("1.9", True, True), ("1.9", False, False), ("1.10", True, False), ("2.0", True, False)],
)
def test_field_that_is_newer_than_the_guest_is_listed(guest: str, value: Any, listed: Any) -> None:
    newer = replace(ROWS["spec.shareProcessNamespace"], since="1.10")
    why = (
        "guests support it from version 1.10 on, and this machine's guest is 1.9; use a newer guest "
        "image, or remove it"
    )
    assert newer.objection(value, guest) == (why if listed else "")
    assert newer.objection_in_pods(value, Isolation.CONTAINER) == ""


def test_everything_is_listed_once() -> None:
    paths = [field.path for field in unsupported(EVERYTHING)]
    assert len(paths) == len(set(paths)), "path is the key of a list map: twice, and the status is refused"
    assert "spec.hostNetwork" not in paths, "false asks for nothing"
    assert {"spec.runtimeClassName", "spec.enableServiceLinks"} & set(paths) == {"spec.runtimeClassName"}


def listed(**spec: Any) -> dict[str, str]:
    containers = spec.pop("containers", [{"name": "web", "image": "nginx"}])
    return {f.path: f.reason for f in unsupported({"spec": {"containers": containers, **spec}})}


def test_a_sandbox_takes_its_own_runtime_class_in_the_template() -> None:
    template: Raw = {
        "spec": {"runtimeClassName": "gvisor", "containers": [{"name": "web", "image": "nginx"}]}
    }
    own = unsupported(template, Isolation.SANDBOX, runtime_class="gvisor")
    other = unsupported(template, Isolation.SANDBOX, runtime_class="kata")
    assert [[field.path for field in found] for found in (own, other)] == [[], ["spec.runtimeClassName"]]


CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}


def test_claim_as_a_block_device_is_honoured() -> None:
    devices = [{"name": "data", "devicePath": "/dev/data"}]
    assert listed(containers=[{"name": "web", "volumeDevices": devices}], volumes=[CLAIM]) == {}


@pytest.mark.parametrize("kind", ["requests", "limits"])
@pytest.mark.parametrize("resource", ["hugepages-2Mi", "example.com/gpu"])
def test_resources_of_a_node_are_listed(kind: str, resource: str) -> None:
    resources = {"resources": {kind: {resource: 1, "cpu": 1, "memory": "1Gi"}}}
    assert list(listed(initContainers=[{"name": "a", **resources}], **resources)) == [
        f"spec.resources.{kind}[{resource}]",
        f"spec.initContainers[a].resources.{kind}[{resource}]",
    ]


def test_amount_that_is_no_quantity_is_listed() -> None:
    assert listed(resources={"limits": {"cpu": "1e1.5"}}) == {
        "spec.resources.limits[cpu]": "'1e1.5' is not a quantity such as 500m or 1Gi; correct it"
    }


@pytest.mark.parametrize(
    ("spec", "path", "key"),
    [
        ({"volumes": [{"name": "v", "secret": {}}]}, "spec.volumes[v].secret", "secretName"),
        ({"volumes": [{"name": "v", "configMap": {"name": ""}}]}, "spec.volumes[v].configMap", "name"),
        (
            {"volumes": [{"name": "v", "projected": {"sources": [{"secret": {}}]}}]},
            "spec.volumes[v].projected.sources[0].secret",
            "name",
        ),
        (
            {"containers": [{"name": "c", "envFrom": [{"secretRef": {}}]}]},
            "spec.containers[c].envFrom[0].secretRef",
            "name",
        ),
        (
            {
                "containers": [
                    {"name": "c", "env": [{"name": "E", "valueFrom": {"configMapKeyRef": {"key": "k"}}}]}
                ]
            },
            "spec.containers[c].env[E].valueFrom.configMapKeyRef",
            "name",
        ),
    ],
)
def test_reference_to_nothing_is_listed(spec: Raw, path: str, key: str) -> None:
    assert listed(**spec) == {path: f"it refers to no object: set its {key}"}


def test_windows_is_listed_and_linux_is_not() -> None:
    assert listed(os={"name": "linux"}) == {}
    assert listed(os={"name": "windows"}) == {"spec.os.name": "the guest runs Linux; remove it"}


def test_labels_and_selectors_that_look_like_fields_are_not() -> None:
    assert (
        unsupported({"metadata": {"labels": {"finalizers": "x"}}, "spec": {"nodeSelector": {"hostPID": "y"}}})
        == ()
    )


@pytest.mark.parametrize("field", ["status.hostIP", "status.hostIPs"])
def test_a_variable_has_the_nodes_address_where_the_operator_tells_it(field: str) -> None:
    source = {"fieldRef": {"fieldPath": field}}
    web = {"name": "web", "image": "nginx", "env": [{"name": "HOST", "valueFrom": source}]}
    item = {"path": "host", **source}
    variable = {"spec": {"containers": [web]}}
    file = {"spec": {"containers": [], "volumes": [{"name": "pod", "downwardAPI": {"items": [item]}}]}}

    (untold,) = unsupported(variable)
    assert untold.path == "spec.containers[web].env[HOST].valueFrom.fieldRef.fieldPath"
    assert "--guest-key-file" in untold.reason
    assert unsupported(variable, node_addresses=True) == ()
    (no_file,) = unsupported(file, node_addresses=True)
    assert no_file.reason == "no volume can have the node's address, not even in a Pod; use a variable"
