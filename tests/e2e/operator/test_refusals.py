"""What the API server won't have: said in its own words, and tried again when it may pass."""

from __future__ import annotations

import pytest

from tests.controlplane import Api
from tests.e2e.operator.situations.admission import probe_of, service_probe_of, until_refused
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated

#: It passes the Workload's schema, but no Pod's validation.
WRONG = template(containers=[container(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})])


def quota(namespace: str, **hard: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "quota", "namespace": namespace},
        "spec": {"hard": {key.replace("_", "/"): value for key, value in hard.items()}},
    }


def stalls(web: Subject, reason: str) -> str:
    """Wait until a refusal that may pass by itself has come often enough to count; what it says."""

    def stalled() -> str:
        status, actual, message = condition(web.becomes(reason), "Stalled")
        assert (status, actual) == ("True", reason)
        return message

    return web.eventually(stalled, "it is Stalled")


def test_a_pod_that_is_wrong_stalls_in_the_api_servers_words_and_goes_on_when_mended(web: Subject) -> None:
    web.apply("Container", WRONG)
    status, reason, message = condition(web.becomes("PodRefused"), "Stalled")
    assert (status, reason) == ("True", "PodRefused")
    assert 'spec.containers[0].resources.requests: Invalid value: "2": must be less than' in message
    assert web.belongings() == {}

    web.change(template=template())
    web.becomes("Ready")


def test_a_change_that_is_refused_says_so(web: Subject) -> None:
    web.apply("Container")
    web.becomes("Ready")

    web.change(template=WRONG)

    workload = web.becomes("PodRefused")
    assert condition(workload, "Stalled")[0] == "True"
    assert workload["status"]["hull"]["ready"], "what ran before must go on"
    assert web.belongings()["Pod"] == [workload["status"]["hull"]["name"]]


def test_a_full_quota_stalls_is_told_once_and_a_raised_one_lets_it_go_on(web: Subject, api: Api) -> None:
    api.create(quota(web.namespace, pods="0"))
    until_refused(web.cluster, probe_of(web.namespace), "exceeded quota: quota")
    web.apply("Container")
    message = stalls(web, "PodRefused")
    assert "exceeded quota: quota, requested: pods=1, used: pods=0, limited: pods=0" in message

    api.patch("ResourceQuota", "quota", web.namespace, {"spec": {"hard": {"pods": "5"}}})

    web.becomes("Ready")
    # It was tried three times or more until then.
    assert [reason for _, reason, _ in web.all_events()] == ["PodRefused", "Created", "Ready"]


def test_a_service_that_is_refused_does_not_keep_the_hull_from_running(web: Subject, api: Api) -> None:
    api.create(quota(web.namespace, services="0"))
    until_refused(web.cluster, service_probe_of(web.namespace), "exceeded quota: quota")
    web.apply("Container", template(containers=[container(ports=[{"containerPort": 80}])]))
    assert "exceeded quota" in stalls(web, "ServiceRefused")
    web.eventually(lambda: web.get()["status"]["hull"]["ready"], "the hull runs all the same")

    api.patch("ResourceQuota", "quota", web.namespace, {"spec": {"hard": {"services": "5"}}})
    web.becomes("Ready")
    assert "Service" in web.belongings()


def test_a_machine_that_kubevirt_refuses_stalls_in_its_words_and_goes_on_when_mended(web: Subject) -> None:
    web.apply("VirtualMachine", virtualMachine={"overrides": {"volumes": []}})
    status, reason, message = condition(web.becomes("VirtualMachineRefused"), "Stalled")
    assert (status, reason) == ("True", "VirtualMachineRefused")
    assert 'admission webhook "virtualmachine-validator.kubevirt.io" denied the request' in message
    assert "VirtualMachine" not in web.belongings()

    web.change(virtualMachine=None)
    web.becomes("Ready")


def test_a_field_that_kubevirt_does_not_know_is_refused_by_name(web: Subject) -> None:
    web.apply("VirtualMachine", virtualMachine={"overrides": {"domain": {"turbo": True}}})
    message = condition(web.becomes("VirtualMachineRefused"), "Stalled")[2]
    assert 'unknown field "spec.template.spec.domain.turbo"' in message


def test_a_machine_whose_instancetype_is_missing_waits_for_it(web: Subject, api: Api) -> None:
    name = f"late-{web.namespace}"
    web.apply("VirtualMachine", virtualMachine={"instancetype": {"name": name}})
    message = condition(web.becomes("InstancetypeMissing"), "Stalled")[2]
    assert f"VirtualMachineClusterInstancetype {name} does not exist" in message
    assert web.belongings() == {}

    instancetype = {
        "apiVersion": "instancetype.kubevirt.io/v1beta1",
        "kind": "VirtualMachineClusterInstancetype",
        "metadata": {"name": name},
        "spec": {"cpu": {"guest": 1}, "memory": {"guest": "1Gi"}},
    }
    api.create(instancetype)
    web.becomes("Ready")
    api.delete("VirtualMachineClusterInstancetype", name)
