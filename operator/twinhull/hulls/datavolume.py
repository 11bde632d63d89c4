"""The DataVolume of a disk, which CDI fills: rendering it, and comparing an existing one with the Workload's
spec.

Source: cdi.kubevirt.io/v1beta1, type DataVolumeSpec.
"""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.api.disks import Disk
from twinhull.api.workload import ObjectMeta
from twinhull.hulls import disksizes
from twinhull.hulls.disknotes import DATA_SOURCE_ANNOTATION, DISK_ANNOTATION, HOLDER_ANNOTATION
from twinhull.hulls.hull import DISK_LABEL, owner_reference

API_VERSION = "cdi.kubevirt.io/v1beta1"
#: With a service mesh's proxy, an importer Pod never ends.
_WITHOUT_MESH = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
#: The fields of a source that say how CDI reads the data, and not which data it is.
_ACCESS = {
    *("secretRef", "certConfigMap", "secretExtraHeaders", "thumbprint", "initImageURL", "extraArgs"),
    *("pullMethod", "checksum"),
}
#: The fields of a disk that are asked of its claim, except its size.
_CLAIM_FIELDS = ("storageClassName", "accessModes", "volumeMode")


def has_data_volume(disk: Disk) -> bool:
    """Whether CDI makes the disk. A source.claim exists already, and a containerDisk is made by KubeVirt."""
    return not (disk.source.claim or disk.source.container_disk)


def claim_name(workload: str, disk: Disk) -> str:
    """The name of a disk's claim, and of its DataVolume; empty for a containerDisk."""
    if disk.source.container_disk:
        return ""
    return disk.source.claim.name if disk.source.claim else f"{workload}-{disk.disk_name}"


def render(workload: ObjectMeta, disk: Disk) -> Raw:
    """The DataVolume of a disk. With reclaim Retain it has no owner, so that it outlives its Workload."""
    owned = {"ownerReferences": [owner_reference(workload)]} if disk.reclaim == "Delete" else {}
    source = _source(workload, disk)
    noted = {DATA_SOURCE_ANNOTATION: _noted_source(source["sourceRef"])} if "sourceRef" in source else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "DataVolume",
        "metadata": {
            "name": claim_name(workload.name, disk),
            "namespace": workload.namespace,
            "labels": {DISK_LABEL: workload.name},
            "annotations": {
                DISK_ANNOTATION: disk.disk_name,
                **noted,
                **_WITHOUT_MESH,
                HOLDER_ANNOTATION: workload.uid,
            },
            **owned,
        },
        "spec": {**source, "storage": _storage(disk)},
    }


def is_from(workload: ObjectMeta, disk: Disk, volume: Raw) -> bool:
    """Whether a DataVolume has the source that the Workload names."""
    return _is_from(volume, _source(workload, disk))


def has_data_of(workload: ObjectMeta, disk: Disk, volume: Raw) -> bool:
    """Whether a filled DataVolume has the data of the source that the Workload names: fields that say only
    how CDI reads the data may differ. Two checksums contradict each other only if their algorithms are the
    same.
    """
    wanted = _source(workload, disk)
    made = (volume.get("spec") or {}).get("source") or {}
    return (
        "source" in wanted
        and _is_from({**volume, "spec": {"source": _data(made)}}, {"source": _data(wanted["source"])})
        and not _contradict(_checksum(made), _checksum(wanted["source"]))
    )


def claim_changed(disk: Disk, volume: Raw, *, resized: bool) -> bool:
    """Whether the Workload asks for another claim than a DataVolume does. The size is compared only with
    `resized`: otherwise a claim is resized without a new DataVolume.
    """
    made, wanted = volume.get("spec", {}).get("storage") or {}, _storage(disk)
    if any(made.get(key) != wanted.get(key) for key in _CLAIM_FIELDS):
        return True
    return resized and disksizes.parsed(disksizes.made_with(volume)) != disksizes.parsed(disk.size or "")


def _source(workload: ObjectMeta, disk: Disk) -> Raw:
    """The source of a disk, as fields of a DataVolume's spec."""
    source = disk.source
    if source.data_source:
        namespace = source.data_source.namespace or workload.namespace
        named = {"kind": "DataSource", "name": source.data_source.name, "namespace": namespace}
        return {"sourceRef": named}
    if source.snapshot:
        named = {"name": source.snapshot.name, "namespace": workload.namespace}
        return {"source": {"snapshot": named}}
    return {"source": source.raw()}


def _storage(disk: Disk) -> Raw:
    """The storage that a DataVolume asks for. CDI's StorageProfile fills in missing fields."""
    fields = disk.raw()
    kept: Raw = {key: fields[key] for key in _CLAIM_FIELDS if key in fields}
    return {**kept, **({"resources": {"requests": {"storage": disk.size}}} if disk.size else {})}


def _noted_source(reference: Raw) -> str:
    return f"{reference['namespace']}/{reference['name']}"


def _is_from(volume: Raw, wanted: Raw) -> bool:
    """Whether a DataVolume has the `wanted` source. CDI's webhook adds nothing to a source. A clone has the
    claim or snapshot to which its DataSource pointed when the clone was made, and a note of the DataSource.
    """
    spec = volume.get("spec") or {}
    if "sourceRef" in wanted and not spec.get("sourceRef"):
        noted = (volume["metadata"].get("annotations") or {}).get(DATA_SOURCE_ANNOTATION)
        is_clone = not {"pvc", "snapshot"}.isdisjoint(spec.get("source") or {})
        return is_clone and noted in {None, _noted_source(wanted["sourceRef"])}
    return all(spec.get(key) == value for key, value in wanted.items()) and not (
        "source" in wanted and spec.get("sourceRef")
    )


def _data(source: Raw) -> Raw:
    """The part of a source that says which data it is."""
    return {
        kind: {key: value for key, value in fields.items() if key not in _ACCESS}
        if isinstance(fields, dict)
        else fields
        for kind, fields in source.items()
    }


def _checksum(source: Raw) -> str:
    return str((source.get("http") or {}).get("checksum") or "").lower()


def _contradict(checksum: str, other: str) -> bool:
    """Whether two checksums of the same algorithm differ."""
    return checksum != other and checksum.partition(":")[0] == other.partition(":")[0]
