"""What CDI says of a disk that it can't fill, and what to do about it.

The sentences are CDI's own (containerized-data-importer 1.65: pkg/importer, pkg/controller/datavolume).
"""

from __future__ import annotations

import re

from twinhull.hulls import quantity

_TOO_SMALL = re.compile(r"virtual image size (\d+) is larger", re.IGNORECASE)
#: What is part of CDI's sentence, and what to do then.
_REMEDIES = (
    # What CDI makes of every lack of room, among them an image that is larger than the claim: it drops the
    # numbers (pkg/controller/util.go, simplifyKnownMessage).
    (
        "DataVolume too small to contain image",
        "give the disk another name, and set size to the virtual size that qemu-img info shows, or more",
    ),
    (
        "StorageProfile",
        (
            "CDI doesn't know this StorageClass: set accessModes and volumeMode of the disk, or complete the "
            "StorageProfile"
        ),
    ),
    (
        "no storageClass to choose profile",
        "there is no default StorageClass: set storageClassName of the disk",
    ),
    ("got 404", "the URL leads to nothing: correct source.url"),
    ("got 401", "the server asks for credentials: see the Secret that secretRef names"),
    ("got 403", "the credentials don't suffice: see the Secret that secretRef names"),
    ("checksum mismatch", "the file isn't what source.checksum says: see which of the two is wrong"),
    ("certificate signed by unknown authority", "name the server's authority in certConfigMap"),
    ("no such host", "the host's name can't be resolved from within the cluster: correct source.url"),
    ("Importer pod cannot be scheduled", "see the events of the importer Pod (kubectl get events)"),
    ("exceeded quota", "an import needs room for the disk twice, once as scratch space: raise the quota"),
    ("unexpected EOF", "the file ends too early: see whether it was uploaded whole"),
    ("Could not open", "the file can't be read as a disk: see qemu-img info"),
)


def explained(sentence: str) -> str:
    """CDI's sentence, with what to do where that is known."""
    if too_small := _TOO_SMALL.search(sentence):
        size = quantity.mebibytes(quantity.parse(too_small[1]))
        return f"{sentence}: set size of the disk to {size} or more"
    remedy = next((remedy for part, remedy in _REMEDIES if part.lower() in sentence.lower()), "")
    return f"{sentence}: {remedy}" if remedy else sentence


def is_failure(sentence: str) -> bool:
    """Whether it tells of an import that can't succeed before somebody changes something."""
    known = (part.lower() in sentence.lower() for part, _ in _REMEDIES)
    return bool(_TOO_SMALL.search(sentence)) or any(known)
