"""Who would undo a change of a field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.verbs.fieldowners import Owner, owners

FIELD = ("spec", "isolationPolicy")


def entry(manager: str, operation: str = "Update", *fields: str, **more: Any) -> Raw:
    """Who has set these fields of the spec."""
    owned: Raw = {f"f:{field}": {} for field in fields or ("isolationPolicy",)}
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": owned}, **more}


@pytest.mark.parametrize(
    ("given", "tool", "when"),
    [
        (entry("argocd-controller", "Apply"), "Argo CD", "next sync"),
        (entry("argocd-controller"), "Argo CD", "next sync"),
        (entry("kustomize-controller", "Apply"), "Flux", "next reconciliation"),
        (entry("helm-controller"), "Flux", "next reconciliation"),
        (entry("helm"), "Helm", "next upgrade"),
        (entry("kubectl-client-side-apply"), "kubectl apply", "next apply of the file"),
        (entry("kubectl", "Apply"), "kubectl apply", "next apply of the file"),
        (entry("Terraform", "Apply"), "Terraform", "next apply"),
        (entry("somebody", "Apply"), "field manager somebody", "next apply"),
        (entry("some\x1bbody", "Apply"), "field manager some\\x1bbody", "next apply"),
    ],
)
def test_a_tool_that_sets_the_field_again_is_named(given: Raw, tool: str, when: str) -> None:
    (found,) = owners([given], {}, FIELD)
    assert (found.tool, found.when, found.manager) == (tool, when, given["manager"])
    sentence = found.warning("spec.state", "web")
    assert sentence.count("field manager") <= 1, sentence
    assert found.sets is (given["operation"] == "Apply"), "of the others the fields have defaults among them"


@pytest.mark.parametrize(
    "given",
    [
        entry("kubectl-edit"),
        entry("kubectl-patch"),
        entry("twinhull-cli"),
        entry("kubectl"),  # kubectl create, run by nobody again
        entry("argocd-controller", "Apply", "state"),
        entry("argocd-controller", "Apply", subresource="status"),
        {"manager": "argocd-controller", "operation": "Apply"},
        {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:spec": []}},
    ],
)
def test_who_sets_it_once_or_sets_another_field_is_not(given: Raw) -> None:
    assert owners([given], {}, FIELD) == []


def test_kubectls_copy_of_its_file_tells_even_after_somebody_else_has_the_field() -> None:
    def metadata(spec: Raw) -> Raw:
        applied = json.dumps({"spec": spec})
        return {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}}

    (found,) = owners([entry("twinhull-cli")], metadata({"isolationPolicy": "Sandbox"}), FIELD)
    assert found == Owner("kubectl apply", "next apply of the file")
    assert owners([], metadata({"state": "Running"}), FIELD) == []
    ours = entry("kubectl-client-side-apply")
    (certain,) = owners([ours], metadata({"isolationPolicy": "Sandbox"}), FIELD)
    assert (certain.sets, certain.manager) == (True, "kubectl-client-side-apply")
    assert owners([ours], metadata({"state": "Running"}), FIELD) == [], "it has the field by default"


@pytest.mark.parametrize("odd", ["{", "[" * 100_000, "[]", "3", '{"spec": 1}'])
def test_a_copy_that_is_none_tells_nothing(odd: str) -> None:
    given = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": odd}}
    assert owners([], given, FIELD) == []


def test_the_tool_that_an_object_is_of_may_set_the_field() -> None:
    given = {"annotations": {"argocd.argoproj.io/tracking-id": "shop:twinhull.dev/Workload:shop/web"}}
    (found,) = owners([], given, FIELD)
    assert found.warning("spec.state", "web").startswith(
        "Workload web is managed by Argo CD: if Argo CD sets spec.state, its"
    )
    (certain,) = owners([entry("argocd-controller", "Apply")], given, FIELD)
    assert certain.sets, "that it sets the field says more"
    assert owners([], given, FIELD, tracked=False) == []
