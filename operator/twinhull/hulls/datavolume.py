"""The DataVolume of a disk, which CDI fills: how it is made, and whether one that is there was made so.

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
#: A service mesh's proxy in an importer Pod keeps it from ever ending.
_WITHOUT_MESH = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
#: What of a source says how CDI gets at the data, and not which data it is.
_ACCESS = {
    *("secretRef", "certConfigMap", "secretExtraHeaders", "thumbprint", "initImageURL", "extraArgs"),
    *("pullMethod", "checksum"),
}
#: What is asked of a disk's claim beside its size.
_OF_CLAIMS = ("storageClassName", "accessModes", "volumeMode")


def has_data_volume(disk: Disk) -> bool:
    """Whether CDI is to make it. A claim is there already, and a containerDisk is thrown away."""
    return not (disk.source.claim or disk.source.container_disk)


def claim_name(workload: str, disk: Disk) -> str:
    """The name of its claim, and of its DataVolume. Empty for one that is thrown away."""
    if disk.source.container_disk:
        return ""
    return disk.source.claim.name if disk.source.claim else f"{workload}-{disk.disk_name}"


def render(workload: ObjectMeta, disk: Disk) -> Raw:
    """The DataVolume of a disk. With reclaim Retain nobody owns it, so that it outlives its Workload."""
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
    """Whether a DataVolume has the source that the disk is to have."""
    return _is_from(volume, _source(workload, disk))


def has_data_of(workload: ObjectMeta, disk: Disk, volume: Raw) -> bool:
    """Whether a DataVolume that is filled was filled with the data of the disk's source, however CDI got at
    it. A checksum says which data it is only beside another one of its kind.
    """
    wanted = _source(workload, disk)
    made = (volume.get("spec") or {}).get("source") or {}
    return (
        "source" in wanted
        and _is_from({**volume, "spec": {"source": _data(made)}}, {"source": _data(wanted["source"])})
        and not _contradict(_checksum(made), _checksum(wanted["source"]))
    )


def claim_changed(disk: Disk, volume: Raw, *, resized: bool) -> bool:
    """Whether the claim of a DataVolume is asked for in other words now; whether of another size only if
    `resized`: a claim can grow while it is being filled.
    """
    made, wanted = volume.get("spec", {}).get("storage") or {}, _storage(disk)
    if any(made.get(key) != wanted.get(key) for key in _OF_CLAIMS):
        return True
    return resized and disksizes.parsed(disksizes.made_with(volume)) != disksizes.parsed(disk.size or "")


def _source(workload: ObjectMeta, disk: Disk) -> Raw:
    """Where it comes from, in CDI's words."""
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
    """What is asked of its claim; CDI's StorageProfile fills in the rest."""
    fields = disk.raw()
    kept: Raw = {key: fields[key] for key in _OF_CLAIMS if key in fields}
    return {**kept, **({"resources": {"requests": {"storage": disk.size}}} if disk.size else {})}


def _noted_source(reference: Raw) -> str:
    return f"{reference['namespace']}/{reference['name']}"


def _is_from(volume: Raw, wanted: Raw) -> bool:
    """Whether a DataVolume has that source. CDI's webhook adds nothing to what is said. A clone has the claim
    or snapshot to which its DataSource led when it was made, and a note of the DataSource.
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
    """What of a source says which data it is."""
    return {
        kind: {key: value for key, value in fields.items() if key not in _ACCESS}
        if isinstance(fields, dict)
        else fields
        for kind, fields in source.items()
    }


def _checksum(source: Raw) -> str:
    return str((source.get("http") or {}).get("checksum") or "").lower()


def _contradict(checksum: str, other: str) -> bool:
    return checksum != other and checksum.partition(":")[0] == other.partition(":")[0]
