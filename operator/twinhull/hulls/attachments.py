"""What a machine must be given beside its Pod: the objects that the template refers to, as devices.

The operator never reads them. KubeVirt mounts ConfigMaps, Secrets and the ServiceAccount's token into the
machine, and the guest resolves the Pod's references there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

from twinhull.api.base import GROUP, Raw
from twinhull.api.registry import Registry
from twinhull.hulls.parity import containers, mounted_whole

AttachmentKind = Literal["ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim", "Launcher"]

_DEVICES: dict[AttachmentKind, str] = {
    "ConfigMap": "configmap",
    "Secret": "secret",
    "ServiceAccount": "token",
    "PersistentVolumeClaim": "claim",
    "Launcher": "launcher",
}

#: On a claim that is a disk of a guest's machine: the name of the Workload. The label of the same kind
#: (hulls/hull.DISK_LABEL) is for disks that machines boot, and for those beside them.
DISK_OF_ANNOTATION = f"{GROUP}/guest-disk-of"
#: The file system of a claim that is a disk.
FILE_SYSTEM = "ext4"

#: What only the launcher Pod knows of where the Pod is, as files of the attachment "Launcher". KubeVirt keeps
#: the label the same as the VMI's (kubevirt.io/kubevirt, pkg/virt-controller/watch/vmi/lifecycle.go,
#: syncDynamicAnnotationsAndLabelsToLauncherPod).
_LAUNCHER_FILES = {"uid": "metadata.uid", "node": "metadata.labels['kubevirt.io/nodeName']"}
#: The fields of a Pod that are told by them.
_LAUNCHER_FIELDS = {"metadata.uid", "spec.nodeName"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """An object that is attached to the machine once."""

    kind: AttachmentKind
    name: str
    optional: bool
    #: Whether it is a virtiofs file system, which shows changes. Otherwise it is a disk: of a claim, or of an
    #: object with the content that it had when the machine started.
    live: bool
    #: Its name in the VirtualMachine, by which the guest finds it: the virtiofs tag, or the disk's serial
    #: number (of which virtio keeps 20 characters).
    device: str = ""
    #: What the guest mounts a claim by that is a disk; empty if its containers have the disk itself.
    file_system: str = ""

    def entry(self) -> Raw:
        """How the manifest tells the guest of it."""
        return {
            "kind": self.kind,
            "name": self.name,
            **({"optional": True} if self.optional else {}),
            ("tag" if self.live else "serial"): self.device,
            **({"fileSystem": self.file_system} if self.file_system else {}),
        }

    def volume(self) -> Raw:
        """Its volume in the machine (kubevirt.io/api/core/v1, type Volume)."""
        optional = {"optional": True} if self.optional else {}
        sources: dict[AttachmentKind, Raw] = {
            "ConfigMap": {"configMap": {"name": self.name, **optional}},
            "Secret": {"secret": {"secretName": self.name, **optional}},
            "ServiceAccount": {"serviceAccount": {"serviceAccountName": self.name}},
            "PersistentVolumeClaim": {"persistentVolumeClaim": {"claimName": self.name}},
            "Launcher": {
                "downwardAPI": {
                    "fields": [
                        {"path": path, "fieldRef": {"fieldPath": field}}
                        for path, field in _LAUNCHER_FILES.items()
                    ]
                }
            },
        }
        return {"name": self.device, **sources[self.kind]}


def attachments(
    pod: Raw, registries: Iterable[Registry] = (), disks: AbstractSet[str] = frozenset()
) -> tuple[Attachment, ...]:
    """Everything that a Pod refers to, and the registries' certificates: each object once, in that order.

    An object is optional if nothing insists on it, and live if a container sees its changes: if one mounts a
    volume of it as a whole (hulls/parity/live_objects). A claim is live if a container mounts it, since its
    volumeMode can't be told from here. `disks` are the names of the volumes whose claims are disks on which
    the guest has a file system.
    """
    merged: dict[tuple[AttachmentKind, str], Attachment] = {}
    authorities = (registry.ca.config_map for registry in registries if registry.ca)
    trusted = (Attachment("ConfigMap", name, optional=False, live=False) for name in authorities)
    for attachment in (*_references(pod["metadata"]["name"], pod["spec"], disks), *trusted):
        known = merged.setdefault((attachment.kind, attachment.name), attachment)
        merged[attachment.kind, attachment.name] = replace(
            known, optional=known.optional and attachment.optional, live=known.live or attachment.live
        )
    return tuple(
        replace(attachment, device=f"{_DEVICES[attachment.kind]}-{index}")
        for index, attachment in enumerate(merged.values())
    )


def as_in(machine: Raw, attached: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """The attachments as a VirtualMachine that is there has them, whose operator may have decided otherwise
    which are live. Its guest takes no other.
    """
    inside = (machine["spec"].get("template") or {}).get("spec") or {}
    devices = (inside.get("domain") or {}).get("devices") or {}
    shared = {filesystem.get("name") for filesystem in devices.get("filesystems") or ()}
    disks = {disk.get("name") for disk in devices.get("disks") or ()}
    return tuple(
        replace(one, live=one.device in shared) if one.device in shared | disks else one for one in attached
    )


def _references(name: str, pod_spec: Raw, disks: AbstractSet[str]) -> Iterator[Attachment]:
    if pod_spec.get("automountServiceAccountToken", True) or _projects_token(pod_spec):
        account = pod_spec.get("serviceAccountName") or pod_spec.get("serviceAccount") or "default"
        yield Attachment("ServiceAccount", account, optional=False, live=True)
    for secret in pod_spec.get("imagePullSecrets") or ():
        yield Attachment("Secret", secret["name"], optional=True, live=False)
    for _, container in containers(pod_spec):
        yield from _environment(container)
    whole = mounted_whole(pod_spec)
    mounted, attached = (_used(pod_spec, how) for how in ("volumeMounts", "volumeDevices"))
    for volume in pod_spec.get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if not claim:
            yield from _volume(volume, live=volume["name"] in whole)
        # A claim that nobody uses isn't touched by a kubelet either; as a disk, KubeVirt would write to it.
        elif volume["name"] in mounted | attached:
            live = volume["name"] in mounted - disks
            file_system = FILE_SYSTEM if volume["name"] in disks else ""
            yield Attachment(
                "PersistentVolumeClaim",
                claim["claimName"],
                optional=False,
                live=live,
                file_system=file_system,
            )
    if _LAUNCHER_FIELDS.intersection(_fields(pod_spec)):
        yield Attachment("Launcher", name, optional=False, live=True)


def _used(pod_spec: Raw, how: str) -> set[str]:
    """The names of the volumes that containers have in this way: as volumeMounts, or as volumeDevices."""
    return {used["name"] for _, container in containers(pod_spec) for used in container.get(how) or ()}


def _fields(pod_spec: Raw) -> Iterator[str]:
    """The paths of the Pod's own fields that it asks for."""
    askers = [
        *(
            variable.get("valueFrom") or {}
            for _, container in containers(pod_spec)
            for variable in container.get("env") or ()
        ),
        *(
            item
            for volume in pod_spec.get("volumes") or ()
            for source in (volume, *((volume.get("projected") or {}).get("sources") or ()))
            for item in (source.get("downwardAPI") or {}).get("items") or ()
        ),
    ]
    return (asker["fieldRef"]["fieldPath"] for asker in askers if asker.get("fieldRef"))


def _projects_token(pod_spec: Raw) -> bool:
    projected = [volume.get("projected") or {} for volume in pod_spec.get("volumes") or ()]
    sources = (source for volume in projected for source in volume.get("sources") or ())
    return any("serviceAccountToken" in source for source in sources)


def _environment(container: Raw) -> Iterator[Attachment]:
    sources = container.get("envFrom") or ()
    values = [variable.get("valueFrom") or {} for variable in container.get("env") or ()]
    kinds: tuple[tuple[AttachmentKind, str, str], ...] = (
        ("ConfigMap", "configMapRef", "configMapKeyRef"),
        ("Secret", "secretRef", "secretKeyRef"),
    )
    for kind, whole, key in kinds:
        references = [source.get(whole) for source in sources] + [value.get(key) for value in values]
        for reference in filter(None, references):
            yield Attachment(kind, reference["name"], bool(reference.get("optional")), live=False)


def _volume(volume: Raw, *, live: bool) -> Iterator[Attachment]:
    if secret := volume.get("secret"):
        yield Attachment("Secret", secret["secretName"], bool(secret.get("optional")), live)
    for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
        if config_map := source.get("configMap"):
            yield Attachment("ConfigMap", config_map["name"], bool(config_map.get("optional")), live)
        if source is not volume and (secret := source.get("secret")):
            yield Attachment("Secret", secret["name"], bool(secret.get("optional")), live)
