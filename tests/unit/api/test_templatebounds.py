"""How large a Workload may be, by the CRD's own schema, whether the API server has measured it or not."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.api.podtemplate import podtemplate
from twinhull.api.templatebounds import (
    LONGEST_ANNOTATION,
    LONGEST_IMAGE,
    LONGEST_KEY,
    LONGEST_TEXT,
    MOST_CONTAINERS,
    MOST_ELEMENTS,
    MOST_OVERRIDDEN,
    MOST_VALUES,
    MOST_VOLUMES,
    excess,
)
from twinhull.api.validation import problems

ROOT = Path(__file__).parents[3]
WEB = {"name": "web", "image": "nginx"}


def spec(container: Raw | None = None, annotations: Raw | None = None, **pod: object) -> Raw:
    given = {"containers": [{**WEB, **(container or {})}], **pod}
    return {"template": {"metadata": {"annotations": annotations or {}}, "spec": given}}


def numbered(count: int, **more: object) -> list[Raw]:
    return [{"name": f"n{number}", **more} for number in range(count)]


#: Each the largest that may be, where it is, and in what it is counted.
BOUNDS = [
    (lambda n: spec({"image": "a" * n}), LONGEST_IMAGE, "spec.containers[0].image", "characters"),
    (lambda n: spec(containers=numbered(n)), MOST_CONTAINERS, "spec.containers", "elements"),
    (lambda n: spec(initContainers=numbered(n)), MOST_CONTAINERS, "spec.initContainers", "elements"),
    (lambda n: spec(volumes=numbered(n)), MOST_VOLUMES, "spec.volumes", "elements"),
    (
        lambda n: spec(volumes=numbered(1, image={"reference": "a" * n})),
        LONGEST_IMAGE,
        "spec.volumes[0].image.reference",
        "characters",
    ),
    (lambda n: spec({"env": numbered(n)}), MOST_ELEMENTS, "spec.containers[0].env", "elements"),
    (lambda n: spec({"args": ["a" * n]}), LONGEST_TEXT, "spec.containers[0].args[0]", "characters"),
    (
        lambda n: spec({"env": [{"name": "A", "value": "a" * n}]}),
        LONGEST_TEXT,
        "spec.containers[0].env[0].value",
        "characters",
    ),
    (
        lambda n: spec(nodeSelector={f"k{number}": "" for number in range(n)}),
        MOST_ELEMENTS,
        "spec.nodeSelector",
        "entries",
    ),
    (
        lambda n: spec(annotations={"example.com/a": "a" * n}),
        LONGEST_ANNOTATION,
        "metadata.annotations.example.com/a",
        "characters",
    ),
]


@pytest.mark.parametrize(("made", "most", "path", "unit"), BOUNDS, ids=[path for *_, path, _ in BOUNDS])
def test_one_more_than_may_be_is_named_and_refused(made: object, most: int, path: str, unit: str) -> None:
    assert callable(made)
    largest, larger = made(most), made(most + 1)
    assert excess(largest) is None
    assert (
        excess(larger) == f"spec.template.{path}: has {most + 1} {unit}, and may have {most}: make it smaller"
    )
    refused = {found.path for found in problems(podtemplate(), larger["template"])}
    assert path in refused
    assert path not in {found.path for found in problems(podtemplate(), largest["template"])}


def test_so_are_all_values_together() -> None:
    containers = numbered(10, env=numbered(MOST_ELEMENTS // 2))
    assert (
        excess(spec(containers=containers))
        == f"spec.template: has more than {MOST_VALUES} values in it: make it smaller"
    )


@pytest.mark.parametrize("overrides", [{"a": [0] * MOST_VALUES}, {str(n): {} for n in range(MOST_VALUES)}])
def test_overrides_are_counted(overrides: Raw) -> None:
    text = excess({**spec(), "virtualMachine": {"overrides": overrides}})
    assert text == f"spec.virtualMachine.overrides: has more than {MOST_VALUES} values in it: make it smaller"


def test_so_are_their_texts() -> None:
    def of(length: int) -> Raw:
        return {**spec(), "virtualMachine": {"overrides": {"abc": ["a" * length]}}}

    assert excess(of(MOST_OVERRIDDEN - 3)) is None
    assert excess(of(MOST_OVERRIDDEN)) == (
        "spec.virtualMachine.overrides: has 65539 characters in it, and may have 65536: make it smaller"
    )


@pytest.mark.slow
def test_no_depth_is_too_deep_to_count() -> None:
    deep: Raw = {}
    for _ in range(MOST_VALUES - 2):
        deep = {"a": deep}

    assert excess({**spec(), "virtualMachine": {"overrides": deep}}) is None
    assert excess({**spec(), "virtualMachine": {"overrides": {"a": {"a": deep}}}})


@pytest.mark.parametrize(
    ("made", "path"),
    [
        (lambda key: spec(annotations={key: ""}), "template.metadata.annotations"),
        (
            lambda key: spec({"resources": {"limits": {key: "1"}}}),
            "template.spec.containers[0].resources.limits",
        ),
        (lambda key: spec(nodeSelector={key: ""}), "template.spec.nodeSelector"),
        (lambda key: {**spec(), "service": {"annotations": {key: ""}}}, "service.annotations"),
        (lambda key: {**spec(), "service": {"nodePorts": {key: 1}}}, "service.nodePorts"),
    ],
)
def test_no_map_has_a_longer_key_than_anybody_needs(made: object, path: str) -> None:
    assert callable(made)
    assert excess(made("a" * LONGEST_KEY)) is None
    assert excess(made("a" * (LONGEST_KEY + 1))) == (
        f"spec.{path}: has a key of {LONGEST_KEY + 1} characters, and may have {LONGEST_KEY}: shorten it"
    )


@pytest.mark.parametrize("overrides", [lambda half: {half: {half: 1}}, lambda half: {half: [{half: [1]}]}])
def test_no_field_of_overrides_has_a_longer_path(overrides: object) -> None:
    assert callable(overrides)

    def sentence(length: int) -> str | None:
        return excess({**spec(), "virtualMachine": {"overrides": overrides("a" * length)}})

    assert sentence((LONGEST_KEY - 1) // 2) is None
    assert sentence(LONGEST_KEY // 2) == (
        f"spec.virtualMachine.overrides: has a field whose path has {LONGEST_KEY + 1} characters, "
        f"and may have {LONGEST_KEY}: shorten its names"
    )


def test_what_is_of_no_type_that_it_should_be_is_left_to_others() -> None:
    assert excess({"template": {"spec": {"containers": "many"}}, "virtualMachine": []}) is None
    assert excess({}) is None


def _workloads() -> list[Raw]:
    folders = ("tests/golden", "examples", "tests/podtemplate")
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.yaml"))]
    documents = [
        found for file in files for found in yaml.load_all(file.read_text("utf-8"), yaml.CSafeLoader) if found
    ]
    return [found for found in documents if isinstance(found, dict)]


@pytest.mark.slow
def test_every_template_in_this_repository_is_within() -> None:
    specs = [found["spec"] for found in _workloads() if found.get("kind") == "Workload"]
    specs += [{"template": found} for found in _workloads() if "kind" not in found and "spec" in found]
    assert len(specs) > 5
    assert [sentence for found in specs if (sentence := excess(found))] == []
