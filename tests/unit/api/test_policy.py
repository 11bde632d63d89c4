"""What can be told of IsolationPolicy without an API server; tests/e2e/test_policy_api.py asks a real one."""

from __future__ import annotations

import pytest

from tests.unit.api.test_crd import nodes
from twinhull.api.base import Raw
from twinhull.api.crd import isolation_policies
from twinhull.api.policy import IsolationPolicy, IsolationPolicySpec

SELECTOR: Raw = {
    "matchLabels": {"tier": "untrusted"},
    "matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a", "b"]}],
}
#: Every field is set, and to something else than its default.
MAXIMAL: Raw = {
    "metadata": {"name": "untrusted", "generation": 3},
    "spec": {
        "priority": 100,
        "match": {
            "namespaceSelector": SELECTOR,
            "workloadSelector": SELECTOR,
            "images": ["ghcr.io/community/**"],
            "serviceAccounts": ["builder", "ci/builder"],
        },
        "default": "VirtualMachine",
        "minimum": "Sandbox",
        "onViolation": "Evict",
        "eviction": {"deadlineSeconds": 60, "gracePeriodSeconds": 5},
        "sandbox": {"runtimeClassName": "kata"},
        "virtualMachine": {
            "guestImage": "registry.example/guest:1",
            "guestImagePullSecret": "registry",
            "instancetype": {"name": "small", "kind": "VirtualMachineInstancetype"},
            "preference": {"name": "linux", "kind": "VirtualMachinePreference"},
        },
    },
    "status": {
        "observedGeneration": 3,
        "matched": 3,
        "raised": 2,
        "pending": 1,
        "firstPending": "shop/web",
        "rejected": 1,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "reason": "InForce",
                "message": "m",
                "lastTransitionTime": "2026-11-23T07:45:00Z",
                "observedGeneration": 3,
            }
        ],
    },
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Raw]:
    (version,) = isolation_policies()["spec"]["versions"]
    return dict(nodes(version["schema"]["openAPIV3Schema"]))


def test_dumping_a_parsed_policy_gives_what_was_parsed() -> None:
    assert IsolationPolicy.model_validate(MAXIMAL).raw() == MAXIMAL


def test_every_field_is_described(schema: dict[str, Raw]) -> None:
    given = {path: node for path, node in schema.items() if not path.endswith(("{}", "values[]"))}
    assert [path for path, node in given.items() if "description" not in node and path != ".metadata"] == []


def test_what_people_write_has_bounds(schema: dict[str, Raw]) -> None:
    bounds = {"string": {"maxLength", "enum"}, "array": {"maxItems"}, "integer": {"maximum"}}
    written = {path: node for path, node in schema.items() if path.startswith(".spec.")}
    assert [
        path
        for path, node in written.items()
        if node["type"] in bounds and not bounds[node["type"]] & node.keys()
    ] == []
    assert schema[".spec.match.namespaceSelector.matchLabels"]["maxProperties"] == 32


def test_it_concerns_the_cluster() -> None:
    spec = isolation_policies()["spec"]
    assert (spec["scope"], spec["names"]["shortNames"]) == ("Cluster", ["isopol"])


def test_field_that_is_unknown_makes_a_policy_concern_more_and_not_fewer() -> None:
    read = IsolationPolicySpec.model_validate({"match": {"newer": ["x"]}, "minimum": "Sandbox"})
    assert read.match is not None
    assert read.match.raw() == {}
