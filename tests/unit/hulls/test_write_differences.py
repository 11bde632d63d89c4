from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.hulls.write_differences import managers, name_of, named, overruled, unmet

PORT = {"name": "web", "port": 80, "targetPort": 80, "protocol": "TCP"}


@pytest.mark.parametrize(
    ("wanted", "answer", "fields"),
    [
        ({"spec": {"type": "NodePort"}}, {"spec": {"type": "NodePort", "clusterIP": "10.0.0.1"}}, []),
        ({"spec": {"type": "NodePort"}}, {"spec": {"type": "ClusterIP"}}, ["spec.type"]),
        ({"spec": {"type": "NodePort"}}, {"spec": None}, ["spec.type"]),
        ({"spec": {"ports": [PORT]}}, {"spec": {"ports": [PORT | {"nodePort": 30000}]}}, []),
        ({"spec": {"ports": [PORT]}}, {"spec": {"ports": [PORT | {"port": 81}]}}, ["spec.ports"]),
        ({"spec": {"ports": [PORT]}}, {"spec": {"ports": [PORT, PORT]}}, ["spec.ports"]),
        ({"spec": {"selector": {"a": None}}}, {"spec": {"selector": {"b": "c"}}}, []),
        ({"spec": {"selector": {"a": None}}}, {"spec": {"selector": {"a": "c"}}}, ["spec.selector.a"]),
        ({"binaryData": None}, {"data": {}}, []),
        (
            {"metadata": {"labels": {"twinhull.dev/revision": "1"}}},
            {"metadata": {}},
            ["metadata.labels[twinhull.dev/revision]"],
        ),
    ],
)
def test_what_an_answer_lacks_of_what_was_asked(wanted: Raw, answer: Raw, fields: list[str]) -> None:
    assert [name_of(field) for field in unmet(wanted, answer)] == fields


def entry(manager: str, **fields: Any) -> Raw:
    return {"manager": manager, "fieldsV1": fields}


def test_who_set_a_field_is_known_by_managed_fields() -> None:
    managed = [
        entry("twinhull", **{"f:spec": {"f:type": {}}}),
        entry("rival", **{"f:spec": {"f:type": {}}}),
        entry("rival", **{"f:spec": {"f:type": {}}}),
        entry("other", **{"f:spec": {"f:ports": {}}}),
        entry("lists", **{"f:spec": {"f:ports": {'k:{"port":80}': {}}}}),
        {"manager": "none"},
    ]
    assert managers(managed, [("spec", "type")], but="twinhull") == ("rival",)
    assert managers(managed, [("spec", "ports")], but="twinhull") == ("other", "lists")
    assert managers([], [("spec", "type")], but="twinhull") == ()


def test_a_sentence_has_few_fields_and_no_long_values() -> None:
    wanted = {"data": {f"k{n}": "x" * 100 for n in range(9)}}
    fields = tuple(unmet(wanted, {"data": {}}))
    assert overruled(wanted, {"data": {}}, fields, "ConfigMap web") == (
        "ConfigMap web: data.k0 isn't as the operator set it, data.k1 isn't as the operator set it, "
        "data.k2 isn't as the operator set it, data.k3 isn't as the operator set it: a webhook or an "
        "admission policy changes it when the operator writes it: prevent that change, or ask for the "
        "value that it sets"
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"data": {f"k{n}": None for n in range(9_000)}}, "data isn't as the operator set it"),
        (
            {"metadata": {"labels": {f"k{n}": "x" for n in range(60)}}, "spec": {"a": {"b": {"c": "1"}}}}
            | {f"k{n}": "x" for n in range(9)},
            (
                "metadata.labels isn't as the operator set it, spec.a isn't as the operator set it, k0 isn't "
                "as the operator set it, k1 isn't as the operator set it"
            ),
        ),
    ],
)
def test_of_very_many_fields_the_parts_are_named_that_they_are_in(wanted: Raw, expected: str) -> None:
    live = {"data": dict.fromkeys(wanted.get("data", {}), "x")}
    fields = tuple(unmet(wanted, live))
    assert overruled(wanted, live, fields, "ConfigMap web", ["rival"]) == (
        f"ConfigMap web: {expected}: rival changes it each time that the operator sets it: prevent that "
        "change, or ask for the value that it sets"
    )


def test_sixty_four_fields_are_named_themselves() -> None:
    fields = [("data", f"k{n}") for n in range(65)]
    assert named(fields[:64]) == tuple(fields[:4])
    assert named(fields) == (("data",),)


class Counted(dict[str, Any]):
    """Counts the look-ups of its fields."""

    lookups = 0

    def get(self, *key: Any) -> Any:
        Counted.lookups += 1
        return super().get(*key)


@pytest.mark.parametrize("fields", [1, 64, 9_000])
def test_few_managers_are_asked_about_few_fields(fields: int) -> None:
    owned = Counted({"f:spec": {}})
    managed = [{"manager": f"m{n}", "time": f"{n:04}", "fieldsV1": owned} for n in range(2_900)]
    Counted.lookups = 0
    assert managers(managed, [("data", f"k{n}") for n in range(fields)], but="twinhull") == ()
    assert Counted.lookups <= 64 * 4


@pytest.mark.parametrize("fields", [1, 9_000])
@pytest.mark.parametrize("at", [0, 1_500, 2_899])
def test_who_set_a_field_last_is_found_among_many(at: int, fields: int) -> None:
    """Wherever the entry is in the list: managers that apply come before those that update."""
    managed = [{"manager": f"m{n}", "time": f"{n:04}", "fieldsV1": {"f:spec": {}}} for n in range(2_900)]
    managed[at] = {"manager": "rival", "time": "9999", "fieldsV1": {"f:data": {"f:k0": {}}}}
    assert managers(managed, [("data", f"k{n}") for n in range(fields)], but="twinhull") == ("rival",)
