"""KubeVirt and CDI as API objects: what virt-operator and cdi-operator would create, bent to loopback."""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.controlplane import aggregation, build, components, virthandler, webhooks
from tests.controlplane.api import ApiError
from tests.controlplane.identities import ADMINS
from tests.controlplane.ports import LOOPBACK
from tests.controlplane.supervisor import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.controlplane.api import Api
    from tests.controlplane.components import Ports
    from tests.controlplane.identities import Identities
    from tests.controlplane.pki import Pki
    from tests.controlplane.supervisor import Supervisor

#: Those that the operator makes use of.
FEATURE_GATES = ["EnableVirtioFsStorageVolumes", "PanicDevices"]
NAMESPACE = "kubevirt"
#: Those that virt-api answers; virt-operator, which answers the others, isn't here.
_VIRT_API_WEBHOOKS = ("virt-api-mutator", "virt-api-validator")

# virt-api puts back a VMI's status unless one of KubeVirt's own ServiceAccounts wrote it, so these act by
# their names. virt-handler's is held to the node that its token names (since 1.9), and a certificate names
# none: what stands for it acts by virt-controller's.
CONTROLLER_USER = f"system:serviceaccount:{NAMESPACE}:kubevirt-controller"
API_USER = f"system:serviceaccount:{NAMESPACE}:kubevirt-apiserver"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Installation:
    """Which KubeVirt is installed, and what its machines run on.

    `older` is the release before the newest one. Unless the nodes are `real`, they are simulated, and so is
    virt-handler.
    """

    older: bool = False
    real: bool = False

    @property
    def version(self) -> str:
        """The version that it says it is."""
        return build.OLDER_KUBEVIRT_VERSION if self.older else build.KUBEVIRT_VERSION

    def image(self, name: str) -> str:
        """What one of KubeVirt's images is called. Where nodes are simulated, nobody pulls it."""
        return f"kubevirt.test/{name}:{self.version}"

    def programs(self, say: Callable[[str], None]) -> dict[str, Path]:
        """What it consists of beside the nodes, by the newest release's names. Raises BuildError."""
        names = {f"{name}-{build.OLDER_KUBEVIRT}" if self.older else name: name for name in build.KUBEVIRT}
        built = build.programs([*names, "cdi-manifests"], say)
        return {names.get(name, name): path for name, path in built.items()}


def install(  # noqa: PLR0913, PLR0917  a control plane's parts
    supervisor: Supervisor,
    api: Api,
    identities: Identities,
    pki: Pki,
    ports: Ports,
    installation: Installation,
) -> None:
    """Installs KubeVirt and CDI's kinds, and waits until machines can be made.

    CDI's kinds come before the processes: virt-api and virt-controller end, for a kubelet to start them
    anew, when these kinds appear or go while they run.
    """
    images = (installation.image("virt-handler"), installation.image("virt-launcher"))
    manifests = [
        *_printed_by(supervisor.programs["cdi-manifests"]),
        *_printed_by(supervisor.programs["kubevirt-manifests"], NAMESPACE, installation.version, *images),
    ]
    crds = _of_kind(manifests, "CustomResourceDefinition")
    for crd in crds:
        api.create(crd)
    supervisor.ready({"KubeVirt's and CDI's kinds": lambda: _established(api, crds)})
    _create_installation(api, pki.kubevirt.files.certificate, installation)
    _start_processes(supervisor, identities, pki, ports, installation)
    for manifest in _of_kind(manifests, "ClusterRole", "ClusterRoleBinding"):
        api.create(manifest)
    api.create(aggregation.service("virt-api", NAMESPACE, ports.virt_api))
    for manifest in _of_kind(manifests, "APIService"):
        api.create(_api_service_at(manifest, ports.virt_api, pki.kubevirt.files.certificate))
    for manifest in _of_kind(manifests, "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        if manifest["metadata"]["name"] in _VIRT_API_WEBHOOKS:
            api.create(webhooks.at(manifest, ports.virt_api, pki.kubevirt.files.certificate))
    supervisor.ready({"KubeVirt's webhooks": lambda: _asks_virt_api(api)})
    if installation.real:
        virthandler.install(api, NAMESPACE, manifests, pki.kubevirt)
    _say_phase(api, "Deployed", installation)


def _start_processes(
    supervisor: Supervisor, identities: Identities, pki: Pki, ports: Ports, installation: Installation
) -> None:
    admins = [ADMINS]
    supervisor.start(components.virt_api(identities.kubeconfig(API_USER, admins), pki, ports))
    controller = identities.kubeconfig(CONTROLLER_USER, admins)
    supervisor.start(components.virt_controller(controller, pki, ports, installation.image("virt-launcher")))
    virt_api = f"https://{LOOPBACK}:{ports.virt_api}/apis/subresources.kubevirt.io/v1/healthz"
    virt_controller = f"https://{LOOPBACK}:{ports.virt_controller}/leader"
    authority = pki.kubevirt.files.certificate
    supervisor.ready(
        {
            "virt-api": lambda: answers(virt_api, authority),
            "virt-controller": lambda: answers(virt_controller, authority),
        }
    )
    if not installation.real:
        supervisor.start(components.virt_handler(controller, ports))
        virt_handler = f"http://{LOOPBACK}:{ports.virt_handler}/healthz"
        supervisor.ready({"kwok-virt-handler": lambda: answers(virt_handler)})


def _printed_by(program: Path, *arguments: str) -> list[Manifest]:
    """The manifests that one of our two Go programs prints."""
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program.name} failed: {done.stderr.strip()}")
    manifests: list[Manifest] = json.loads(done.stdout)
    return manifests


def _of_kind(manifests: Iterable[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def _established(api: Api, crds: Iterable[Manifest]) -> bool:
    """Whether all of these are served, and told of by discovery, which comes later. Raises ApiError for one
    that isn't told of.
    """
    names = {crd["metadata"]["name"] for crd in crds}
    served = {
        crd["metadata"]["name"]
        for crd in api.list("CustomResourceDefinition")
        if any(
            c["type"] == "Established" and c["status"] == "True" for c in crd["status"].get("conditions", [])
        )
    }
    if not names <= served:
        return False
    for crd in crds:
        api.path(f"{crd['spec']['names']['kind']}.{crd['spec']['group']}")
    return True


def _asks_virt_api(api: Api) -> bool:
    """Whether the API server has its webhooks in use: it learns of them some time after they are written."""
    domain: Manifest = {"devices": {}, "resources": {"requests": {"memory": "64Mi"}}}
    instance = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "webhooks", "namespace": "default"},
    }
    path = api.path("VirtualMachineInstance", "default")

    def tried(**spec: object) -> Manifest:
        body = instance | {"spec": {"domain": domain, **spec}}
        return api.request("POST", path, body, query={"dryRun": "All"})

    try:
        tried(hostname="not_a_name")  # which only a webhook refuses
    except ApiError:
        return "architecture" in tried()["spec"]  # which only a webhook adds
    return False


def _create_installation(api: Api, authority: Path, installation: Installation) -> None:
    """The KubeVirt object with the status that virt-operator would give it, and KubeVirt's authority.

    Without a default architecture virt-api refuses every machine with "unsupported architecture". It is
    Deployed only once the webhooks are there: a machine made before isn't defaulted, and never starts.
    """
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    api.create(_configuration(installation))
    _say_phase(api, "Deploying", installation)
    api.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "kubevirt-ca", "namespace": NAMESPACE},
            "data": {"ca-bundle": authority.read_text(encoding="ascii")},
        }
    )


def open_gates(api: Api, gates: list[str]) -> None:
    """Opens these feature gates of KubeVirt, and closes all others."""
    api.patch("KubeVirt", "kubevirt", NAMESPACE, {"spec": _gates(gates)})


def say_version(api: Api, version: str) -> None:
    """Has the KubeVirt object say that it is of another version."""
    patch = {"status": {"observedKubeVirtVersion": version}}
    api.patch("KubeVirt", "kubevirt", NAMESPACE, patch, subresource="status")


def _configuration(installation: Installation) -> Manifest:
    spec = _gates(FEATURE_GATES)
    if installation.real:
        spec["configuration"]["developerConfiguration"]["useEmulation"] = True
        # QEMU's translated code isn't in KubeVirt's reckoning: the kernel would kill what is limited tightly.
        spec["configuration"]["additionalGuestMemoryOverheadRatio"] = "4"
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": NAMESPACE},
        "spec": spec,
    }


def _gates(gates: list[str]) -> Manifest:
    return {"configuration": {"developerConfiguration": {"featureGates": gates}}}


def _say_phase(api: Api, phase: str, installation: Installation) -> None:
    status = _status(phase, installation.version)
    api.patch("KubeVirt", "kubevirt", NAMESPACE, {"status": status}, subresource="status")


def _status(phase: str, version: str) -> Manifest:
    deployed = "True" if phase == "Deployed" else "False"
    return {
        "phase": phase,
        "defaultArchitecture": "amd64",
        "operatorVersion": version,
        "observedKubeVirtVersion": version,
        "targetKubeVirtVersion": version,
        "conditions": [
            {"type": "Available", "status": deployed, "reason": phase, "message": "simulated"},
            {"type": "Degraded", "status": "False", "reason": phase, "message": "simulated"},
        ],
    }


def _api_service_at(manifest: Manifest, port: int, authority: Path) -> Manifest:
    """An APIService that reaches virt-api at this port of that Service."""
    bundle = base64.b64encode(authority.read_bytes()).decode()
    service = manifest["spec"]["service"] | {"port": port}
    return manifest | {"spec": manifest["spec"] | {"service": service, "caBundle": bundle}}
