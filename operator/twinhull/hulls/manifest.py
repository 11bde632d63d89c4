"""The manifest: the ConfigMap that tells the guest what to run, and where it finds what that needs."""

from __future__ import annotations

import hashlib
import json

from twinhull.api.base import GROUP, Raw
from twinhull.api.registry import entries
from twinhull.api.workload import ObjectMeta, VirtualMachine
from twinhull.hulls import authority
from twinhull.hulls.attachments import Attachment
from twinhull.hulls.guest import Guest
from twinhull.hulls.hull import REVISION_LABEL, WORKLOAD_LABEL, revision_of

#: The guest's contract. A guest refuses a version that it doesn't know.
MANIFEST_VERSION = 1
#: The serial number of the disk that the manifest is on, and the file in it.
MANIFEST_DEVICE = "manifest"
MANIFEST_FILE = "manifest.json"
#: On the ConfigMap: the digest of the manifest that it was given, by which one that somebody edited is known.
DIGEST_ANNOTATION = f"{GROUP}/manifest"

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
    content = {
        "version": MANIFEST_VERSION,
        "pod": {**pod, "metadata": carried},
        "attachments": [attachment.entry() for attachment in attachments],
        "probe": {"port": PROBE_PORT, "token": probe_token(workload)},
        **({"api": _api(workload, guest.secret)} if guest.secret else {}),
        **({"registries": registries} if registries else {}),
    }
    manifest = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": {label: metadata["labels"][label] for label in (WORKLOAD_LABEL, REVISION_LABEL)},
            "annotations": {DIGEST_ANNOTATION: digest(manifest)},
            "ownerReferences": metadata["ownerReferences"],
        },
        "data": {MANIFEST_FILE: manifest},
    }


def text(config_map: Raw) -> str:
    """The manifest in a ConfigMap."""
    return str((config_map.get("data") or {}).get(MANIFEST_FILE, ""))


def digest(manifest: str) -> str:
    """The digest of a manifest, by which guests name the one that they run by."""
    return hashlib.sha256(manifest.encode()).hexdigest()


def given(config_map: Raw) -> str:
    """The digest of the manifest that the operator gave a ConfigMap, empty if it isn't known."""
    return str((config_map["metadata"].get("annotations") or {}).get(DIGEST_ANNOTATION) or "")


def is_edited(config_map: Raw) -> bool:
    """Whether a ConfigMap's manifest isn't the one that the operator gave it."""
    return given(config_map) not in {"", digest(text(config_map))}


def is_outdated(config_map: Raw, revision: str) -> bool:
    """Whether a ConfigMap must be changed to carry a revision. An immutable one, as it once was, can't be."""
    if config_map.get("immutable"):
        return False
    return revision_of(config_map) != revision or is_edited(config_map)


def probe_token(workload: ObjectMeta) -> str:
    """What the probe of a Workload's machine proves itself with, so that no stranger tells the guest its
    address. Who may read the machine may read it.
    """
    return hashlib.sha256(f"twinhull probe {workload.uid}".encode()).hexdigest()[:32]


def _api(workload: ObjectMeta, secret: bytes) -> Raw:
    return {"port": API_PORT, "clientCA": authority.certificate(secret, workload.uid)}
