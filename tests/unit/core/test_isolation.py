"""Which isolation a Workload gets."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.api.workload import Isolation, WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import Resolution, resolve

TEMPLATE: Raw = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}


def resolved(
    policy: str | None, default: Isolation = Isolation.CONTAINER, sandbox: str | None = None
) -> Resolution:
    spec: Raw = {"template": TEMPLATE, **({"isolationPolicy": policy} if policy else {})}
    if sandbox:
        spec["sandbox"] = {"runtimeClassName": sandbox}
    return resolve(WorkloadSpec.model_validate(spec), OperatorDefaults(default, runtime_class="gvisor"))


@pytest.mark.parametrize("asked", Isolation)
@pytest.mark.parametrize("default", Isolation)
def test_what_is_asked_for_by_name_is_given(asked: Isolation, default: Isolation) -> None:
    found = resolved(asked, default)
    assert (found.requested, found.resolved) == (asked, asked)
    assert (found.reason, found.message) == ("Requested", f"spec.isolationPolicy asks for {asked}")


@pytest.mark.parametrize("policy", ["Auto", None])
@pytest.mark.parametrize("default", Isolation)
def test_auto_is_what_the_operator_makes_of_it(policy: str | None, default: Isolation) -> None:
    found = resolved(policy, default)
    assert (found.requested, found.resolved) == ("Auto", default)
    assert found.reason == "OperatorDefault"
    assert found.message == f"spec.isolationPolicy is Auto, which here means {default}"


@pytest.mark.parametrize(
    ("policy", "sandbox", "runtime_class"),
    [
        ("Sandbox", None, "gvisor"),
        ("Sandbox", "kata", "kata"),
        ("Container", "kata", None),
        ("VirtualMachine", "kata", None),
    ],
)
def test_only_a_sandbox_has_a_runtime_class(
    policy: str, sandbox: str | None, runtime_class: str | None
) -> None:
    assert resolved(policy, sandbox=sandbox).runtime_class == runtime_class


def test_status_says_the_same() -> None:
    found = resolved("Auto", Isolation.SANDBOX)
    assert found.status().raw() == {
        "requested": "Auto",
        "resolved": "Sandbox",
        "reason": "OperatorDefault",
        "message": "spec.isolationPolicy is Auto, which here means Sandbox",
    }
