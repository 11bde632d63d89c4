"""What a real API server makes of IsolationPolicies: what it takes, refuses and says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane import Api, Cluster
from tests.controlplane.api import ApiError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/policies.md").read_text(encoding="utf-8")
EXAMPLES = [
    yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]

Spec = dict[str, Any]


def selecting(**requirement: Any) -> Spec:
    selector = {"matchExpressions": [{"key": "tier", **requirement}]}
    return {"minimum": "Sandbox", "match": {"workloadSelector": selector}}


def matching(**parts: Any) -> Spec:
    return {"minimum": "Sandbox", "match": parts}


#: A spec, and what is said against it.
REFUSED: dict[str, tuple[Spec, str]] = {
    "nothing decided": ({}, "spec: Invalid value: this policy decides nothing: set default, minimum, "),
    "only a match": ({"match": {}}, "this policy decides nothing"),
    "default below minimum": (
        {"default": "Sandbox", "minimum": "VirtualMachine"},
        "spec.default: Invalid value: default is weaker than minimum: set default to",
    ),
    "rejection without a minimum": (
        {"default": "Sandbox", "onViolation": "Reject"},
        "spec.onViolation: Invalid value: onViolation Reject and Evict need a minimum: set minimum",
    ),
    "eviction without a minimum": (
        {"default": "Sandbox", "onViolation": "Evict"},
        "spec.onViolation: Invalid value: onViolation Reject and Evict need a minimum: set minimum",
    ),
    "eviction by a policy that raises": (
        {"minimum": "Sandbox", "eviction": {"deadlineSeconds": 5}},
        "spec.eviction: Invalid value: eviction needs onViolation Evict: set onViolation to Evict",
    ),
    "no time to end": (
        {"minimum": "Sandbox", "onViolation": "Evict", "eviction": {"gracePeriodSeconds": 0}},
        "spec.eviction.gracePeriodSeconds: Invalid value: 0",
    ),
    "sandbox where none runs": (
        {"minimum": "VirtualMachine", "sandbox": {"runtimeClassName": "kata"}},
        "spec.sandbox: Invalid value: sandbox has no effect if minimum is stronger than Sandbox",
    ),
    "unknown isolation": ({"minimum": "Enclave"}, 'spec.minimum: Unsupported value: "Enclave"'),
    "values of In": (selecting(operator="In"), "In and NotIn need values, and Exists and"),
    "values of Exists": (selecting(operator="Exists", values=["a"]), "In and NotIn need values"),
    "wrong key": (
        {"minimum": "Sandbox", "match": {"workloadSelector": {"matchExpressions": [{"key": "a b"}]}}},
        "spec.match.workloadSelector.matchExpressions[0].key",
    ),
    "pull secret for no image": (
        {"virtualMachine": {"guestImagePullSecret": "registry"}},
        "guestImagePullSecret needs a guestImage in this policy: set guestImage",
    ),
    "rules for machines that say nothing": (
        {"machines": {"imagesMustBePinned": False}},
        "spec.machines: Invalid value: machines has no rule: set guestImages, set imagesMustBePinned to true",
    ),
    "space in a guest image": (
        {"machines": {"guestImages": ["guest 1"]}},
        "spec.machines.guestImages[0]: Invalid value",
    ),
    "space in a pattern": (matching(images=["nginx 1"]), "spec.match.images[0]: Invalid value"),
    "pattern twice": (matching(images=["nginx", "nginx"]), "spec.match.images[1]: Duplicate value"),
    "too many patterns": (matching(images=[f"a{n}" for n in range(33)]), "spec.match.images: Too many"),
    "account with a colon": (matching(serviceAccounts=["ci:builder"]), "spec.match.serviceAccounts[0]"),
    "priority out of bounds": ({"minimum": "Sandbox", "priority": 2_000_000}, "spec.priority"),
}
ACCEPTED: dict[str, Spec] = {
    "equal default and minimum": {"default": "Sandbox", "minimum": "Sandbox"},
    "stronger default": {"default": "VirtualMachine", "minimum": "Sandbox", "onViolation": "Reject"},
    "eviction": {"minimum": "Sandbox", "onViolation": "Evict", "eviction": {"deadlineSeconds": 0}},
    "eviction by default": {"minimum": "Sandbox", "onViolation": "Evict"},
    "parameters alone": {"virtualMachine": {"guestImage": "guest:1"}},
    "no guest image": {"machines": {"guestImages": []}},
    "images pinned": {"machines": {"imagesMustBePinned": True}},
    "every operator": {
        "minimum": "Sandbox",
        "match": {
            "namespaceSelector": {
                "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["1", ""]},
                    {"key": "example.com/a", "operator": "NotIn", "values": ["1"]},
                    {"key": "b", "operator": "Exists"},
                    {"key": "c", "operator": "DoesNotExist", "values": []},
                ]
            }
        },
    },
    "the largest": matching(
        images=[f"registry.example/{'x' * 200}{n}" for n in range(32)],
        serviceAccounts=[f"namespace-{n}/account" for n in range(64)],
    )
    | {"machines": {"guestImages": [f"registry.example/{'x' * 200}{n}" for n in range(32)]}},
}


@pytest.fixture(scope="module", autouse=True)
def definition(control_plane: Cluster) -> None:
    control_plane.kubectl("apply", "--filename", str(ROOT / "crds"))
    control_plane.eventually(
        lambda: control_plane.api.request("GET", control_plane.api.path("IsolationPolicy")),
        30,
        "the API server serves the kind",
    )


def create(api: Api, spec: Spec, name: str = "test") -> dict[str, Any]:
    """What an API server would make of a policy; nothing is stored."""
    policy = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "IsolationPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
    return api.request("POST", api.path("IsolationPolicy"), policy, query={"dryRun": "All"})


@pytest.mark.parametrize("what", REFUSED)
def test_refused(api: Api, what: str) -> None:
    spec, message = REFUSED[what]
    with pytest.raises(ApiError, match=re.escape(message)):
        create(api, spec)


@pytest.mark.parametrize("what", ACCEPTED)
def test_accepted(api: Api, what: str) -> None:
    create(api, ACCEPTED[what])


@pytest.mark.parametrize("policy", EXAMPLES, ids=lambda policy: str(policy["metadata"]["name"]))
def test_examples_of_the_documentation_are_accepted(api: Api, policy: dict[str, Any]) -> None:
    create(api, policy["spec"], policy["metadata"]["name"])


def test_defaults(api: Api) -> None:
    made = create(api, {"minimum": "Sandbox"})
    assert made["spec"] == {"minimum": "Sandbox", "onViolation": "Raise", "priority": 0}
    assert made["status"] == {"observedGeneration": -1}, "kstatus doesn't take a new policy for settled"
