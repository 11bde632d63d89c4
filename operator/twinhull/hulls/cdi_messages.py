"""The table of CDI's messages on a disk that it can't fill, and what to do about each.

The messages are those of CDI's importer and controller (containerized-data-importer 1.65); tests/e2e/cdi
makes both say nearly all of them.
"""

from __future__ import annotations

from twinhull.api import commands

_DAMAGED = "the file can't be read as a disk: see whether it was uploaded whole (qemu-img check)"
_STORAGE_PROFILE = (
    "CDI doesn't know this StorageClass: set accessModes and volumeMode of the disk, or complete the "
    "StorageProfile"
)
# CDI leaves the sizes out of its message (pkg/controller/util.go, simplifyKnownMessage).
_TOO_SMALL = (
    "set size of the disk to the virtual size of the image, or more. CDI's Event on the claim names that "
    "size ({events})"
)
_DESCRIPTION = (
    "this VMDK only describes a disk: give the URL of the -flat.vmdk beside it, or export the disk as one "
    "file (streamOptimized)"
)
_OTHER_CREDENTIALS = "the registry asks for other credentials: see the Secret that secretRef names"
_NO_IMAGE = "the registry has no such image: correct source.url"
_NO_DISK = "the image has no disk: it has to be the only file in its folder /disk"
_OTHER_HOST = (
    "the server's certificate is for another host: use a name in source.url that the certificate has"
)
#: Parts of messages after which no import succeeds before somebody changes something, each with what to
#: change. The first part that the message contains counts. {events} is the command that shows the Events.
_UNTIL_CHANGED = {
    "DataVolume too small to contain image": _TOO_SMALL,
    "got 404": "the URL leads to nothing: correct source.url",
    "got 401": "the server asks for other credentials: see the Secret that secretRef names",
    "got 403": "the credentials don't suffice: see the Secret that secretRef names",
    "checksum mismatch": (
        "the file isn't what source.checksum says: correct source.checksum, or correct the file and delete "
        "the DataVolume, since CDI doesn't try again"
    ),
    "certificate signed by unknown authority": (
        "have certConfigMap name a ConfigMap with the certificate of the server's authority (PEM), for a "
        "registry under a key that ends in .crt or .pem"
    ),
    "x509: cannot validate certificate for": _OTHER_HOST,
    "x509: certificate is valid for": _OTHER_HOST,
    "x509: certificate has expired": "the server's certificate has expired, or isn't valid yet: renew it",
    # Errors of registries (OCI's distribution-spec, Error Codes), as containers/image words them.
    "authentication required": _OTHER_CREDENTIALS,
    "invalid username/password": _OTHER_CREDENTIALS,
    "manifest unknown": _NO_IMAGE,
    "name unknown": _NO_IMAGE,
    "Failed to find VM disk image file": _NO_DISK,
    "image directory contains": _NO_DISK,
    # Errors of S3, as AWS' SDK words them.
    "status code: 404": "the URL leads to nothing: correct source.url",
    "status code: 403": "the credentials are wrong, or don't suffice: see the Secret that secretRef names",
    "static credentials are empty": "S3 needs credentials: name their Secret in secretRef",
    "could not process image header": (
        "the file is shorter than the header of any disk: see what source.url leads to"
    ),
    "-flat.vmdk": _DESCRIPTION,
    "invalid backing file": (
        "the image has only what differs from another image: convert it to a whole one (qemu-img convert)"
    ),
    "writeMatch: distance out of range": (
        "CDI can't unpack what xz -0, -1 or -2 has packed: pack the disk with xz -6, or with gzip"
    ),
    "Could not open": _DAMAGED,
    "could not convert image to raw": _DAMAGED,
}
#: Parts of messages on the content of a file that don't tell what is wrong with the content.
_CONTENT_ERRORS = (
    "DataVolume too small to contain image",
    "could not process image header",
    "Could not open",
    "could not convert image to raw",
)
#: Parts of messages on causes that may end by themselves, each with what to look at meanwhile.
_MAY_PASS = {
    "StorageProfile": _STORAGE_PROFILE,
    "no accessMode": _STORAGE_PROFILE,
    "no storageClass to choose profile": (
        "there is no default StorageClass: set storageClassName of the disk"
    ),
    "unexpected EOF": "the connection broke off, or the file ends too early",
    "connection refused": "nothing answers at the host and the port of source.url",
    "no such host": "the name of the host in source.url can't be resolved from within the cluster",
    "Importer pod cannot be scheduled": "see the Events of the importer Pod ({events})",
    "exceeded quota": (
        "an import needs room for the disk twice, once as scratch space: raise the quota, or wait for room"
    ),
}
#: Whole messages of an import that proceeds as usual, each with its meaning.
_USUAL = {
    "scratch space required and none found": "the importer starts again with scratch space",
    "Import Complete": "",
}


def events(namespace: str) -> str:
    """The command that shows the Events of a namespace, such as those of importer Pods and claims."""
    return commands.others(namespace, "kubectl", "get", "events")


def explained(sentence: str, namespace: str) -> str:
    """A message of CDI on a disk, followed by what to do if that is known; empty if the message tells a
    person nothing.
    """
    if sentence in _USUAL:
        return _USUAL[sentence]
    known = (_UNTIL_CHANGED | _MAY_PASS).items()
    remedy = next((remedy for part, remedy in known if part.lower() in sentence.lower()), "")
    return f"{sentence}: {remedy.format(events=events(namespace))}" if remedy else sentence


def is_of_content(sentence: str) -> bool:
    """Whether a message says that a file was fetched, but isn't the disk image that it was taken for."""
    text = sentence.lower()
    return "-flat.vmdk" not in text and any(part.lower() in text for part in _CONTENT_ERRORS)


def is_final(sentence: str, attempts: int) -> bool:
    """Whether an import that failed with this message after so many attempts can't succeed before somebody
    changes something: CDI has tried more than once, and the cause doesn't end by itself.
    """
    return attempts > 1 and is_failure(sentence)


def is_failure(sentence: str) -> bool:
    """Whether a message names a cause that lasts until somebody changes something."""
    return any(part.lower() in sentence.lower() for part in _UNTIL_CHANGED)
