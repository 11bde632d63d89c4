"""What a machine makes of each field of a PodTemplateSpec: the one table.

`status.unsupportedFields` is read from it, and a test walks the CRD's schema and fails on a field that the
table doesn't name. A Pod honours every field: it is the API server's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from twinhull.api.base import Raw
from twinhull.api.workload import UnsupportedField
from twinhull.hulls import quantity


class Fate(StrEnum):
    """What becomes of a field in a machine."""

    GUEST = "guest"  # goes into the manifest: the guest's kubelet gives it the Pod's own meaning
    MACHINE = "machine"  # the VirtualMachine does it
    REFUSED = "refused"  # can't be honoured: no machine is made


@dataclass(frozen=True, slots=True)
class Row:
    """A field, by its path from the template on (`[]` for any element), and what becomes of it.

    It speaks for all that is below the field, except for what has a row of its own. `why` is for people;
    a refused field's also says what to do. A refused field at a `harmless` value is as good as absent.
    """

    path: str
    fate: Fate
    why: str = ""
    harmless: tuple[object, ...] = (None, False, "", [], {})


def _rows(fate: Fate, prefix: str, names: str) -> Iterator[Row]:
    return (Row(f"{prefix}{name}", fate) for name in names.split())


def _refused(path: str, why: str, *, unless: object = None) -> Row:
    return Row(path, Fate.REFUSED, why, (None, False, "", [], {}) if unless is None else (None, unless))


def _container(at: str) -> Iterator[Row]:
    yield from _rows(
        Fate.GUEST,
        at,
        "name image imagePullPolicy command args workingDir env envFrom ports resizePolicy restartPolicy "
        "restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle "
        "terminationMessagePath terminationMessagePolicy securityContext stdin stdinOnce tty resources",
    )
    yield _refused(f"{at}ports[].hostPort", "the machine has no port on its node; use the Workload's Service")
    yield _refused(f"{at}ports[].hostIP", "the machine has no port on its node; remove it")
    yield _refused(f"{at}resources.claims", "devices can't be claimed for a machine; use isolation Container")
    yield _refused(f"{at}volumeMounts[].bindMountOptions", _UNPROVED)
    yield _refused(f"{at}volumeMounts[].mountPropagation", _PROPAGATION, unless="None")
    yield _refused(f"{at}securityContext.seLinuxOptions", _SELINUX)
    yield _refused(f"{at}securityContext.seccompProfile.localhostProfile", _NODE_PROFILE)
    yield _refused(f"{at}securityContext.appArmorProfile", _APPARMOR)
    yield _refused(f"{at}securityContext.windowsOptions", _WINDOWS)


_NODE = "a machine has no part in its node's {what}; remove it, or use isolation Container"
_NODE_PROFILE = "the profile is a file of the node, which the machine can't see; use RuntimeDefault"
_SELINUX = "the guest has no SELinux; remove it"
_APPARMOR = "the guest has no AppArmor profiles; remove it"
_WINDOWS = "the guest runs Linux; remove it"
_UNPROVED = "the guest can't do this yet; remove it, or use isolation Container"
_PROPAGATION = "mounts can't reach through the machine; remove it"
_STORAGE = "the guest can't mount {what} volumes; use a block PersistentVolumeClaim, or isolation Container"

#: Volume sources that only a node can mount.
_NODE_VOLUMES = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "ephemeral", "fc"),
    *("flexVolume", "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "iscsi", "nfs"),
    *("photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
)

TABLE: tuple[Row, ...] = (
    Row("metadata.labels", Fate.MACHINE, "on the VirtualMachineInstance and its launcher Pod; the guest too"),
    Row("metadata.annotations", Fate.MACHINE, "on the VirtualMachineInstance; the guest too"),
    Row("metadata.creationTimestamp", Fate.MACHINE, "means nothing in a template, as in a Deployment"),
    _refused("metadata.finalizers", "KubeVirt makes the launcher Pod; remove it, or use isolation Container"),
    *_container("spec.containers[]."),
    *_container("spec.initContainers[]."),
    *_rows(
        Fate.GUEST,
        "spec.",
        "activeDeadlineSeconds hostAliases hostname imagePullSecrets restartPolicy securityContext "
        "setHostnameAsFQDN shareProcessNamespace",
    ),
    *_rows(
        Fate.MACHINE,
        "spec.",
        "affinity automountServiceAccountToken dnsConfig dnsPolicy nodeSelector priorityClassName resources "
        "schedulerName serviceAccount serviceAccountName subdomain terminationGracePeriodSeconds tolerations "
        "topologySpreadConstraints",
    ),
    _refused("spec.enableServiceLinks", "the guest can't see Services; remove it, and find them by DNS"),
    _refused("spec.evictionResponders", _UNPROVED),
    _refused("spec.hostIPC", _NODE.format(what="IPC namespace")),
    _refused("spec.hostNetwork", _NODE.format(what="network")),
    _refused("spec.hostPID", _NODE.format(what="processes")),
    _refused("spec.hostUsers", "the machine has users of its own already; remove it", unless=True),
    _refused("spec.hostnameOverride", "the machine's name is set by hostname; use that"),
    _refused("spec.nodeName", "a machine is scheduled; use nodeSelector with kubernetes.io/hostname"),
    Row("spec.os", Fate.GUEST),
    _refused("spec.os.name", _WINDOWS, unless="linux"),
    _refused("spec.overhead", "KubeVirt works out a machine's overhead; remove it"),
    _refused("spec.preemptionPolicy", "a machine has only a priorityClassName; use a class that says it"),
    _refused("spec.priority", "a machine has only a priorityClassName; use that", unless=0),
    _refused("spec.readinessGates", "KubeVirt makes the launcher Pod; remove it"),
    _refused("spec.resources.claims", "devices can't be claimed for a machine; use isolation Container"),
    _refused("spec.resourceClaims", "devices can't be claimed for a machine; use isolation Container"),
    _refused("spec.runtimeClassName", "a machine isn't run by a RuntimeClass; remove it"),
    _refused("spec.schedulingGates", "KubeVirt makes the launcher Pod; remove it"),
    _refused("spec.schedulingGroup", "KubeVirt makes the launcher Pod; remove it"),
    _refused("spec.securityContext.appArmorProfile", _APPARMOR),
    _refused("spec.securityContext.seLinuxChangePolicy", _SELINUX),
    _refused("spec.securityContext.seLinuxOptions", _SELINUX),
    _refused("spec.securityContext.seccompProfile.localhostProfile", _NODE_PROFILE),
    _refused("spec.securityContext.windowsOptions", _WINDOWS),
    *_rows(Fate.GUEST, "spec.volumes[].", "name configMap secret projected downwardAPI emptyDir image"),
    Row("spec.volumes[].persistentVolumeClaim", Fate.MACHINE, "a block claim is a disk of the machine"),
    _refused("spec.volumes[].hostPath", "the machine can't see its node's files; use isolation Container"),
    _refused("spec.volumes[].projected.sources[].clusterTrustBundle", _UNPROVED),
    _refused("spec.volumes[].projected.sources[].podCertificate", _UNPROVED),
    _refused(
        "spec.volumes[].projected.sources[].serviceAccountToken.audience",
        "KubeVirt gives a machine the cluster's own audience only; remove it, or use isolation Container",
    ),
    _refused("spec.volumes[].projected.sources[].serviceAccountToken.user", _UNPROVED),
    *(_refused(f"spec.volumes[].{kind}", _STORAGE.format(what=kind)) for kind in _NODE_VOLUMES),
)

_BY_PATH = {row.path: row for row in TABLE}

#: The resources that a container may ask for in a machine.
_RESOURCES = {"cpu", "memory", "ephemeral-storage"}
#: The ends of the paths of references to ConfigMaps and Secrets that the guest resolves.
_REFERENCES = (
    *("].configMap", "].secret", ".configMapRef", ".secretRef", ".configMapKeyRef", ".secretKeyRef"),
)


def fate(path: str) -> Row | None:
    """The row that speaks for a field (`[]` for list elements): its own, or the nearest above it."""
    while path not in _BY_PATH and "." in path:
        path = path.rpartition(".")[0].removesuffix("[]")
    return _BY_PATH.get(path)


def unsupported(template: Raw) -> tuple[UnsupportedField, ...]:
    """The fields of a template that a machine can't honour, in the template's order."""
    refused = (
        UnsupportedField(path=where, reason=row.why)
        for path, where, value in _walk(template, "", "")
        if (row := _BY_PATH.get(path)) and row.fate is Fate.REFUSED and value not in row.harmless
    )
    spec = template["spec"]
    found = (
        *refused,
        *_nameless(template),
        *_filesystem_claims(spec),
        *_extended_resources(spec),
        *_wrong_amounts(spec),
    )
    return tuple({field.path: field for field in reversed(found)}.values())[::-1]


def _walk(value: object, path: str, where: str) -> Iterator[tuple[str, str, object]]:
    """Every field below `value`: its path in the table, where it is for a person, and its value."""
    if isinstance(value, dict):
        for key, below in value.items():
            at = (f"{path}.{key}".lstrip("."), f"{where}.{key}".lstrip("."))
            yield (*at, below)
            yield from _walk(below, *at)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _walk(below, f"{path}[]", f"{where}[{_name(below, index)}]")


def _name(element: object, index: int) -> object:
    """What tells a list's element from the others: Kubernetes' own keys, or else its place."""
    if not isinstance(element, dict):
        return index
    return element.get("mountPath") or element.get("name", index)


def _filesystem_claims(spec: Raw) -> Iterator[UnsupportedField]:
    """Claims mounted as a file system: as a disk, KubeVirt would show an image file in their place."""
    claims = {volume["name"] for volume in spec.get("volumes") or () if volume.get("persistentVolumeClaim")}
    for kind, container in containers(spec):
        for mount in container.get("volumeMounts") or ():
            if mount["name"] in claims:
                yield UnsupportedField(
                    path=f"spec.{kind}[{container['name']}].volumeMounts[{mount['mountPath']}]",
                    reason="a machine takes a PersistentVolumeClaim as a block device only; "
                    "use volumeDevices with a claim of volumeMode Block, or isolation Container",
                )


def _nameless(template: Raw) -> Iterator[UnsupportedField]:
    """References to no object. An API server refuses them in a Pod."""
    for path, where, value in _walk(template, "", ""):
        key = "secretName" if path == "spec.volumes[].secret" else "name"
        if path.endswith(_REFERENCES) and isinstance(value, dict) and not value.get(key):
            yield UnsupportedField(path=where, reason=f"it refers to no object: set its {key}")


def _extended_resources(spec: Raw) -> Iterator[UnsupportedField]:
    """Devices and huge pages: a node's, which the machine's kubelet doesn't have."""
    for path, resource, _ in _amounts(spec):
        if resource not in _RESOURCES:
            yield UnsupportedField(
                path=path,
                reason="the machine has no such resource; remove it (spec.virtualMachine.overrides "
                "can give a machine devices), or use isolation Container",
            )


def _wrong_amounts(spec: Raw) -> Iterator[UnsupportedField]:
    """What isn't a quantity, though the CRD's pattern admits it. An API server refuses it in a Pod."""
    for path, _, amount in _amounts(spec):
        try:
            quantity.parse(amount)
        except ValueError as error:
            yield UnsupportedField(path=path, reason=f"{error}; correct it")


def _amounts(spec: Raw) -> Iterator[tuple[str, str, str | float]]:
    """(where, resource, amount) of all that the Pod and its containers ask for."""
    asking = [(f"spec.{kind}[{container['name']}]", container) for kind, container in containers(spec)]
    for where, asks in [("spec", spec), *asking]:
        for said in ("requests", "limits"):
            for resource, amount in ((asks.get("resources") or {}).get(said) or {}).items():
                yield f"{where}.resources.{said}[{resource}]", resource, amount


def containers(spec: Raw) -> Iterator[tuple[str, Raw]]:
    """A Pod's init containers and containers, each with the name of the list that it is in."""
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            yield kind, container
