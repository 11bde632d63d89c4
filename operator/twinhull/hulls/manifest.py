"""The manifest: the ConfigMap that tells the guest what to run, and where it finds what that needs.

Who may write ConfigMaps may write this one. So the VirtualMachine, which only the operator writes, says which
manifest it runs by: its digest is an annotation of the template, and the guest has it on a disk of its own.
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

#: The guest's contract. A guest refuses a version that it doesn't know.
MANIFEST_VERSION = 1
#: The serial number of the disk that the manifest is on, and the file in it.
MANIFEST_DEVICE = "manifest"
MANIFEST_FILE = "manifest.json"
#: On a VirtualMachine's template, and so on each launcher Pod: the digest of the manifest that the machine
#: runs by, and the certificate (PEM) of the authority by whose word it takes another one.
DIGEST_ANNOTATION = f"{GROUP}/manifest"
AUTHORITY_ANNOTATION = f"{GROUP}/guest-authority"
#: The serial number of the disk by which a guest learns both, and the files in it.
TRUST_DEVICE = "trust"
#: In a ConfigMap that isn't held as a whole: the digest of the manifest that it has.
_OUTLINED = f"{GROUP}/digest"
#: How the fields begin that only the guest's operator can tell it.
_NODE_ADDRESS = "status.hostIP"
_TRUST_FILES = {"manifest": DIGEST_ANNOTATION, "client-ca.crt": AUTHORITY_ANNOTATION}

#: Where the guest says whether its Pod is ready, and, to the operator alone, what its status is. The Pod
#: shares the machine's ports, so these and the guest's kubelet's (65251) are of the highest.
PROBE_PORT = 65_254
API_PORT = 65_250


def render(
    workload: ObjectMeta,
    pod: Raw,
    attachments: tuple[Attachment, ...],
    machine: VirtualMachine,
    settings: MachineSettings,
) -> Raw:
    """The ConfigMap that carries a Pod into the machine, of the Pod's own name and owner.

    The Pod in it is what the Container hull would have been, less what only an API server reads. Its ports
    say their protocols, as all did that earlier operators saw: a guest compares what it is given with what it
    runs as they are written.
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
    """What of a Pod's labels goes on the objects that make a machine of it: the template's, which the
    cluster's own rules may ask of everything in a namespace, and whose they are.
    """
    return {label: value for label, value in labels.items() if label not in {HULL_LABEL, HULL_NAME_LABEL}}


def text(config_map: Raw) -> str:
    """The manifest in a ConfigMap."""
    return str((config_map.get("data") or {}).get(MANIFEST_FILE, ""))


def asks_for_node(config_map: Raw) -> bool:
    """Whether a container in a manifest asks for its node's addresses, status.hostIP or status.hostIPs. True,
    too, if the words only stand in it.
    """
    return _NODE_ADDRESS in text(config_map)


def digest(manifest: str) -> str:
    """The digest of a manifest, by which guests name the one that they run by."""
    return hashlib.sha256(manifest.encode()).hexdigest()


def carries(config_map: Raw, wanted: str) -> bool:
    """Whether a ConfigMap has the manifest of that digest, and nothing else."""
    return outlined(config_map).get(_OUTLINED) == wanted


def outlined(config_map: Raw) -> Raw:
    """What is kept of the content of a ConfigMap that isn't held as a whole: the digest of its manifest, if
    there is nothing else in it.
    """
    if UNREAD in config_map:
        return {_OUTLINED: config_map[_OUTLINED]} if _OUTLINED in config_map else {}
    only = (config_map.get("data") or {}).keys() == {MANIFEST_FILE} and not config_map.get("binaryData")
    return {_OUTLINED: digest(text(config_map))} if only else {}


def notes(workload: ObjectMeta, config_map: Raw, settings: MachineSettings) -> Raw:
    """The annotations that tell a machine, and its guest, to run by that manifest."""
    return {
        DIGEST_ANNOTATION: digest(text(config_map)),
        **({AUTHORITY_ANNOTATION: _authority(settings.secret, workload.uid)} if settings.secret else {}),
    }


def noted(vm: Raw) -> str:
    """The digest of the manifest that a machine runs by; empty if an earlier operator made it, which noted
    none.
    """
    template = vm["spec"].get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    return str(annotations.get(DIGEST_ANNOTATION) or "")


def trust(settings: MachineSettings) -> Raw:
    """The volume by which a guest learns what it may trust: its launcher Pod's annotations (kubevirt.io/api/
    core/v1, type DownwardAPIVolumeSource).
    """
    fields = [
        {"path": path, "fieldRef": {"fieldPath": f"metadata.annotations['{annotation}']"}}
        for path, annotation in _TRUST_FILES.items()
        if settings.secret or annotation != AUTHORITY_ANNOTATION
    ]
    return {"name": TRUST_DEVICE, "downwardAPI": {"fields": fields}}


def probe_token(workload: ObjectMeta) -> str:
    """What the probe of a Workload's machine proves itself with, so that no stranger tells the guest its
    address. Who may read the machine may read it.
    """
    return hashlib.sha256(f"twinhull probe {workload.uid}".encode()).hexdigest()[:32]


def _api(workload: ObjectMeta, secret: bytes) -> Raw:
    return {"port": API_PORT, "clientCA": _authority(secret, workload.uid)}


def _authority(secret: bytes, uid: str) -> str:
    """The certificate (PEM) of a Workload's authority."""
    from twinhull.hulls import authority  # noqa: PLC0415  takes time, and only machines with a secret need it

    return authority.certificate(secret, uid)
