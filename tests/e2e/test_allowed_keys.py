"""deploy/allowed-keys on a real API server: which annotations and labels Workloads may put elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane import Api, Cluster
from tests.controlplane.api import ApiError
from tests.e2e.refusal import refusal

POLICY = Path(__file__).parents[2] / "deploy/allowed-keys/policy.yaml"

Manifest = dict[str, Any]


def workload(namespace: str, service: Manifest | None = None, metadata: Manifest | None = None) -> Manifest:
    template = {"spec": {"containers": [{"name": "c", "image": "registry.example/c"}]}}
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "isolationPolicy": "Container",
            "state": "Stopped",
            **({} if service is None else {"service": service}),
            "template": template if metadata is None else {**template, "metadata": metadata},
        },
    }


@pytest.fixture(scope="module")
def _policy(cluster: Cluster) -> Iterator[None]:
    """In force in one namespace only, that of the tests, which the others of the cluster don't share."""
    policy, binding = yaml.safe_load_all(POLICY.read_text(encoding="utf-8"))
    place = {"matchLabels": {"allowed-keys": "yes"}}
    binding["spec"]["matchResources"] = {"namespaceSelector": place}
    cluster.api.apply(policy)
    cluster.api.apply(binding)
    yield
    cluster.api.delete("ValidatingAdmissionPolicyBinding", binding["metadata"]["name"])
    cluster.api.delete("ValidatingAdmissionPolicy", policy["metadata"]["name"])


@pytest.fixture
def place(cluster: Cluster, namespace: str, _policy: None) -> str:
    """A namespace in which the policy is in force; there is a Workload from before in it."""
    existing = workload(namespace, {"annotations": {"example.com/old": "x"}})
    existing["metadata"]["name"] = "before"
    cluster.api.apply(existing)
    cluster.api.apply(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {"allowed-keys": "yes"}},
        }
    )
    probe = workload(namespace, {"annotations": {"example.com/probe": "x"}})
    cluster.eventually(
        lambda: "example.com/probe" in refusal(cluster.api, probe), 30, "the policy is in force"
    )
    return namespace


def test_keys_that_arent_listed_are_refused_by_name(api: Api, place: str) -> None:
    sources = "service.beta.kubernetes.io/load-balancer-source-ranges"
    for service, metadata, named in (
        ({"annotations": {sources: "0.0.0.0/0"}}, None, f"spec.service.annotations[{sources}]"),
        ({"annotations": {"a/b": "", "prometheus.io/scrape": "true"}}, None, "spec.service.annotations[a/b]"),
        ({"annotations": {"xprometheus.io/scrape": ""}}, None, "annotations[xprometheus.io/scrape]"),
        ({"labels": {"service.kubernetes.io/service-proxy-name": "x"}}, None, "service-proxy-name]"),
        ({"labels": {"application": "x"}}, None, "spec.service.labels[application]"),
        (
            {"loadBalancerClass": "example.com/lb", "type": "LoadBalancer"},
            None,
            "spec.service.loadBalancerClass",
        ),
        (None, {"labels": {"grafana_dashboard": "1"}}, "spec.template.metadata.labels[grafana_dashboard]"),
    ):
        message = refusal(api, workload(place, service, metadata))
        assert "not allowed here: " in message, (service, metadata)
        assert named in message
        assert "scrape]" not in message or "xprometheus" in message


@pytest.mark.parametrize(
    ("service", "metadata"),
    [
        (None, None),
        ({}, {}),
        ({"annotations": {"prometheus.io/scrape": "true"}, "labels": {"app": "web"}}, {"labels": None}),
        ({"annotations": {}}, {"labels": {"app.kubernetes.io/name": "web", "team": "blue"}}),
    ],
)
def test_what_is_listed_is_let_through(
    api: Api, place: str, service: Manifest | None, metadata: Manifest | None
) -> None:
    assert refusal(api, workload(place, service, metadata)) == ""


def test_a_machine_that_boots_a_disk_needs_no_template(api: Api, place: str) -> None:
    def booting(service: Manifest | None = None) -> Manifest:
        manifest = workload(place, service)
        del manifest["spec"]["template"]
        disk = {"source": {"containerDisk": {"image": "registry.example/disks/web:1"}}}
        machine = {"memory": "1Gi", "firmware": {"bootloader": "BIOS"}, "bootDisk": disk}
        manifest["spec"] |= {"isolationPolicy": "VirtualMachine", "virtualMachine": machine}
        return manifest

    assert refusal(api, booting()) == ""
    assert "spec.service.annotations[a/b]" in refusal(api, booting({"annotations": {"a/b": ""}}))


def test_a_workload_from_before_is_let_through_until_it_is_changed(api: Api, place: str) -> None:
    path = f"{api.path('Workload', place)}/before"
    found = api.request("GET", path)
    found["metadata"]["labels"] = {"touched": "yes"}
    found = api.request("PUT", path, found)
    found["spec"]["state"] = "Running"
    with pytest.raises(ApiError, match="not allowed here"):
        api.request("PUT", path, found)
