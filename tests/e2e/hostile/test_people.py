"""The people of these tests have the rights that they are said to have, so no attack fails by others."""

from __future__ import annotations

from tests.controlplane import KubectlError
from tests.e2e.hostile.people import Person, is_served
from tests.e2e.operator.subject import Subject, container


def _may(person: Person, verb: str, resource: str, namespace: str | None = None) -> bool:
    try:
        person.kubectl("auth", "can-i", verb, resource, "--namespace", namespace or person.namespace)
    except KubectlError:
        return False
    return True


def test_a_tenant_has_a_namespace(tenant: Person, neighbour: Subject) -> None:
    for resource in ("workloads.twinhull.dev", "configmaps", "secrets", "services", "persistentvolumeclaims"):
        assert _may(tenant, "create", resource)
        assert not _may(tenant, "get", resource, neighbour.namespace)
    for resource in ("pods", "virtualmachines.kubevirt.io", "isolationpolicies.twinhull.dev", "namespaces"):
        assert not _may(tenant, "create", resource)


def test_others_have_less(configurer: Person, stranger: Person) -> None:
    assert _may(configurer, "update", "configmaps")
    assert not _may(configurer, "create", "workloads.twinhull.dev")
    assert not _may(stranger, "get", "configmaps")


def test_a_neighbour_is_served(tenant: Person, neighbour: Subject) -> None:
    spec = {"template": {"spec": {"containers": [container()]}}}
    about = {"name": "web", "namespace": tenant.namespace}
    tenant.api.create(
        {"apiVersion": "twinhull.dev/v1alpha1", "kind": "Workload", "metadata": about, "spec": spec}
    )

    is_served(neighbour)
