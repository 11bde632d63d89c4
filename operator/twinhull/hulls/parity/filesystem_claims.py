"""Claims that a template mounts as file systems: what a machine can't give of them.

KubeVirt shares them by virtiofs, behind a feature gate, from a virtiofsd that has one user and group and no
capabilities: it can't make files for others, nor give files away. The launcher Pod's fsGroup is that group
(kubevirt.io/kubevirt, pkg/virt-controller/services: generateContainerFromVolume of virtiofs.go,
computePodSecurityContext of template.go). As a disk, a claim would hold an image file instead of its files.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.workload import UnsupportedField
from twinhull.hulls.parity.walk import containers

#: KubeVirt's feature gate.
VIRTIOFS_STORAGE = "EnableVirtioFsStorageVolumes"

_OTHERWISE = "use a claim of volumeMode Block with volumeDevices, or isolation Container"
_CLOSED = (
    f"KubeVirt shares a filesystem claim with a machine only behind its feature gate {VIRTIOFS_STORAGE}: "
    "open it in the KubeVirt object's spec.configuration.developerConfiguration.featureGates, "
    f"{_OTHERWISE}"
)
_GROUP = (
    "KubeVirt shares a filesystem claim as user and group 107, and can't give its files to another group: "
    f"set 107, {_OTHERWISE}"
)
_USER = (
    "KubeVirt shares a filesystem claim as user and group 107, so only 0 and 107 can make files in it: use "
    f"0, or 107 with fsGroup 107; mount it with readOnly, {_OTHERWISE}"
)
_ROOT, _VIRTIOFSD = 0, 107


def unsupported_claims(spec: Raw, *, virtiofs_storage: bool) -> Iterator[UnsupportedField]:
    """What can't be honoured of mounted claims; `virtiofs_storage` says whether the gate is open."""
    mounts = list(_mounts(spec))
    if not virtiofs_storage:
        for where, _, mount in mounts:
            yield UnsupportedField(path=f"{where}.volumeMounts[{mount['mountPath']}]", reason=_CLOSED)
        return
    group = (spec.get("securityContext") or {}).get("fsGroup")
    if mounts and group not in {None, _VIRTIOFSD}:
        yield UnsupportedField(path="spec.securityContext.fsGroup", reason=_GROUP)
    for where, container, mount in mounts:
        if not mount["readOnly"]:
            for path, identity in _identities(spec, where, container):
                if identity not in {_ROOT, _VIRTIOFSD}:
                    yield UnsupportedField(path=path, reason=_USER)


def _mounts(spec: Raw) -> Iterator[tuple[str, Raw, Raw]]:
    """(where, container, mount) of all mounts of claims, each with what makes it readOnly."""
    claims = {
        volume["name"]: claim
        for volume in spec.get("volumes") or ()
        if (claim := volume.get("persistentVolumeClaim"))
    }
    for kind, container in containers(spec):
        for mount in container.get("volumeMounts") or ():
            if claim := claims.get(mount["name"]):
                read_only = bool(mount.get("readOnly") or claim.get("readOnly"))
                yield f"spec.{kind}[{container['name']}]", container, {**mount, "readOnly": read_only}


def _identities(spec: Raw, where: str, container: Raw) -> Iterator[tuple[str, int]]:
    """The user and the group of a container's processes, as far as the template says them, and where."""
    for field in ("runAsUser", "runAsGroup"):
        for at, said in ((where, container), ("spec", spec)):
            identity = (said.get("securityContext") or {}).get(field)
            if identity is not None:
                yield f"{at}.securityContext.{field}", identity
                break
