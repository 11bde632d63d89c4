"""The manifest: the ConfigMap that tells the guest what to run, and where it finds what that needs."""

from __future__ import annotations

import hashlib
import json

from twinhull.api.base import Raw
from twinhull.api.registry import entries
from twinhull.api.workload import ObjectMeta, VirtualMachine
from twinhull.hulls import authority
from twinhull.hulls.attachments import Attachment
from twinhull.hulls.guest import Guest
from twinhull.hulls.hull import REVISION_LABEL, WORKLOAD_LABEL

#: The guest's contract. A guest refuses a version that it doesn't know.
MANIFEST_VERSION = 1
#: The serial number of the disk that the manifest is on, and the file in it.
MANIFEST_DEVICE = "manifest"
MANIFEST_FILE = "manifest.json"

#: Where the guest says whether its Pod is ready, and, to the operator alone, what its status is. The Pod
#: shares the machine's ports, so these and the guest's kubelet's (65251) are of the highest.
PROBE_PORT = 65_254
API_PORT = 65_250


def render(
    workload: ObjectMeta,
    pod: Raw,
    attachments: tuple[Attachment, ...],
    machine: VirtualMachine,
    guest: Guest,
) -> Raw:
    """The ConfigMap that carries a Pod into the machine, of the Pod's own name and owner.

    The Pod in it is what the Container hull would have been, less what only an API server reads.
    """
    metadata = pod["metadata"]
    carried = {
        key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if key in metadata
    }
    registries = entries(machine.registries or (), guest.registries)
    manifest = {
        "version": MANIFEST_VERSION,
        "pod": {**pod, "metadata": carried},
        "attachments": [attachment.entry() for attachment in attachments],
        "probe": {"port": PROBE_PORT, "token": probe_token(workload)},
        **({"api": _api(workload, guest.secret)} if guest.secret else {}),
        **({"registries": registries} if registries else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {label: metadata["labels"][label] for label in (WORKLOAD_LABEL, REVISION_LABEL)},
            "ownerReferences": metadata["ownerReferences"],
        },
        "immutable": True,
        "data": {MANIFEST_FILE: json.dumps(manifest, ensure_ascii=False, sort_keys=True)},
    }


def probe_token(workload: ObjectMeta) -> str:
    """What the probe of a Workload's machine proves itself with, so that no stranger tells the guest its
    address. Who may read the machine may read it.
    """
    return hashlib.sha256(f"twinhull probe {workload.uid}".encode()).hexdigest()[:32]


def _api(workload: ObjectMeta, secret: bytes) -> Raw:
    return {"port": API_PORT, "clientCA": authority.certificate(secret, workload.uid)}
