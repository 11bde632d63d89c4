"""Claims that a template mounts as file systems: what a machine can't give of them.

KubeVirt shares them by virtiofs, behind a feature gate, from a virtiofsd that has one user and group and no
capabilities: it can't make files for others, nor give files away. The launcher Pod's fsGroup is that group
(kubevirt.io/kubevirt, pkg/virt-controller/services: generateContainerFromVolume of virtiofs.go,
computePodSecurityContext of template.go). To make a file for a process that has the folder's group beside its
own, virtiofsd would have to change its groups (linux/fs/fuse/dir.c, get_create_supp_group), which it can't.
As a disk (disk_claims), a claim holds an image file instead of its files.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls.parity.walk import claim_templates, containers

#: KubeVirt's feature gate.
VIRTIOFS_STORAGE = "EnableVirtioFsStorageVolumes"

_OTHERWISE = (
    "name the volume in spec.virtualMachine.claims (as: Disk), use a claim of volumeMode Block with "
    "volumeDevices, or isolation Container"
)
_CLOSED = (
    f"KubeVirt shares a filesystem claim with a machine only if its feature gate {VIRTIOFS_STORAGE} is "
    "enabled: add it to the KubeVirt object's spec.configuration.developerConfiguration.featureGates, "
    f"{_OTHERWISE}"
)
_GROUP = (
    "KubeVirt shares a filesystem claim as user and group 107, and can't give its files to another group: "
    f"remove it, {_OTHERWISE}"
)
_OTHER = (
    "KubeVirt shares a filesystem claim as user and group 107, so only users and groups 0 and 107 can "
    f"make files in it: use those, mount it with readOnly, {_OTHERWISE}"
)
_BESIDE = (
    "KubeVirt shares a filesystem claim as user and group 107, and a process with 107 as a supplementary "
    "group can't make files in it: set runAsGroup 107, remove it, mount the claim with readOnly, "
    f"{_OTHERWISE}"
)
_MISTAKEN = {
    False: "the volume's ephemeral claim is of volumeMode Block: use volumeDevices, or volumeMode Filesystem",
    True: "the volume's ephemeral claim is of volumeMode Filesystem: use volumeMounts, or volumeMode Block",
}
_ROOT, _VIRTIOFSD = 0, 107


def unsupported_claims(
    spec: Raw, *, virtiofs_storage: bool, disks: AbstractSet[str] = frozenset()
) -> Iterator[UnsupportedField]:
    """What can't be honoured of mounted claims; `virtiofs_storage` says whether the gate is open. `disks` are
    the names of the volumes that aren't shared, since they are disks of the machine.
    """
    yield from _mistaken(spec, disks)
    mounts = list(_mounts(spec, disks))
    if not virtiofs_storage:
        for where, _, mount in mounts:
            yield UnsupportedField(path=f"{where}.volumeMounts[{mount['mountPath']}]", reason=_CLOSED)
        return
    group = (spec.get("securityContext") or {}).get("fsGroup")
    if mounts and group not in {None, _VIRTIOFSD}:
        yield UnsupportedField(path="spec.securityContext.fsGroup", reason=_GROUP)
    for where, container, mount in mounts:
        if not mount["readOnly"]:
            yield from _unwritable(spec, where, container)


def _unwritable(spec: Raw, where: str, container: Raw) -> Iterator[UnsupportedField]:
    """What keeps a container from making files in a claim."""
    user = _identity(spec, where, container, "runAsUser")
    group = _identity(spec, where, container, "runAsGroup")
    for path, identity in (user, group):
        if identity not in {None, _ROOT, _VIRTIOFSD}:
            yield UnsupportedField(path=path, reason=_OTHER)
    if group[1] == _VIRTIOFSD:
        return
    context = spec.get("securityContext") or {}
    if context.get("fsGroup") == _VIRTIOFSD:
        yield UnsupportedField(path="spec.securityContext.fsGroup", reason=_BESIDE)
    if _VIRTIOFSD in (context.get("supplementalGroups") or ()):
        yield UnsupportedField(path="spec.securityContext.supplementalGroups", reason=_BESIDE)


def _mistaken(spec: Raw, disks: AbstractSet[str]) -> Iterator[UnsupportedField]:
    """Ephemeral claims whose volumeMode, known before they are there, doesn't fit how they are used. A Pod
    would wait for ever; KubeVirt would put an image file into a filesystem claim that is to be a disk.
    """
    block = {name: _is_block(made) for name, made in claim_templates(spec).items() if name not in disks}
    for kind, container in containers(spec):
        for how, key, needs in (("volumeMounts", "mountPath", False), ("volumeDevices", "devicePath", True)):
            for used in container.get(how) or ():
                if block.get(used["name"], needs) is not needs:
                    where = f"spec.{kind}[{container['name']}].{how}[{used[key]}]"
                    yield UnsupportedField(path=where, reason=_MISTAKEN[needs])


def _is_block(claim_template: Raw) -> bool:
    return (claim_template.get("spec") or {}).get("volumeMode") == "Block"


def _mounts(spec: Raw, disks: AbstractSet[str]) -> Iterator[tuple[str, Raw, Raw]]:
    """(where, container, mount) of all mounts of claims, each with what makes it readOnly."""
    claims = {
        volume["name"]: claim
        for volume in spec.get("volumes") or ()
        if (claim := volume.get("persistentVolumeClaim") or volume.get("ephemeral"))
        and volume["name"] not in disks
    }
    for kind, container in containers(spec):
        for mount in container.get("volumeMounts") or ():
            if claim := claims.get(mount["name"]):
                read_only = bool(mount.get("readOnly") or claim.get("readOnly"))
                yield f"spec.{kind}[{container['name']}]", container, {**mount, "readOnly": read_only}


def _identity(spec: Raw, where: str, container: Raw, field: str) -> tuple[str, int | None]:
    """Where a container's user or group is said, and which it is, None if only its image says it."""
    for at, part in ((where, container), ("spec", spec)):
        identity = (part.get("securityContext") or {}).get(field)
        if identity is not None:
            return f"{at}.securityContext.{field}", identity
    return where, None
