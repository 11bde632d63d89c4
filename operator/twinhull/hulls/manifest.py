"""The manifest: the ConfigMap that tells the guest which Pod to run, and where to find what the Pod refers
to.

Whoever may write ConfigMaps may write this one. So the VirtualMachine, which only the operator writes, names
the manifest to run by: the manifest's digest is an annotation of its template, and the guest reads it from a
disk of its own.
"""

from __future__ import annotations

import hashlib
import json

from twinhull.api.base import GROUP, Raw
from twinhull.api.reading import UNREAD
from twinhull.api.registry import entries
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.api.workload import ObjectMeta
from twinhull.hulls.attachments import Attachment
from twinhull.hulls.hull import HULL_LABEL, HULL_NAME_LABEL
from twinhull.hulls.machine_settings import MachineSettings
from twinhull.hulls.pod import with_protocols

#: The version of the guest's contract. A guest refuses a version that it doesn't know.
MANIFEST_VERSION = 1
#: The serial number of the disk with the manifest, and the name of the manifest's file.
MANIFEST_DEVICE = "manifest"
MANIFEST_FILE = "manifest.json"
#: On the template of a VirtualMachine, and so on each launcher Pod: the digest of the manifest that the
#: machine runs by, and the certificate (PEM) of the authority by whose word the guest accepts another
#: manifest.
DIGEST_ANNOTATION = f"{GROUP}/manifest"
AUTHORITY_ANNOTATION = f"{GROUP}/guest-authority"
#: The serial number of the disk from which a guest reads both, and the names of its files.
TRUST_DEVICE = "trust"
#: In an outlined ConfigMap: the digest of its manifest.
_OUTLINED = f"{GROUP}/digest"
#: The prefix of the fields whose values only an operator can tell a guest.
_NODE_ADDRESS = "status.hostIP"
_TRUST_FILES = {"manifest": DIGEST_ANNOTATION, "client-ca.crt": AUTHORITY_ANNOTATION}

#: The ports on which the guest answers the readiness probe, and the operator's requests. The Pod shares the
#: machine's ports, so these and the port of the guest's kubelet (65251) are among the highest.
PROBE_PORT = 65_254
API_PORT = 65_250


def render(
    workload: ObjectMeta,
    pod: Raw,
    attachments: tuple[Attachment, ...],
    machine: VirtualMachine,
    settings: MachineSettings,
) -> Raw:
    """The ConfigMap that carries a Pod into the machine, with the Pod's name and owner.

    The Pod in it is that of the Container hull, without the fields that only an API server reads. Its ports
    name their protocols, as in the manifests of earlier operators: a guest compares a new manifest with the
    running one as they are written.
    """
    metadata = pod["metadata"]
    carried = {
        key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if key in metadata
    }
    registries = entries(machine.registries or (), settings.registries)
    content = {
        "version": MANIFEST_VERSION,
        "pod": {**pod, "metadata": carried, "spec": with_protocols(pod["spec"])},
        "attachments": [attachment.entry() for attachment in attachments],
        "probe": {"port": PROBE_PORT, "token": probe_token(workload)},
        **({"api": _api(workload, settings.secret)} if settings.secret else {}),
        **({"registries": registries} if registries else {}),
    }
    manifest = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": companion_labels(metadata["labels"]),
            "ownerReferences": metadata["ownerReferences"],
        },
        "data": {MANIFEST_FILE: manifest},
    }


def companion_labels(labels: Raw) -> Raw:
    """The labels of a Pod that its machine's objects get: the template's, which policies of the cluster may
    require of every object in a namespace, and those that name the Workload and the revision.
    """
    return {label: value for label, value in labels.items() if label not in {HULL_LABEL, HULL_NAME_LABEL}}


def text(config_map: Raw) -> str:
    """The manifest in a ConfigMap."""
    return str((config_map.get("data") or {}).get(MANIFEST_FILE, ""))


def asks_for_node(config_map: Raw) -> bool:
    """Whether a container in a manifest asks for its node's addresses (status.hostIP or status.hostIPs). Also
    True if the text occurs elsewhere in the manifest.
    """
    return _NODE_ADDRESS in text(config_map)


def digest(manifest: str) -> str:
    """The digest of a manifest (SHA-256, in hex), by which guests name the manifest that they run by."""
    return hashlib.sha256(manifest.encode()).hexdigest()


def carries(config_map: Raw, wanted: str) -> bool:
    """Whether a ConfigMap contains the manifest of the digest `wanted`, and nothing else."""
    return outlined(config_map).get(_OUTLINED) == wanted


def outlined(config_map: Raw) -> Raw:
    """The content of an outlined ConfigMap: the digest of its manifest; empty if the ConfigMap contains
    anything else.
    """
    if UNREAD in config_map:
        return {_OUTLINED: config_map[_OUTLINED]} if _OUTLINED in config_map else {}
    only = (config_map.get("data") or {}).keys() == {MANIFEST_FILE} and not config_map.get("binaryData")
    return {_OUTLINED: digest(text(config_map))} if only else {}


def notes(workload: ObjectMeta, config_map: Raw, settings: MachineSettings) -> Raw:
    """The annotations by which a machine and its guest run by this manifest."""
    return {
        DIGEST_ANNOTATION: digest(text(config_map)),
        **({AUTHORITY_ANNOTATION: _authority(settings.secret, workload.uid)} if settings.secret else {}),
    }


def noted(vm: Raw) -> str:
    """The digest of the manifest that a machine runs by; empty if an earlier operator made the machine
    without noting one.
    """
    template = vm["spec"].get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(DIGEST_ANNOTATION) or "")


def trust(settings: MachineSettings) -> Raw:
    """The volume from which a guest reads what to trust: annotations of its launcher Pod
    (kubevirt.io/api/core/v1, type DownwardAPIVolumeSource).
    """
    fields = [
        {"path": path, "fieldRef": {"fieldPath": f"metadata.annotations['{annotation}']"}}
        for path, annotation in _TRUST_FILES.items()
        if settings.secret or annotation != AUTHORITY_ANNOTATION
    ]
    return {"name": TRUST_DEVICE, "downwardAPI": {"fields": fields}}


def probe_token(workload: ObjectMeta) -> str:
    """The token that the probe of a Workload's machine sends, so that no one else makes the guest take an
    address for its own. Whoever may read the VirtualMachine may read it.
    """
    return hashlib.sha256(f"twinhull probe {workload.uid}".encode()).hexdigest()[:32]


def _api(workload: ObjectMeta, secret: bytes) -> Raw:
    return {"port": API_PORT, "clientCA": _authority(secret, workload.uid)}


def _authority(secret: bytes, uid: str) -> str:
    """The certificate (PEM) of a Workload's authority."""
    from twinhull.hulls import authority  # noqa: PLC0415  takes time, and only machines with a secret need it

    return authority.certificate(secret, uid)
