"""Quotas: what can't fit even when the old hull is gone leaves the old one as it is."""

from __future__ import annotations

import pytest

from tests.controlplane import Api
from tests.e2e.operator.situations.admission import of_kind, until_refused
from tests.e2e.operator.situations.test_rehearsal import refuses, runs_as, untouched
from tests.e2e.operator.subject import Manifest, Subject, container, template

pytestmark = pytest.mark.simulated


def quota(api: Api, web: Subject, **hard: str) -> None:
    """Make a quota, or make it this one, and wait until what there is has been counted."""
    amounts = {key.replace("__", "/").replace("_", "."): value for key, value in hard.items()}
    made = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "team", "namespace": web.namespace},
        "spec": {"hard": amounts},
    }
    api.apply(made)
    web.eventually(
        lambda: web.one("ResourceQuota", "team")["status"].get("hard") == amounts, "the quota is counted"
    )


def asking(cpu: str = "1", **fields: object) -> Manifest:
    return template(containers=[container(resources={"requests": {"cpu": cpu}}, **fields)])


@pytest.mark.parametrize(("resource", "hard", "most"), [("cpu", "2", "5"), ("memory", "2Gi", "5Gi")])
def test_a_resize_beyond_a_quota_leaves_the_pod(
    web: Subject, api: Api, resource: str, hard: str, most: str
) -> None:
    def of(amount: str) -> Manifest:
        return template(containers=[container(resources={"requests": {resource: amount}})])

    quota(api, web, **{f"requests_{resource}": hard})
    web.apply("Container", of(hard.replace("2", "1")))
    pod = runs_as(web, "Pod")
    web.change(template=of(most))
    web.becomes("PodRefused")
    web.eventually(lambda: web.condition("Stalled")[0] == "True", "it is Stalled")
    assert "exceeded quota: team" in web.condition("Stalled")[2]
    untouched(web, pod)

    quota(api, web, **{f"requests_{resource}": most})
    # It is tried again by itself.
    workload = web.becomes("Ready")
    assert workload["status"]["lastChange"]["how"] == "InPlace"
    assert web.hull()["metadata"]["uid"] == pod["metadata"]["uid"]


def test_another_pod_that_cannot_fit_leaves_the_old_one_and_one_that_will_fit_takes_its_place(
    web: Subject, api: Api
) -> None:
    quota(api, web, requests_cpu="2", pods="1")
    web.apply("Container", asking())
    pod = runs_as(web, "Pod")
    web.apply("Container", asking("3", command=["other"]))
    refuses(web, "PodRefused", "exceeded quota: team", "requests.cpu=3")
    untouched(web, pod)

    web.apply("Container", asking("2", command=["other"]))
    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] != pod["metadata"]["uid"]


def test_what_others_hold_of_a_quota_is_not_taken_for_the_old_pods(web: Subject, api: Api) -> None:
    quota(api, web, requests_cpu="2")
    other = web.named("other")
    other.apply("Container", asking())
    other.becomes("Ready")
    web.apply("Container", asking())
    pod = runs_as(web, "Pod")
    web.apply("Container", asking("1500m", command=["other"]))
    refuses(web, "PodRefused", "exceeded quota: team")
    untouched(web, pod)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ("count__configmaps", "ConfigMapRefused"),
        ("count__virtualmachines.kubevirt.io", "VirtualMachineRefused"),
    ],
)
def test_a_quota_for_what_a_machine_is_made_of_keeps_the_pod(
    web: Subject, api: Api, resource: str, reason: str
) -> None:
    web.apply("Container")
    pod = runs_as(web, "Pod")
    # The ConfigMap that comes to be in each namespace fills the quota.
    web.eventually(lambda: web.one("ConfigMap", "kube-root-ca.crt"), "the namespace has its ConfigMap")
    quota(api, web, **{resource: "1" if "configmaps" in resource else "0"})
    kind = reason.removesuffix("Refused")
    until_refused(web.cluster, of_kind(kind, web.namespace), "exceeded quota: team")
    web.change(isolationPolicy="VirtualMachine")
    refuses(web, reason, "exceeded quota: team")
    untouched(web, pod)

    quota(api, web, **{resource: "5"})
    runs_as(web, "VirtualMachine")


def test_a_quota_that_a_launcher_cannot_fit_keeps_the_pod(web: Subject, api: Api) -> None:
    quota(api, web, requests_memory="512Mi")
    small = container(resources={"requests": {"memory": "64Mi"}})
    web.apply("Container", template(containers=[small]))
    pod = runs_as(web, "Pod")
    large = container(resources={"requests": {"memory": "600Mi"}})
    web.apply("VirtualMachine", template(containers=[large]))
    refuses(web, "PodRefused", "launcher Pod", "exceeded quota: team")
    untouched(web, pod)
