"""The fields in which a Pod is less isolated than its template asks for."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.hulls.confinement import weakened
from twinhull.hulls.fidelity import dropped

#: A field of a container's securityContext, a value that is more isolated and one that is less.
OF_CONTAINER: list[tuple[str, Any, Any]] = [
    ("allowPrivilegeEscalation", False, True),
    ("allowPrivilegeEscalation", False, None),
    ("appArmorProfile", {"type": "RuntimeDefault"}, {"type": "Unconfined"}),
    ("capabilities", {"drop": ["ALL"]}, None),
    ("capabilities", {"drop": ["NET_RAW", "CHOWN"]}, {"drop": ["CHOWN"]}),
    ("capabilities", {"add": ["CHOWN"]}, {"add": ["CHOWN", "SYS_ADMIN"]}),
    ("capabilities", {"drop": ["ALL"]}, {"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    ("privileged", False, True),
    ("privileged", None, True),
    ("procMount", "Default", "Unmasked"),
    ("readOnlyRootFilesystem", True, False),
    ("readOnlyRootFilesystem", True, None),
    ("runAsGroup", 1000, 0),
    ("runAsNonRoot", True, False),
    ("runAsNonRoot", True, None),
    ("runAsUser", 1000, 0),
    ("runAsUser", 1000, None),
    ("seLinuxOptions", {"level": "s0:c1,c2"}, {}),
    ("seccompProfile", {"type": "RuntimeDefault"}, None),
    ("seccompProfile", {"type": "RuntimeDefault"}, {"type": "Unconfined"}),
    ("seccompProfile", {"type": "Localhost", "localhostProfile": "a"}, {"type": "RuntimeDefault"}),
    ("windowsOptions", {"hostProcess": False}, {"hostProcess": True}),
]
#: The same of a Pod's spec.
OF_POD: list[tuple[str, Any, Any]] = [
    ("automountServiceAccountToken", False, True),
    ("automountServiceAccountToken", False, None),
    ("hostIPC", False, True),
    ("hostNetwork", None, True),
    ("hostPID", False, True),
    ("hostUsers", False, None),
    ("hostUsers", False, True),
    ("runtimeClassName", "kata", None),
    ("runtimeClassName", "kata", "runc"),
    ("shareProcessNamespace", False, True),
]


def of_container(key: str, value: Any) -> Raw:
    context = {} if value is None else {"securityContext": {key: value}}
    return {"containers": [{"name": "web", **context}]}


def of_pod(key: str, value: Any) -> Raw:
    return {"containers": [{"name": "web"}], **({} if value is None else {key: value})}


@pytest.mark.parametrize(("key", "strict", "loose"), OF_CONTAINER)
def test_a_containers_field_has_a_direction(key: str, strict: Any, loose: Any) -> None:
    path = f"spec.containers[web].securityContext.{key}"
    wanted, actual = of_container(key, strict), of_container(key, loose)
    assert list(weakened(wanted, actual)) == ([path] if strict != loose else [])
    assert list(weakened(wanted, wanted)) == []


@pytest.mark.parametrize(
    ("key", "strict", "loose"), [one for one in OF_CONTAINER if one[2] is not None and one[1] is not None]
)
def test_nobody_is_alarmed_by_a_container_that_is_more_isolated(key: str, strict: Any, loose: Any) -> None:
    wanted, actual = of_container(key, loose), of_container(key, strict)
    assert list(weakened(wanted, actual)) == []
    assert list(dropped(wanted, actual)) == []


@pytest.mark.parametrize(("key", "strict", "loose"), OF_POD)
def test_a_pods_field_has_a_direction(key: str, strict: Any, loose: Any) -> None:
    wanted, actual = of_pod(key, strict), of_pod(key, loose)
    assert list(weakened(wanted, actual)) == [f"spec.{key}"]
    if key != "runtimeClassName":
        assert list(weakened(actual, wanted)) == []


@pytest.mark.parametrize(
    "privilege",
    [
        {"allowPrivilegeEscalation": True},
        {"capabilities": {"add": ["NET_ADMIN"]}},
        {"capabilities": {"add": ["ALL"]}},
        {"privileged": True},
    ],
)
@pytest.mark.parametrize("stripped", [{}, {"capabilities": {"drop": ["ALL"]}}, None])
def test_privileges_may_be_stripped(privilege: Raw, stripped: Raw | None) -> None:
    wanted: Raw = {"containers": [{"name": "web", "securityContext": privilege}]}
    context = {} if stripped is None else {"securityContext": stripped}
    actual: Raw = {"containers": [{"name": "web", **context}]}
    assert list(weakened(wanted, actual)) == []
    assert list(dropped(wanted, actual)) == []


@pytest.mark.parametrize("key", ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"])
def test_the_hosts_namespaces_may_be_taken_away(key: str) -> None:
    wanted, actual = of_pod(key, True), of_pod(key, None)  # noqa: FBT003
    assert list(weakened(wanted, actual)) == []
    assert list(dropped(wanted, actual)) == []


def test_a_container_counts_before_its_pod() -> None:
    context: Raw = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    wanted: Raw = {"securityContext": context, "containers": [{"name": "web"}]}
    moved: Raw = {"containers": [{"name": "web", "securityContext": context}]}
    assert list(weakened(wanted, moved)) == []
    opened: Raw = {
        "securityContext": context,
        "containers": [{"name": "web", "securityContext": {"runAsNonRoot": False}}],
    }
    assert list(weakened(wanted, opened)) == ["spec.securityContext.runAsNonRoot"]


def test_more_groups_than_asked_for_are_less_isolated() -> None:
    wanted: Raw = {"containers": [], "securityContext": {"supplementalGroups": [1000, 1001]}}
    for groups, paths in (([1000], []), ([1000, 0], ["spec.securityContext.supplementalGroups"])):
        actual: Raw = {"containers": [], "securityContext": {"supplementalGroups": groups}}
        assert list(weakened(wanted, actual)) == paths


def test_a_mount_that_may_be_written_is_less_isolated() -> None:
    def mounted(**how: Any) -> Raw:
        return {"containers": [{"name": "web", "volumeMounts": [{"name": "v", "mountPath": "/v", **how}]}]}

    path = "spec.containers[web].volumeMounts[/v]."
    assert list(weakened(mounted(readOnly=True), mounted())) == [f"{path}readOnly"]
    assert list(weakened(mounted(), mounted(readOnly=True))) == []
    wide, none = mounted(mountPropagation="Bidirectional"), mounted(mountPropagation="None")
    assert list(weakened(none, wide)) == [f"{path}mountPropagation"]
    assert list(weakened(wide, none)) == []


def test_what_is_injected_is_others_business() -> None:
    wanted: Raw = {"containers": [{"name": "web"}]}
    proxy: Raw = {"name": "istio-init", "securityContext": {"privileged": True, "runAsUser": 0}}
    actual: Raw = {"initContainers": [proxy], "containers": [{"name": "web"}]}
    assert list(weakened(wanted, actual)) == []


def test_unsaid_fields_may_be_filled_in() -> None:
    """OpenShift and Kyverno's defaults fill in fields like these."""
    wanted: Raw = {"containers": [{"name": "web"}]}
    context: Raw = {"runAsUser": 0, "fsGroup": 1, "seLinuxOptions": {"level": "s0"}}
    actual: Raw = {"securityContext": context, "containers": [{"name": "web"}], "hostUsers": True}
    assert list(weakened(wanted, actual)) == []


def test_nothing_is_weakened_in_the_same() -> None:
    page = Path(__file__).parents[2] / "podtemplate/everything.yaml"
    everything = yaml.load(page.read_text("utf-8"), yaml.CSafeLoader)["spec"]
    assert list(weakened(everything, copy.deepcopy(everything))) == []
