"""The objections to claims that a template mounts as file systems in a machine.

KubeVirt shares such claims by virtiofs, which needs a feature gate. Its virtiofsd has one user and group and
no capabilities: it can't make files for other users, nor change the owner of a file. The launcher Pod's
fsGroup is that group (kubevirt.io/kubevirt, pkg/virt-controller/services: generateContainerFromVolume of
virtiofs.go, computePodSecurityContext of template.go). If the folder's group is a supplementary group of a
process, virtiofsd would have to change its own groups to make the process's files (linux/fs/fuse/dir.c,
get_create_supp_group), which it can't. A claim that is a disk (disk_claims) holds an image file instead of
its files.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls.parity.walk import claim_templates, containers

#: KubeVirt's feature gate.
VIRTIOFS_STORAGE = "EnableVirtioFsStorageVolumes"

_ALTERNATIVES = (
    "name the volume in spec.virtualMachine.claims (as: Disk), use a claim of volumeMode Block with "
    "volumeDevices, or isolation Container"
)
_GATE_DISABLED = (
    f"KubeVirt shares a filesystem claim with a machine only if its feature gate {VIRTIOFS_STORAGE} is "
    "enabled: add it to the KubeVirt object's spec.configuration.developerConfiguration.featureGates, "
    f"{_ALTERNATIVES}"
)
_OTHER_FS_GROUP = (
    "KubeVirt shares a filesystem claim as user and group 107, and can't give its files to another group: "
    f"remove it, {_ALTERNATIVES}"
)
_OTHER_ID = (
    "KubeVirt shares a filesystem claim as user and group 107, so only users and groups 0 and 107 can "
    f"make files in it: use those, mount it with readOnly, {_ALTERNATIVES}"
)
_SUPPLEMENTARY_GROUP = (
    "KubeVirt shares a filesystem claim as user and group 107, and a process with 107 as a supplementary "
    "group can't make files in it: set runAsGroup 107, remove it, mount the claim with readOnly, "
    f"{_ALTERNATIVES}"
)
_WRONG_VOLUME_MODE = {
    False: "the volume's ephemeral claim is of volumeMode Block: use volumeDevices, or volumeMode Filesystem",
    True: "the volume's ephemeral claim is of volumeMode Filesystem: use volumeMounts, or volumeMode Block",
}
_ROOT, _VIRTIOFSD = 0, 107


def unsupported_claims(
    spec: Raw, *, virtiofs_storage: bool, disks: AbstractSet[str] = frozenset()
) -> Iterator[UnsupportedField]:
    """The objections to mounted claims. `virtiofs_storage` says whether KubeVirt's feature gate is enabled.
    `disks` are the names of the volumes that are disks of the machine, and so aren't shared.
    """
    yield from _wrong_volume_mode(spec, disks)
    mounts = list(_mounts(spec, disks))
    if not virtiofs_storage:
        for where, _, mount in mounts:
            yield UnsupportedField(path=f"{where}.volumeMounts[{mount['mountPath']}]", reason=_GATE_DISABLED)
        return
    group = (spec.get("securityContext") or {}).get("fsGroup")
    if mounts and group not in {None, _VIRTIOFSD}:
        yield UnsupportedField(path="spec.securityContext.fsGroup", reason=_OTHER_FS_GROUP)
    for where, container, mount in mounts:
        if not mount["readOnly"]:
            yield from _unwritable(spec, where, container)


def _unwritable(spec: Raw, where: str, container: Raw) -> Iterator[UnsupportedField]:
    """The settings of a container by which it can't make files in a claim."""
    user = _identity(spec, where, container, "runAsUser")
    group = _identity(spec, where, container, "runAsGroup")
    for path, identity in (user, group):
        if identity not in {None, _ROOT, _VIRTIOFSD}:
            yield UnsupportedField(path=path, reason=_OTHER_ID)
    if group[1] == _VIRTIOFSD:
        return
    context = spec.get("securityContext") or {}
    if context.get("fsGroup") == _VIRTIOFSD:
        yield UnsupportedField(path="spec.securityContext.fsGroup", reason=_SUPPLEMENTARY_GROUP)
    if _VIRTIOFSD in (context.get("supplementalGroups") or ()):
        yield UnsupportedField(path="spec.securityContext.supplementalGroups", reason=_SUPPLEMENTARY_GROUP)


def _wrong_volume_mode(spec: Raw, disks: AbstractSet[str]) -> Iterator[UnsupportedField]:
    """The uses of ephemeral claims that don't fit the claims' volumeMode, which the template tells. A Pod
    would wait forever, and KubeVirt would put an image file into a filesystem claim that is used as a disk.
    """
    block = {name: _is_block(made) for name, made in claim_templates(spec).items() if name not in disks}
    for kind, container in containers(spec):
        for how, key, needs in (("volumeMounts", "mountPath", False), ("volumeDevices", "devicePath", True)):
            for used in container.get(how) or ():
                if block.get(used["name"], needs) is not needs:
                    where = f"spec.{kind}[{container['name']}].{how}[{used[key]}]"
                    yield UnsupportedField(path=where, reason=_WRONG_VOLUME_MODE[needs])


def _is_block(claim_template: Raw) -> bool:
    return (claim_template.get("spec") or {}).get("volumeMode") == "Block"


def _mounts(spec: Raw, disks: AbstractSet[str]) -> Iterator[tuple[str, Raw, Raw]]:
    """(where, container, mount) of every mount of a claim. The mount's readOnly includes the claim's."""
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
    """Where a container's user or group is set, and its id; None if only the image sets it."""
    for at, part in ((where, container), ("spec", spec)):
        identity = (part.get("securityContext") or {}).get(field)
        if identity is not None:
            return f"{at}.securityContext.{field}", identity
    return where, None
