"""The manifest: the ConfigMap that tells the guest what to run, and where it finds what that needs."""

from __future__ import annotations

import json

from twinhull.api.base import Raw
from twinhull.hulls.attachments import Attachment
from twinhull.hulls.hull import REVISION_LABEL, WORKLOAD_LABEL

#: The guest's contract. A guest refuses a version that it doesn't know.
MANIFEST_VERSION = 1
#: The serial number of the disk that the manifest is on, and the file in it.
MANIFEST_DEVICE = "manifest"
MANIFEST_FILE = "manifest.json"


def render(pod: Raw, attachments: tuple[Attachment, ...]) -> Raw:
    """The ConfigMap that carries a Pod into the machine, of the Pod's own name and owner.

    The Pod in it is what the Container hull would have been, less what only an API server reads.
    """
    metadata = pod["metadata"]
    carried = {
        key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if key in metadata
    }
    manifest = {
        "version": MANIFEST_VERSION,
        "pod": {**pod, "metadata": carried},
        "attachments": [attachment.entry() for attachment in attachments],
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
