"""The Pod of a launcher's rehearsal: it asks for no more than KubeVirt's, and is no less confined."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.hulls.launcher_rehearsal import LauncherSettings, limits_memory, render

DEFAULT = LauncherSettings()


def machine(**spec: Any) -> Raw:
    inside = {"labels": {"app": "web"}, "annotations": {"a": "b", "kubectl.kubernetes.io/restartedAt": "now"}}
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "ownerReferences": [{"uid": "u"}]},
        "spec": {"template": {"metadata": inside, "spec": {"domain": {}, **spec}}},
    }


def resources(domain: Raw, settings: LauncherSettings = DEFAULT) -> Raw:
    found: Raw = render(machine(domain=domain), settings)["spec"]["containers"][0]["resources"]
    return found


def test_what_kubevirt_passes_on_is_on_it() -> None:
    passed: Raw = {
        "affinity": {"nodeAffinity": {}},
        "nodeSelector": {"disk": "ssd"},
        "priorityClassName": "high",
        "schedulerName": "own",
        "tolerations": [{"operator": "Exists"}],
        "topologySpreadConstraints": [{"maxSkew": 1}],
        "hostname": "web",
    }
    made = render(machine(**passed), DEFAULT)
    assert {key: made["spec"][key] for key in passed} == passed
    assert made["metadata"]["labels"]["app"] == "web"
    assert made["metadata"]["annotations"] == {"a": "b"}
    assert made["metadata"]["name"] == "web-1"


def test_it_runs_as_the_account_whose_token_the_machine_has() -> None:
    token = [{"name": "t", "serviceAccount": {"serviceAccountName": "shop"}}]
    assert render(machine(volumes=token), DEFAULT)["spec"]["serviceAccountName"] == "shop"
    spec = render(machine(), DEFAULT)["spec"]
    assert "serviceAccountName" not in spec
    assert spec["automountServiceAccountToken"] is False


@pytest.mark.parametrize("token", [False, True])
def test_it_runs_as_the_account_that_the_machine_names(*, token: bool) -> None:
    volumes = [{"name": "t", "serviceAccount": {"serviceAccountName": "shop"}}] if token else []
    spec = render(machine(serviceAccountName="builder", volumes=volumes), DEFAULT)["spec"]
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("builder", token)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"runtimeDefaultProfile": True}, {"type": "RuntimeDefault"}),
        ({"localhostProfile": "kubevirt.json"}, {"type": "Localhost", "localhostProfile": "kubevirt.json"}),
        ({}, None),
    ],
)
def test_it_has_the_seccomp_profile_that_kubevirt_is_told_to_give(profile: Raw, expected: Raw | None) -> None:
    configuration = {"seccompConfiguration": {"virtualMachineInstanceProfile": {"customProfile": profile}}}
    settings = LauncherSettings.read({"spec": {"configuration": configuration}})
    made = render(machine(), settings)
    assert made["spec"]["securityContext"].get("seccompProfile") == expected


def test_it_is_confined_as_kubevirt_is_told_to() -> None:
    usual = render(machine(), DEFAULT)["spec"]
    user = {"runAsUser": 107, "runAsGroup": 107, "runAsNonRoot": True, "fsGroup": 107}
    assert usual["securityContext"] == user
    assert usual["containers"][0]["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert "runtimeClassName" not in usual
    configuration = {
        "selinuxLauncherType": "virt_launcher.process",
        "defaultRuntimeClass": "kata",
        "developerConfiguration": {"featureGates": ["Root"]},
    }
    made = render(machine(), LauncherSettings.read({"spec": {"configuration": configuration}}))["spec"]
    assert made["runtimeClassName"] == "kata"
    assert made["securityContext"] == {
        "runAsUser": 0,
        "fsGroup": 107,
        "seLinuxOptions": {"type": "virt_launcher.process"},
    }
    assert made["containers"][0]["securityContext"] == {
        "capabilities": {"add": ["NET_BIND_SERVICE", "SYS_NICE"]}
    }


def test_it_asks_for_no_more_than_kubevirt_does() -> None:
    sized: Raw = {"cpu": {"cores": 2}, "memory": {"guest": "1Gi"}}
    least = {"cpu": "200m", "memory": str(1 << 30)}
    assert resources(sized) == {"requests": least, "limits": least}
    shared = LauncherSettings(memory_overcommit=200, cpu_ratio=4)
    assert resources(sized, shared)["requests"] == {"cpu": "500m", "memory": str(1 << 29)}
    requirements = {"requests": {"memory": "64Mi", "cpu": "1"}, "limits": {"cpu": "2"}}
    assert resources({**sized, "resources": requirements}) == {
        "requests": {"memory": "64Mi", "cpu": "1"},
        "limits": {"memory": "64Mi", "cpu": "2"},
    }


def test_memory_in_huge_pages_is_none_of_it() -> None:
    memory = {"guest": "1Gi", "hugepages": {"pageSize": "2Mi"}}
    requirements = {"requests": {"memory": "1Gi", "cpu": "1"}, "limits": {"memory": "1Gi"}}
    assert resources({"memory": memory, "resources": requirements}) == {
        "requests": {"cpu": "1"},
        "limits": {"cpu": "1"},
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"domain": None},
        {"domain": "x"},
        {"domain": {"cpu": "x", "memory": ["x"], "resources": "x"}},
        {"domain": {"cpu": {"cores": "x"}, "memory": {"guest": "much"}}},
        {"domain": {"cpu": {"cores": None}, "memory": {"guest": None}}},
        {"domain": {"resources": {"requests": "x", "limits": ["y"]}}},
        {"volumes": None},
        {"volumes": 7},
        {"serviceAccountName": {"name": "builder"}},
        {"volumes": ["x", {"serviceAccount": "y"}, {"serviceAccount": {"serviceAccountName": 7}}]},
    ],
)
def test_overrides_that_make_no_sense_say_nothing(wrong: Raw) -> None:
    """KubeVirt decides what these overrides amount to."""
    for limited in (True, False):
        made = render(machine(**wrong), DEFAULT, limited=limited)
        assert made["spec"]["containers"][0]["resources"] == {"requests": {}, "limits": {}}
        assert "serviceAccountName" not in made["spec"]
    assert not limits_memory(machine(**wrong))


def test_without_limits_it_has_the_machines_own_only() -> None:
    sized: Raw = {"memory": {"guest": "1Gi"}}
    for requirements in ({}, {"limits": {"cpu": "2"}}):
        vm = machine(domain={**sized, "resources": requirements})
        made = render(vm, DEFAULT, limited=False)["spec"]["containers"][0]["resources"]
        assert (made["limits"], limits_memory(vm)) == (requirements.get("limits", {}), False)
    assert limits_memory(machine(domain={"resources": {"limits": {"memory": "1Gi"}}}))


def test_of_an_instancetypes_machine_no_size_is_known() -> None:
    assert resources({}) == {"requests": {}, "limits": {}}


def test_settings_that_are_not_said_are_kubevirts_own() -> None:
    assert LauncherSettings.read({}) == DEFAULT
    developer = {"developerConfiguration": {"memoryOvercommit": 150, "cpuAllocationRatio": 3}}
    found = LauncherSettings.read({"spec": {"configuration": developer}})
    assert (found.memory_overcommit, found.cpu_ratio) == (150, 3)
