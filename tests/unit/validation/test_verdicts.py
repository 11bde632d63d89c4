"""Verdicts without a cluster are the API server's own: the cases are those that tests/e2e gives to one."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.e2e import test_disk_api, test_policy_api, test_template_mistakes, test_workload_api
from tests.e2e.test_workload_api import MINIMAL, merged
from twinhull.api.base import API_VERSION, Raw
from twinhull.validation.definitions import schemas
from twinhull.validation.document import Refusal, refusals
from twinhull.validation.rules import Unchecked, all_rules


def policy(spec: Raw) -> Raw:
    metadata = {"name": "test"}
    return {"apiVersion": API_VERSION, "kind": "IsolationPolicy", "metadata": metadata, "spec": spec}


def of(cases: dict[str, Any], base: Raw) -> Iterator[tuple[str, Raw, str]]:
    """Cases that change a base: a name, the object, and what the API server says of it, if anything."""
    for name, case in cases.items():
        change, expected = case if isinstance(case, tuple) else (case, "")
        yield name, merged(base, change), expected


ACCEPTED = [
    *of(test_workload_api.ACCEPTED, MINIMAL),
    *of(test_workload_api.TAKEN_BY_BOTH, MINIMAL),
    *of(test_template_mistakes.HONEST, MINIMAL),
    *of(test_disk_api.ACCEPTED, test_disk_api.BOOTED),
    *((name, policy(spec), "") for name, spec in test_policy_api.ACCEPTED.items()),
    *((refused["metadata"]["name"], refused, "") for refused in test_policy_api.EXAMPLES),
    ("every kind of volume and probe", test_workload_api.workload_of(test_workload_api.EVERYTHING), ""),
]
REFUSED = [
    *of(test_workload_api.REFUSED, MINIMAL),
    *of(test_workload_api.REFUSED_BY_BOTH, MINIMAL),
    *of(test_template_mistakes.MISTAKES, MINIMAL),
    *of(test_disk_api.REFUSED, test_disk_api.BOOTED),
    *((name, policy(spec), expected) for name, (spec, expected) in test_policy_api.REFUSED.items()),
]


#: What the rules say.
MESSAGES = {
    rule["message"] for schema in schemas().values() for _, rule in all_rules(schema) if "message" in rule
}


def refused(document: Raw) -> list[Refusal]:
    listed = list(refusals(document["kind"], document))
    unchecked = [one for one in listed if isinstance(one, Unchecked)]
    assert unchecked == []
    return [one for one in listed if isinstance(one, Refusal)]


@pytest.mark.parametrize("document", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_what_an_api_server_accepts_is_accepted(document: Raw) -> None:
    original = deepcopy(document)
    assert refused(document) == []
    assert document == original


@pytest.mark.parametrize(
    ("document", "expected"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_an_api_server_refuses_is_refused(document: Raw, expected: str) -> None:
    listed = refused(document)
    assert listed
    # Of a CEL rule that doesn't hold, the API server says FIELD: Invalid value: MESSAGE.
    field, _, message = expected.rpartition(": Invalid value: ")
    if ours := [refusal for refusal in listed if len(message) > 9 and message in refusal.problem.message]:
        assert [refusal.by for refusal in ours] == ["cel"]
        assert ours[0].problem.path.endswith(field.removeprefix("spec: "))
    else:
        assert not [text for text in MESSAGES if len(message) > 9 and message in text], (
            "a rule of ours refuses it there"
        )


def test_most_refusals_of_the_tables_are_by_rules() -> None:
    by = [{refusal.by for refusal in refused(document)} for _, document, _ in REFUSED]
    assert sum(one == {"cel"} for one in by) > 50
