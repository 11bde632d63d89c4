"""Which Workloads a policy concerns, and which of several policies comes first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.policies import policy, rules
from twinhull.api.base import Raw
from twinhull.api.selector import LabelSelector
from twinhull.core.isolation import Subject, concerning, precedence
from twinhull.core.isolation.policy import strictest

POD: Raw = {"containers": [{"name": "web", "image": "nginx"}]}


def subject(
    pod: Raw = POD, *, labels: Mapping[str, str] | None = None, debug: tuple[str, ...] = (), **namespace: str
) -> Subject:
    return Subject("shop", namespace, labels or {}, pod, debug)


def mismatch(match: Raw, of: Subject) -> str | None:
    (found,) = rules(policy("p", minimum="Sandbox", match=match))
    return found.mismatch(of)


@pytest.mark.parametrize(
    ("selector", "fits", "differs"),
    [
        ({}, [{}, {"a": "1"}], []),
        ({"matchLabels": {"a": "1"}}, [{"a": "1"}, {"a": "1", "b": ""}], [{}, {"a": "2"}, {"b": "1"}]),
        ({"matchLabels": {"a": "1", "b": ""}}, [{"a": "1", "b": ""}], [{"a": "1"}, {"b": ""}]),
        (
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]},
            [{"a": "1"}, {"a": "2"}],
            [{}, {"a": "3"}],
        ),
        (
            {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]},
            [{}, {"a": "2"}],
            [{"a": "1"}],
        ),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, [{"a": ""}], [{}]),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, [{}], [{"a": ""}]),
        (
            {"matchLabels": {"b": "1"}, "matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]},
            [{"b": "1"}],
            [{"a": "", "b": "1"}, {}],
        ),
    ],
)
def test_selector(selector: Raw, fits: list[dict[str, str]], differs: list[dict[str, str]]) -> None:
    found = LabelSelector.model_validate(selector)
    assert [labels for labels in fits if not found.admits(labels)] == []
    assert [labels for labels in differs if found.admits(labels)] == []


@pytest.mark.parametrize("match", [{}, {"images": [], "serviceAccounts": [], "workloadSelector": {}}])
def test_policy_without_a_part_concerns_everybody(match: Raw) -> None:
    assert mismatch(match, subject()) is None


def test_all_parts_must_fit() -> None:
    match = {
        "namespaceSelector": {"matchLabels": {"trust": "none"}},
        "workloadSelector": {"matchLabels": {"tier": "gold"}},
        "images": ["nginx"],
        "serviceAccounts": ["default"],
    }
    labels = {"tier": "gold"}
    assert mismatch(match, subject(labels=labels, trust="none")) is None
    assert mismatch(match, subject(labels=labels)) == "namespaceSelector"
    assert mismatch(match, subject(trust="none")) == "workloadSelector"
    other = {"containers": [{"image": "postgres"}]}
    assert mismatch(match, subject(other, labels=labels, trust="none")) == "images"
    builder = POD | {"serviceAccountName": "builder"}
    assert mismatch(match, subject(builder, labels=labels, trust="none")) == "serviceAccounts"


@pytest.mark.parametrize(
    ("pod", "account"),
    [
        ({}, "default"),
        ({"serviceAccountName": ""}, "default"),
        ({"serviceAccountName": "builder"}, "builder"),
        ({"serviceAccount": "builder"}, "builder"),
        ({"serviceAccountName": "builder", "serviceAccount": "other"}, "builder"),
    ],
)
def test_service_account(pod: Raw, account: str) -> None:
    of = subject(POD | pod)
    assert mismatch({"serviceAccounts": [account]}, of) is None
    assert mismatch({"serviceAccounts": [f"shop/{account}"]}, of) is None
    assert mismatch({"serviceAccounts": [f"elsewhere/{account}", "shop", "x"]}, of) == "serviceAccounts"


def built(overrides: Any, template: Raw = POD, **machine: Any) -> Subject:
    spec = {"template": {"spec": template}, "virtualMachine": {"overrides": overrides, **machine}}
    return Subject.of({"metadata": {}, "spec": spec}, "shop", {}, pods=())


TOKEN = {"name": "token", "serviceAccount": {"serviceAccountName": "builder"}}


@pytest.mark.parametrize(
    "overrides", [{"serviceAccountName": "builder"}, {"volumes": [{"name": "other"}, TOKEN]}]
)
def test_a_machine_runs_as_the_account_that_overrides_give_it(overrides: Raw) -> None:
    """The template's account counts as well, since policies decide whether the Workload runs in a machine."""
    of = built(overrides, POD | {"serviceAccountName": "web"})
    for account in ("builder", "shop/builder", "web", "shop/web"):
        assert mismatch({"serviceAccounts": [account]}, of) is None
    assert mismatch({"serviceAccounts": ["default", "elsewhere/builder"]}, of) == "serviceAccounts"
    assert mismatch({"serviceAccounts": ["default"]}, built(overrides)) is None


@pytest.mark.parametrize(
    "overrides",
    [
        {"volumes": [{"name": "data", "containerDisk": {"image": "untrusted/app"}}]},
        {"domain": {"firmware": {"kernelBoot": {"container": {"image": "untrusted/app"}}}}},
    ],
)
def test_an_image_that_overrides_give_a_machine_counts(overrides: Raw) -> None:
    assert mismatch({"images": ["untrusted/*"]}, built(overrides)) is None
    assert mismatch({"images": ["other/*"]}, built(overrides)) == "images"


@pytest.mark.parametrize(
    "overrides",
    [
        *(None, {"serviceAccountName": 5, "volumes": "builder"}, {"volumes": ["x", {"serviceAccount": "x"}]}),
        {"volumes": [{"containerDisk": "builder"}, {"serviceAccount": {"serviceAccountName": None}}]},
        {"domain": {"firmware": "x"}},
    ],
)
def test_overrides_that_make_no_sense_name_nothing(overrides: Any) -> None:
    of = built(overrides)
    assert of.service_accounts == {"default", "shop/default"}
    assert of.images == subject().images


def test_more_service_accounts_than_are_compared_may_be_any() -> None:
    volumes = [{"serviceAccount": {"serviceAccountName": f"a{number}"}} for number in range(65)]
    match = {"serviceAccounts": ["builder"]}
    assert mismatch(match, built({"volumes": volumes})) is None
    assert mismatch(match, built({"volumes": volumes[1:]})) == "serviceAccounts"


@pytest.mark.parametrize(
    "pod",
    [
        {"containers": [{"image": "nginx"}, {"image": "untrusted/app"}]},
        {"initContainers": [{"image": "untrusted/app"}], "containers": [{"image": "nginx"}]},
        {"initContainers": [{"image": "untrusted/app", "restartPolicy": "Always"}], "containers": []},
        {"containers": [], "volumes": [{"name": "v", "image": {"reference": "untrusted/app"}}]},
    ],
    ids=["container", "init container", "sidecar", "volume"],
)
def test_any_image_counts(pod: Raw) -> None:
    assert mismatch({"images": ["untrusted/*"]}, subject(pod)) is None


def test_image_of_an_ephemeral_container_counts() -> None:
    assert mismatch({"images": ["untrusted/*"]}, subject()) == "images"
    assert mismatch({"images": ["untrusted/*"]}, subject(debug=("untrusted/app",))) is None


def test_container_without_an_image_is_no_image() -> None:
    assert mismatch({"images": ["**"]}, subject({"containers": [{"name": "web"}]})) == "images"


def test_precedence_is_by_priority_and_then_by_name() -> None:
    found = rules(policy("b", priority=1), policy("c", priority=2), policy("a", priority=1), policy("d"))
    assert [p.name for p in precedence(found)] == ["c", "a", "b", "d"]


def test_concerning_keeps_the_order() -> None:
    found = rules(policy("b"), policy("x", match={"images": ["other"]}), policy("a"))
    assert [p.name for p in concerning(subject(), found)] == ["b", "a"]


def test_strictest_is_the_first_of_the_strongest() -> None:
    found = rules(policy("a"), policy("b", minimum="Sandbox"), policy("c", minimum="Sandbox"))
    strongest = strictest(found)
    assert strongest is not None
    assert strongest.name == "b"
    assert strictest([]) is None


LABELS = st.dictionaries(st.sampled_from("ab"), st.sampled_from("12"), max_size=2)
REQUIREMENTS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from("ab"),
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(st.sampled_from("12"), min_size=1, max_size=2, unique=True),
        }
    ),
    st.fixed_dictionaries(
        {"key": st.sampled_from("ab"), "operator": st.sampled_from(["Exists", "DoesNotExist"])}
    ),
)
_OPPOSITES = {"In": "NotIn", "NotIn": "In", "Exists": "DoesNotExist", "DoesNotExist": "Exists"}


@given(REQUIREMENTS, LABELS)
def test_requirement_or_its_opposite_holds(requirement: dict[str, Any], labels: dict[str, str]) -> None:
    opposite = {**requirement, "operator": _OPPOSITES[requirement["operator"]]}
    one, other = (
        LabelSelector.model_validate({"matchExpressions": [term]}) for term in (requirement, opposite)
    )
    assert one.admits(labels) != other.admits(labels)


@pytest.mark.parametrize(
    "pod",
    [
        {"containers": [{"name": "web", "image": "a" * 1025}]},
        {"containers": [{"name": f"c{number}", "image": "nginx"} for number in range(1000)]},
        {"containers": [{"name": f"c{number}", "image": "a" * 1000} for number in range(17)]},
    ],
    ids=["too long", "too many", "too long together"],
)
def test_images_that_cannot_be_compared_may_be_any(pod: Raw) -> None:
    """A policy that matches on images concerns a Workload that was stored before the CRD had bounds."""
    assert mismatch({"images": ["evil.example/**"]}, subject(pod)) is None
    assert mismatch({"images": ["evil.example/**"]}, subject()) == "images"


def test_so_are_those_of_ephemeral_containers() -> None:
    assert mismatch({"images": ["evil.example/**"]}, subject(debug=("a" * 1025,))) is None
