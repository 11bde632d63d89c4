"""The table of what a machine makes of a template, held against the CRD's schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.api.podtemplate import podtemplate
from twinhull.hulls.parity import TABLE, Fate, Row, fate, unsupported

EVERYTHING = yaml.safe_load((Path(__file__).parents[2] / "podtemplate/everything.yaml").read_text("utf-8"))


def fields(schema: Raw, path: str = "") -> Iterator[tuple[str, Raw]]:
    """Every field of a schema by its path in the table; a map's values aren't fields."""
    for name, field in schema.get("properties", {}).items():
        at = f"{path}.{name}".lstrip(".")
        yield at, field
        yield from fields(field, at)
        yield from fields(field.get("items", {}), f"{at}[]")


#: Fields that the CRD itself refuses, whatever the hull.
_RULES = {rule["rule"] for rule in podtemplate()["properties"]["metadata"]["x-kubernetes-validations"]}
FORBIDDEN = {
    f"metadata.{name}" for name in ("name", "generateName", "namespace") if f"!has(self.{name})" in _RULES
}
FIELDS = {path: field for path, field in fields(podtemplate()) if path not in FORBIDDEN}
ROWS = {row.path: row for row in TABLE}
#: What only holds other fields: each of those has a row of its own.
GROUPS = ("metadata", "spec", "spec.containers", "spec.initContainers", "spec.volumes")
REFUSED = [row for row in TABLE if row.fate is Fate.REFUSED]


def parent(path: str) -> str:
    return path.rpartition(".")[0].removesuffix("[]")


def test_every_field_has_a_row() -> None:
    assert [path for path in FIELDS if path not in GROUPS and fate(path) is None] == []


@pytest.mark.parametrize("group", GROUPS)
def test_every_field_of_a_group_has_a_row_of_its_own(group: str) -> None:
    assert group not in ROWS, "a row for a whole group would speak for fields that nobody has thought of"
    below = [path for path in FIELDS if parent(path) == group and path not in GROUPS]
    assert below
    assert [path for path in below if path not in ROWS] == []


def test_every_row_is_a_field() -> None:
    assert [path for path in ROWS if path not in FIELDS] == []


def test_no_field_has_two_rows() -> None:
    assert len(ROWS) == len(TABLE)


def test_refused_row_says_what_to_do() -> None:
    advice = ("remove", "use ", "set ")
    assert [row.path for row in REFUSED if not any(word in row.why for word in advice)] == []


def test_nothing_has_a_row_below_a_refused_one() -> None:
    below = [
        (row.path, refused.path)
        for row in TABLE
        for refused in REFUSED
        if row.path.startswith((f"{refused.path}.", f"{refused.path}[]"))
    ]
    assert below == []


def template(path: str, value: Any) -> Raw:
    """A template with one field set; lists on the way have one element, named x."""
    made: Any = value
    for step in reversed(path.split(".")):
        made = {step.removesuffix("[]"): [{"name": "x", **made}] if step.endswith("[]") else made}
    whole: Raw = made
    return whole | {"spec": whole.get("spec", {})}


def sample(row: Row) -> Any:
    """A value of a field that means something."""
    schema = FIELDS[row.path]
    by_type: dict[str, list[Any]] = {
        "boolean": [True, False],
        "integer": [7],
        "array": [[{"name": "y"}]],
        "object": [{"a": "b"}],
    }
    values: list[Any] = schema.get("enum") or by_type.get(schema.get("type", ""), ["y"])
    return next(value for value in values if value not in row.harmless)


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.path)
def test_refused_field_is_listed_where_it_is_set(row: Row) -> None:
    found = {field.path: field.reason for field in unsupported(template(row.path, sample(row)))}
    assert found[row.path.replace("[]", "[x]")] == row.why


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.path)
def test_refused_field_at_a_harmless_value_is_not_listed(row: Row) -> None:
    for value in row.harmless:
        paths = [field.path for field in unsupported(template(row.path, value))]
        assert row.path.replace("[]", "[x]") not in paths, value


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.fate is not Fate.REFUSED], ids=lambda row: row.path
)
def test_honoured_field_is_not_listed(row: Row) -> None:
    if FIELDS[row.path].get("type") == "string":
        assert unsupported(template(row.path, "y")) == ()


def test_everything_is_listed_once() -> None:
    paths = [field.path for field in unsupported(EVERYTHING)]
    assert len(paths) == len(set(paths)), "path is the key of a list map: twice, and the status is refused"
    assert "spec.hostNetwork" not in paths, "false asks for nothing"
    assert {"spec.runtimeClassName", "spec.enableServiceLinks"} & set(paths) == {"spec.runtimeClassName"}


def listed(**spec: Any) -> dict[str, str]:
    containers = spec.pop("containers", [{"name": "web", "image": "nginx"}])
    return {f.path: f.reason for f in unsupported({"spec": {"containers": containers, **spec}})}


CLAIM = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}


def test_claim_as_a_file_system_is_listed_by_where_it_is_mounted() -> None:
    mounts = [{"name": "data", "mountPath": path} for path in ("/a", "/b")]
    why = (
        "a machine takes a PersistentVolumeClaim as a block device only; "
        "use volumeDevices with a claim of volumeMode Block, or isolation Container"
    )
    found = listed(containers=[{"name": "web", "volumeMounts": mounts}], volumes=[CLAIM])
    assert found == {f"spec.containers[web].volumeMounts[{path}]": why for path in ("/a", "/b")}


def test_claim_as_a_block_device_is_honoured() -> None:
    devices = [{"name": "data", "devicePath": "/dev/data"}]
    assert listed(containers=[{"name": "web", "volumeDevices": devices}], volumes=[CLAIM]) == {}


@pytest.mark.parametrize("said", ["requests", "limits"])
@pytest.mark.parametrize("resource", ["hugepages-2Mi", "example.com/gpu"])
def test_resources_of_a_node_are_listed(said: str, resource: str) -> None:
    resources = {"resources": {said: {resource: 1, "cpu": 1, "memory": "1Gi"}}}
    assert list(listed(initContainers=[{"name": "a", **resources}], **resources)) == [
        f"spec.resources.{said}[{resource}]",
        f"spec.initContainers[a].resources.{said}[{resource}]",
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
