"""What holds the operator to its own objects (templates/ownobjects.yaml) says of them what the operator does.

What the API server makes of it is in tests/e2e/hostile/test_operator_account.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinhull.api.base import GROUP
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.hulls.machine import API_VERSION

ROOT = Path(__file__).parents[3]
DEPLOYED = [
    obj
    for variant in ("default", "no-kubevirt", "openshift")
    for obj in yaml.load_all(
        (ROOT / "deploy" / variant / "twinhull.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader
    )
    if obj["kind"] == "ValidatingAdmissionPolicy"
]
WRITTEN = {"create", "update", "patch", "delete", "deletecollection"}
#: What the operator may write that isn't held to its own objects, and why it needn't be.
UNBOUND = {
    ("twinhull.dev", "workloads/status"): "says nothing that anybody acts on but the operator",
    ("twinhull.dev", "isolationpolicies/status"): "the same",
    ("twinhull.dev", "accessrequests/status"): "the same",
    ("twinhull.dev", "accessrequests"): "are deleted at their end, by whichever operator, and hold no data",
    ("twinhull.dev", "workloads/finalizers"): "is what OwnerReferencesPermissionEnforcement asks about",
    ("events.k8s.io", "events"): "are words",
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "are questions, of which nothing is stored",
    ("coordination.k8s.io", "leases"): "are in its own namespace, by a Role",
}


def rendered() -> list[dict[str, Any]]:
    """All that the operator makes in the golden cases."""
    objects = [
        action["create"]
        for path in sorted((ROOT / "tests" / "golden").glob("*.output.yaml"))
        for action in (yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader).get("actions") or ())
        if "create" in action
    ]
    assert {obj["kind"] for obj in objects} == {
        *("Pod", "Service", "ConfigMap", "VirtualMachine"),
        *("PersistentVolumeClaim", "DataVolume"),
    }
    return objects


@pytest.mark.slow
@pytest.mark.parametrize("policy", DEPLOYED)
def test_what_the_operator_makes_is_what_it_may_make(policy: dict[str, Any]) -> None:
    text = str(policy["spec"])
    (shape,) = re.findall(r"matches\('(.+?)'\)", text)
    assert f"'{WORKLOAD_LABEL}'" in text
    assert f"'{DISK_LABEL}'" in text
    assert f"startsWith('{GROUP}/')" in text
    assert f"startsWith('{API_VERSION.partition('/')[0]}/')" in text
    for obj in rendered():
        metadata = obj["metadata"]
        if obj["kind"] == "DataVolume":
            assert metadata["name"].startswith(f"{metadata['labels'][DISK_LABEL]}-")
            continue
        (owner,) = metadata["ownerReferences"]
        if obj["kind"] == "PersistentVolumeClaim":
            workload, _, revision = owner["name"].rpartition("-")
            assert (owner["kind"], owner["controller"]) == ("VirtualMachine", True)
            assert metadata["name"].startswith(f"{owner['name']}-")
            assert metadata["labels"][WORKLOAD_LABEL] == workload
            assert re.fullmatch(shape, revision)
            continue
        assert (owner["kind"], owner["controller"]) == ("Workload", True)
        assert metadata["labels"][WORKLOAD_LABEL] == owner["name"]
        if obj["kind"] == "Service":
            assert metadata["name"] == owner["name"]
            assert obj["spec"]["selector"][WORKLOAD_LABEL] == owner["name"]
        elif obj["kind"] != "VirtualMachine" or metadata["name"] != owner["name"]:
            name, _, revision = metadata["name"].rpartition("-")
            assert name == owner["name"]
            assert re.fullmatch(shape, revision)


@pytest.mark.parametrize("variant", ["default", "no-kubevirt", "openshift"])
def test_all_that_the_roles_let_it_write_is_bound_or_known_not_to_be(variant: str) -> None:
    deployed = ROOT / "deploy" / variant / "twinhull.yaml"
    objects = list(yaml.load_all(deployed.read_text(encoding="utf-8"), yaml.CSafeLoader))
    roles = {binding["roleRef"]["name"] for binding in objects if binding["kind"].endswith("RoleBinding")}
    written = {
        (group, resource)
        for role in objects
        if role["kind"].endswith("Role") and role["metadata"]["name"] in roles
        for rule in role["rules"]
        if WRITTEN & set(rule["verbs"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    (policy,) = [obj for obj in objects if obj["kind"] == "ValidatingAdmissionPolicy"]
    bound = {
        (group, resource)
        for rule in policy["spec"]["matchConstraints"]["resourceRules"]
        if {"CREATE", "UPDATE", "DELETE"} == set(rule["operations"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    everywhere = {(group, resource.partition("/")[0]) for group, resource in bound if "/*" in resource}
    free = {
        (group, resource)
        for group, resource in written - bound
        if (group, resource.partition("/")[0]) not in everywhere
    }
    assert free <= UNBOUND.keys()
