"""The objects that a machine's Pod refers to, attached to the machine as disks and file systems.

The operator never reads these objects. KubeVirt mounts ConfigMaps, Secrets and the ServiceAccount's token
into the machine, and the guest resolves the Pod's references there.
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

#: On a claim that is a disk of a guest's machine: the name of the Workload. The label DISK_LABEL (hulls/hull)
#: is on the claims of a machine that boots a disk instead.
DISK_OF_ANNOTATION = f"{GROUP}/guest-disk-of"
#: The file system that the guest makes on a claim that is a disk.
FILE_SYSTEM = "ext4"

#: The files of the attachment "Launcher", with values that only the launcher Pod has. KubeVirt keeps the
#: label equal to the VMI's (kubevirt.io/kubevirt, pkg/virt-controller/watch/vmi/lifecycle.go,
#: syncDynamicAnnotationsAndLabelsToLauncherPod).
_LAUNCHER_FILES = {"uid": "metadata.uid", "node": "metadata.labels['kubevirt.io/nodeName']"}
#: The fields of a Pod whose values these files give.
_LAUNCHER_FIELDS = {"metadata.uid", "spec.nodeName"}


@dataclass(frozen=True, slots=True)
class Attachment:
    """An object that is attached to a machine, once however many references the Pod has."""

    kind: AttachmentKind
    name: str
    optional: bool
    #: Whether the object is a virtiofs file system, in which the guest sees changes. Otherwise it is a disk:
    #: a claim, or an object's content as of the machine's start.
    live: bool
    #: The name of the device in the VirtualMachine, by which the guest recognizes it: the virtiofs tag, or
    #: the disk's serial number (of which virtio keeps 20 characters).
    device: str = ""
    #: The file system of a claim that is a disk which the guest mounts; empty if containers use the disk
    #: itself.
    file_system: str = ""

    def entry(self) -> Raw:
        """The attachment's entry in the manifest."""
        return {
            "kind": self.kind,
            "name": self.name,
            **({"optional": True} if self.optional else {}),
            ("tag" if self.live else "serial"): self.device,
            **({"fileSystem": self.file_system} if self.file_system else {}),
        }

    def volume(self) -> Raw:
        """The attachment's volume in the machine (kubevirt.io/api/core/v1, type Volume)."""
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
    """The objects that a Pod refers to, followed by the registries' certificates: each object once.

    An object is optional if no reference requires it. It is live if a container mounts a volume of it as a
    whole, and so sees its changes (hulls/parity/live_objects). A claim is live if a container mounts it,
    since its volumeMode isn't known here; but not the claims of the volumes in `disks`, which are disks with
    a file system of the guest.
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
    """The attachments with `live` as an existing VirtualMachine has them: the operator that made it may have
    chosen otherwise, and its guest accepts no other devices.
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
        # A claim that no container uses is left out, as by a kubelet: KubeVirt would write to it as a disk.
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
    """The names of the volumes that containers use in this way: volumeMounts or volumeDevices."""
    return {used["name"] for _, container in containers(pod_spec) for used in container.get(how) or ()}


def _fields(pod_spec: Raw) -> Iterator[str]:
    """The paths of the Pod's own fields that its variables and downwardAPI volumes refer to."""
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
