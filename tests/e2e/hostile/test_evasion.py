"""Attacks on a floor: what a template or overrides would reach of the node, past a sandbox or a machine."""

from __future__ import annotations

from typing import Any

from tests.controlplane import ControlPlane
from tests.e2e.hostile.people import Person
from tests.e2e.operator.policies import Policies, boxes
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template
from tests.operator_process import OperatorProcess

#: By the field that is named, what a tenant asks for under a floor of VirtualMachine.
PAST_MACHINE: dict[str, Manifest] = {
    f"spec.template.metadata.annotations[{key}]": {"template": template({key: value})}
    for key, value in {
        "container.apparmor.security.beta.kubernetes.io/compute": "unconfined",
        "k8s.v1.cni.cncf.io/networks": "host-network",
        "v1.multus-cni.io/default-network": "kube-system/host",
        "cdi.k8s.io/vendor": "vendor.example/device=all",
        "devices.nri.io/container.compute": "[]",
        "kubevirt.io/libvirt-log-filters": "1:*",
        "kubevirt.io/keep-launcher-alive-after-failure": "true",
        "sidecar.istio.io/proxyImage": "evil.example/x",
        "vault.hashicorp.com/agent-image": "evil.example/x",
        "alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity": "",
    }.items()
} | {
    "spec.template.metadata.labels[kubevirt.io/created-by]": {
        "template": {"metadata": {"labels": {"kubevirt.io/created-by": "x"}}, **template()}
    },
    "spec.virtualMachine.overrides.domain.resources.limits.vendor.example/fpga": {
        "virtualMachine": {"overrides": {"domain": {"resources": {"limits": {"vendor.example/fpga": "1"}}}}}
    },
    "spec.virtualMachine.overrides.resourceClaims": {
        "virtualMachine": {"overrides": {"resourceClaims": [{"name": "gpu"}]}}
    },
    "spec.virtualMachine.overrides.networks[lan].multus": {
        "virtualMachine": {"overrides": {"networks": [{"name": "lan", "multus": {"networkName": "lan"}}]}}
    },
}


def _sandboxed(**fields: Any) -> Manifest:
    return {"template": template(containers=[container(**fields)])}


#: The same under a floor of Sandbox.
PAST_SANDBOX: dict[str, Manifest] = {
    "spec.template.spec.containers[web].resources.limits.vendor.example/fpga": _sandboxed(
        resources={"limits": {"vendor.example/fpga": "1"}}
    ),
    "spec.template.spec.resourceClaims": {
        "template": template(resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}])
    },
    "spec.template.spec.containers[web].ports[0].hostPort": _sandboxed(
        ports=[{"containerPort": 80, "hostPort": 10250}]
    ),
    "spec.template.spec.containers[web].securityContext.seLinuxOptions.type": _sandboxed(
        securityContext={"seLinuxOptions": {"type": "spc_t"}}
    ),
    "spec.template.spec.containers[web].livenessProbe.httpGet.host": _sandboxed(
        livenessProbe={"httpGet": {"host": "127.0.0.1", "port": 10248}}
    ),
    **{
        f"spec.template.metadata.annotations[{key}]": {"template": template({key: value})}
        for key, value in {
            "k8s.v1.cni.cncf.io/networks": "host-network",
            "sidecar.istio.io/userVolume": '{"h": {"hostPath": {"path": "/"}}}',
            "vault.hashicorp.com/agent-json-patch": "[]",
        }.items()
    },
}


def _are_held(
    tenant: Person,
    plane: ControlPlane,
    operator: OperatorProcess,
    isolation: str,
    attacks: dict[str, Manifest],
) -> None:
    """Each is made, named for what it is, and has nothing made for it."""
    for number, spec in enumerate(attacks.values()):
        tenant.api.create(
            {
                "apiVersion": "twinhull.dev/v1alpha1",
                "kind": "Workload",
                "metadata": {"name": f"web-{number}", "namespace": tenant.namespace},
                "spec": {"isolationPolicy": isolation, "template": template(), **spec},
            }
        )
    for number, path in enumerate(attacks):
        held = Subject(plane, tenant.namespace, f"web-{number}", operator.check).becomes("EvadesFloor")
        assert f"reach past that isolation: {path} (" in condition(held, "Stalled")[2]
    for kind in ("Pod", "VirtualMachine"):
        assert plane.api.list(kind, tenant.namespace) == []


def test_nothing_reaches_past_a_machine(
    tenant: Person, policies: Policies, simulation: ControlPlane, operator: OperatorProcess
) -> None:
    policies.enforce("machines", minimum="VirtualMachine")
    _are_held(tenant, simulation, operator, "VirtualMachine", PAST_MACHINE)


def test_nothing_reaches_past_a_sandbox(
    tenant: Person, policies: Policies, simulation: ControlPlane, operator: OperatorProcess
) -> None:
    remove = boxes(simulation.api, "strong")
    policies.enforce("boxed", minimum="Sandbox", sandbox={"runtimeClassName": "strong"})
    _are_held(tenant, simulation, operator, "Sandbox", PAST_SANDBOX)
    remove()
