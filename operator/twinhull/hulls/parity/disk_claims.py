"""The objections to claims of a template that are disks of the machine.

The guest has a file system of its own on such a disk, so the machine must be able to write to it, and no
container can use the disk itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls.parity.walk import containers

_NAMED = "spec.virtualMachine.claims names this volume (as: Disk)"
_READ_ONLY = (
    f"{_NAMED}, and a machine that can't write to a disk can't mount its file system after a crash: remove "
    "it, and set readOnly in the volumeMounts"
)
_USED_AS_DEVICE = f"{_NAMED}, and the guest has a file system on it: use volumeMounts, or remove that entry"
_CLAIM_USED_TWICE = (
    f"{_NAMED}, and the volume {{other}} has the same claim and isn't a disk: use one volume for both, with "
    "subPath where they differ"
)


def unsupported_disks(spec: Raw, disks: AbstractSet[str]) -> Iterator[UnsupportedField]:
    """The objections to the volumes of these names."""
    claims = {
        volume["name"]: claim
        for volume in spec.get("volumes") or ()
        if (claim := volume.get("persistentVolumeClaim"))
    }
    shared = {claim["claimName"]: name for name, claim in claims.items() if name not in disks}
    for name, claim in claims.items():
        at = f"spec.volumes[{name}].persistentVolumeClaim"
        if name in disks and claim.get("readOnly"):
            yield UnsupportedField(path=f"{at}.readOnly", reason=_READ_ONLY)
        if name in disks and (other := shared.get(claim["claimName"])):
            yield UnsupportedField(path=f"{at}.claimName", reason=_CLAIM_USED_TWICE.format(other=other))
    for kind, container in containers(spec):
        for device in container.get("volumeDevices") or ():
            if device["name"] in disks:
                path = f"spec.{kind}[{container['name']}].volumeDevices[{device['devicePath']}]"
                yield UnsupportedField(path=path, reason=_USED_AS_DEVICE)
