"""The Containerized Data Importer: its two programs, and what cdi-operator would create for them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.controlplane import build, webhooks
from tests.controlplane.api import ApiError
from tests.controlplane.certificates import Authority
from tests.controlplane.identities import ADMINS
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.controlplane.supervisor import Launch, answers

if TYPE_CHECKING:
    from tests.controlplane.api import Api
    from tests.controlplane.certificates import KeyPair
    from tests.controlplane.identities import Identities
    from tests.controlplane.supervisor import Supervisor

#: Where cdi-apiserver and cdi-controller live: `util.GetNamespace` in CDI, outside a Pod.
NAMESPACE = "cdi"
_ISOLATED = Path(__file__).with_name("isolated.py")
#: Both listen there, on every address.
_PORT = 8443
#: Where simulated Pods have their addresses. If CDI can't ask an importer how far it is, it doesn't write the
#: rest of a DataVolume's status either.
_PODS = "10.0.0.0/8"
#: `controller.TokenKeyDir` in CDI.
_KEYS_PATH = "/var/run/cdi/token/keys"
_SIGNING_KEY = "cdi-api-signing-key"
_SIGNERS = ("uploadserver", "uploadserver-client")

Manifest = dict[str, Any]


def image(name: str) -> str:
    """What one of CDI's images is called. Nobody pulls it."""
    return f"cdi.test/{name}:{build.CDI_VERSION}"


def install(supervisor: Supervisor, api: Api, identities: Identities, api_port: int) -> None:
    """Installs CDI, whose kinds are there already, and waits until DataVolumes can be made.

    Each program runs in a network namespace of its own, which takes root: see isolated.py. When
    cdi-controller asks a Pod for the progress of an import, it asks itself, so the progress stays N/A.
    """
    supervisor.programs |= build.programs(build.CDI, supervisor.say) | {"python": Path(sys.executable)}
    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    _say_deployed(api)
    # A folder where nothing else changes: both read their certificates again on every write in it.
    certificates = supervisor.folder / "pki" / "cdi"
    certificates.mkdir()
    authority = Authority(certificates, "cdi")
    server = authority.server(
        "cdi-apiserver", "cdi-apiserver", (LOOPBACK, "localhost", f"cdi-api.{NAMESPACE}.svc")
    )
    apiserver_port, metrics_port = free_ports(2)
    kubeconfig = identities.kubeconfig(f"system:serviceaccount:{NAMESPACE}:cdi-apiserver", [ADMINS])
    supervisor.start(_apiserver(supervisor, kubeconfig, server, apiserver_port, api_port))
    health = f"https://{LOOPBACK}:{apiserver_port}/healthz"
    supervisor.ready({"cdi-apiserver": lambda: answers(health, authority.files.certificate)})
    # CDI signs by RSA alone (github.com/openshift/library-go, pkg/crypto).
    signers = [Authority(certificates, name, by_rsa=True).files for name in _SIGNERS]
    for name, signer in zip(_SIGNERS, signers, strict=True):
        api.create(_bundle(f"cdi-{name}-signer-bundle", signer))
    kubeconfig = identities.kubeconfig(f"system:serviceaccount:{NAMESPACE}:cdi-sa", [ADMINS])
    keys = _token_keys(api, supervisor.folder / "pki" / "cdi-tokens")
    supervisor.start(_controller(supervisor, kubeconfig, signers, keys, metrics_port, api_port))
    for webhook in _webhooks(supervisor.programs["cdi-webhooks"]):
        api.create(webhooks.at(webhook, apiserver_port, authority.files.certificate))
    supervisor.ready(
        {
            "cdi-controller": lambda: _settled(api),
            "CDI's webhooks": lambda: _asks_cdi_apiserver(api),
        }
    )


def complete_storage_profile(api: Api, storage_class: str, volume_mode: str = "Filesystem") -> None:
    """Completes the StorageProfile of a StorageClass that CDI doesn't know, as administrators do."""
    properties = [{"accessModes": ["ReadWriteOnce"], "volumeMode": volume_mode}]
    api.patch("StorageProfile", storage_class, None, {"spec": {"claimPropertySets": properties}})


def _say_deployed(api: Api) -> None:
    """The CDI object as CDI's releases have it, with what cdi-operator would write in it: the status, since
    its kind has no status subresource, and the annotation without which CDI doesn't read `spec.config` of it
    (containerized-data-importer 1.65, pkg/controller/config-controller.go).
    """
    versions = ("operatorVersion", "observedVersion", "targetVersion")
    api.create(
        {
            "apiVersion": "cdi.kubevirt.io/v1beta1",
            "kind": "CDI",
            "metadata": {"name": "cdi", "annotations": {"cdi.kubevirt.io/configAuthority": ""}},
            "spec": {"config": {"featureGates": ["HonorWaitForFirstConsumer"]}},
            "status": {"phase": "Deployed", **dict.fromkeys(versions, build.CDI_VERSION)},
        }
    )


def _apiserver(supervisor: Supervisor, kubeconfig: Path, server: KeyPair, port: int, api_port: int) -> Launch:
    program = supervisor.programs["cdi-apiserver"]
    return Launch(
        "cdi-apiserver",
        "python",
        _isolated(port, api_port, None, [str(program), f"-kubeconfig={kubeconfig}"]),
        {"CERT_FILE": str(server.certificate), "KEY_FILE": str(server.key)},
    )


def _controller(  # noqa: PLR0913, PLR0917  what it consists of
    supervisor: Supervisor, kubeconfig: Path, signers: list[KeyPair], keys: Path, port: int, api_port: int
) -> Launch:
    program = supervisor.programs["cdi-controller"]
    server, client = signers
    return Launch(
        "cdi-controller",
        "python",
        _isolated(port, api_port, keys, [str(program), f"-kubeconfig={kubeconfig}"]),
        {
            "KUBECONFIG": str(kubeconfig),
            "IMPORTER_IMAGE": image("cdi-importer"),
            "CLONER_IMAGE": image("cdi-cloner"),
            "UPLOADSERVER_IMAGE": image("cdi-uploadserver"),
            "OVIRT_POPULATOR_IMAGE": image("ovirt-populator"),
            "UPLOADPROXY_SERVICE": "cdi-uploadproxy",
            "UPLOAD_SERVER_CERT_FILE": str(server.certificate),
            "UPLOAD_SERVER_KEY_FILE": str(server.key),
            "UPLOAD_CLIENT_CERT_FILE": str(client.certificate),
            "UPLOAD_CLIENT_KEY_FILE": str(client.key),
        },
        # It ends if it can't renew its Lease for 10 s, for a kubelet to start it anew.
        retry_on="leader election lost",
    )


def _isolated(port: int, api_port: int, keys: Path | None, command: list[str]) -> list[str]:
    """Arguments for python."""
    files = [f"--files={keys}:{_KEYS_PATH}"] if keys else []
    return [
        "-I",
        "-S",
        str(_ISOLATED),
        f"--serve={port}:{_PORT}",
        f"--reach={api_port}",
        f"--own={_PODS}",
        *files,
        "--",
        *command,
    ]


def _token_keys(api: Api, folder: Path) -> Path:
    """The key pair that cdi-apiserver made for its tokens, in a folder, as its Secret would be mounted."""
    secret = api.get("Secret", _SIGNING_KEY, NAMESPACE)
    assert secret is not None
    folder.mkdir()
    for name, value in secret["data"].items():
        (folder / name).write_bytes(base64.b64decode(value))
    return folder


def _bundle(name: str, authority: KeyPair) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {"ca-bundle.crt": authority.certificate.read_text(encoding="ascii")},
    }


def _webhooks(program: Path) -> list[Manifest]:
    done = subprocess.run([str(program), NAMESPACE], capture_output=True, text=True, check=True)
    configurations: list[Manifest] = json.loads(done.stdout)
    return configurations


def _settled(api: Api) -> bool:
    """Whether cdi-controller has written its CDIConfig and a StorageProfile."""
    config = api.get("CDIConfig", "config") or {}
    return "filesystemOverhead" in config.get("status", {}) and bool(api.list("StorageProfile"))


def _asks_cdi_apiserver(api: Api) -> bool:
    """Whether the API server has its webhooks in use: it learns of them some time after they are written."""
    storage = {"resources": {"requests": {"storage": "1Gi"}}}
    volume = {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": {"name": "webhooks", "namespace": "default"},
        "spec": {"source": {"http": {"url": "no-url"}}, "storage": storage},
    }
    try:
        api.request("POST", api.path("DataVolume", "default"), volume, query={"dryRun": "All"})
    except ApiError as refusal:  # a webhook alone reads the URL
        return "denied the request" in refusal.message
    return False
