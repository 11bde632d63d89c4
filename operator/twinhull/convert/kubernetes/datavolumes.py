"""Converts the DataVolumes of a VirtualMachine into disks of a Workload.

Fields: cdi.kubevirt.io/v1beta1, types.go, DataVolumeSpec.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.disks import BootDisk
from twinhull.convert.conversion import CannotConvert, Left
from twinhull.convert.kubernetes.fields import Fields
from twinhull.convert.kubernetes.overrides import pruned
from twinhull.convert.kubernetes.source import SET_ANNOTATIONS, SET_BY_SERVER, Draft, Source, without
from twinhull.convert.kubernetes.untyped import map_at
from twinhull.hulls.datavolume import API_VERSION

#: The sources that a Workload's disk has in the same form.
_SAME = ("http", "s3", "gcs", "registry", "upload", "blank", "imageio", "vddk")
_OF_CLAIMS = ("storageClassName", "accessModes", "volumeMode")


class DataVolumeTemplates:
    """The DataVolumes that KubeVirt makes with a machine, by name."""

    def __init__(self, source: Source, spec: Fields, made: Draft) -> None:
        """`spec` is the spec of the machine with the `dataVolumeTemplates`, and `made` the draft of its
        Workload.
        """
        self._source, self._made, self._left = source, made, spec.left
        self._templates: dict[str, Fields] = {}
        for template in spec.each("dataVolumeTemplates"):
            template.settle("apiVersion", "kind", "status")
            name = (template.peek("metadata", dict) or {}).get("name")
            if not isinstance(name, str):
                raise CannotConvert(f"{template.at('metadata')}.name is missing: add it")
            self._templates[name] = template
        self._used: set[str] = set()
        self._others: list[str] = []
        self._path = f"{spec.path}.template.spec.volumes"

    def source_of(self, volume: Raw, disk: str) -> Raw:
        """The source of a disk, and the fields for its claim, by the machine's volume."""
        if "containerDisk" in volume:
            source = map_at(volume, "containerDisk")
            own = {key: source[key] for key in ("image", "imagePullSecret", "path") if key in source}
            return {"source": {"containerDisk": own}}
        if "persistentVolumeClaim" in volume:
            name = map_at(volume, "persistentVolumeClaim").get("claimName")
            self._others.append(str(name))
            return _claim(name, disk)
        name = map_at(volume, "dataVolume").get("name")
        template = self._templates.get(name) if isinstance(name, str) else None
        if template is None:
            self._others.append(str(name))
            return _claim(name, disk)
        self._used.add(str(name))
        if self._source.is_live:
            self._name_filled(template, str(name))
            return _claim(name, disk)
        fields = as_disk(pruned(template.peek("spec", dict) or {}), self._source.namespace)
        if fields is None:
            self._keep(template, str(name))
            return _claim(name, disk)
        template.settle("spec")
        self._name_clone(template, fields["source"])
        self._name_metadata(template, str(name), f"{self._made.name}-{disk}")
        return {**fields, "reclaim": "Delete"}

    def finish(self) -> None:
        """Name the DataVolumes that no disk uses and, for a machine in a cluster that only has claims, how to
        take these over.
        """
        if self._others and self._source.is_live and not self._used:
            names = listed(self._others, ", ")
            why = (
                f"the Workload takes the VirtualMachine's claims as they are ({names}): {self._taking_over()}"
            )
            self._left.append(Left(self._path, why))
        for name in [name for name in self._templates if name not in self._used]:
            template = self._templates[name].settle("metadata", "spec")
            self._left.append(Left(template.path, f"no disk of the machine is DataVolume {name}"))

    def _name_filled(self, template: Fields, name: str) -> None:
        template.settle("metadata", "spec")
        why = (
            f"the disk is filled, and the Workload takes claim {name} as it is. KubeVirt deletes it with the "
            f"VirtualMachine: {self._taking_over()}"
        )
        self._left.append(Left(template.path, why))

    def _taking_over(self) -> str:
        """How a person takes claims over from a VirtualMachine. If a running one is deleted without its
        dependents, its instance stays and goes on writing (kubevirt.io/kubevirt 1.9.0,
        pkg/virt-controller/watch/vm/vm.go).
        """
        namespace, name = self._source.namespace, self._source.name
        stop = commands.others(namespace, "virtctl", "stop", name)
        delete = commands.others(namespace, "kubectl", "delete", "vm", name, "--cascade=orphan")
        return (
            f"shut it down first, by {stop}, and then delete it by {delete}, or two machines write to a disk"
        )

    def _name_clone(self, template: Fields, source: Raw) -> None:
        """Name the namespace from which a disk is cloned, if it is another one: it has to allow that."""
        namespace = (source.get("dataSource") or {}).get("namespace")
        if namespace and namespace != self._made.metadata.get("namespace"):
            why = (
                f"namespace {namespace} has to let the operator clone its disks, by a Role there that allows "
                "create of datavolumes/source (docs/disks.md)"
            )
            self._left.append(Left(f"{template.path}.spec.sourceRef.namespace", why))

    def _name_metadata(self, template: Fields, name: str, claim: str) -> None:
        """Name the metadata that the operator's own DataVolume doesn't have."""
        metadata = template.within("metadata").settle(*SET_BY_SERVER, "namespace")
        metadata.settle("name")
        if name != claim:
            metadata.say("name", f"the disk's claim is {claim}, and no longer {name}")
        for key in ("labels", "annotations"):
            metadata.leave(
                key, "the operator makes the disk's DataVolume, with labels and annotations of its own"
            )

    def _keep(self, template: Fields, name: str) -> None:
        """Print a DataVolume as an object of its own: a Workload's disk doesn't have all of its fields."""
        metadata = template.within("metadata").settle(*SET_BY_SERVER, "namespace")
        metadata.take("name", str)
        labels, annotations = metadata.texts("labels"), metadata.texts("annotations")
        annotations = without(annotations, SET_ANNOTATIONS)
        namespace = self._made.metadata.get("namespace")
        self._made.needs.append(
            {
                "apiVersion": API_VERSION,
                "kind": "DataVolume",
                "metadata": {
                    "name": name,
                    **({"namespace": namespace} if namespace else {}),
                    **({"labels": labels} if labels else {}),
                    **({"annotations": annotations} if annotations else {}),
                },
                "spec": template.take("spec", dict) or {},
            }
        )
        self._left.append(
            Left(
                template.path,
                f"a Workload's disk can't say all of it, so DataVolume {name} is an object of its own: it "
                "isn't deleted with the Workload",
            )
        )


def as_disk(spec: Raw, namespace: str) -> Raw | None:
    """The fields of a Workload's disk that mean the same as a DataVolume's spec; None if none do.

    If the spec has `pvc` instead of `storage`, the claim's volume mode is Filesystem unless it has another
    one.
    """
    claim, is_pvc = (spec.get("storage"), False) if "storage" in spec else (spec.get("pvc") or {}, True)
    if not isinstance(claim, dict):
        return None
    source = _source_of(spec, namespace)
    if source is None or not spec.keys() <= {"source", "sourceRef", "storage", "pvc", "contentType"}:
        return None
    if spec.get("contentType") not in (None, "", "kubevirt") or {"storage", "pvc"} <= spec.keys():
        return None
    resources = map_at(claim, "resources")
    requests = map_at(resources, "requests")
    known = claim.keys() <= {*_OF_CLAIMS, "resources"} and resources.keys() <= {"requests"}
    if not known or not requests.keys() <= {"storage"}:
        return None
    fields: Raw = {
        "source": source,
        **({"size": requests["storage"]} if "storage" in requests else {}),
        **{key: claim[key] for key in _OF_CLAIMS if key in claim},
    }
    if is_pvc and spec.get("pvc"):
        fields.setdefault("volumeMode", "Filesystem")
    return fields if _is_disk(fields) else None


def _source_of(spec: Raw, namespace: str) -> Raw | None:
    """The source in the form of a Workload's disk, None if it can't have that source."""
    if "sourceRef" in spec:
        reference = map_at(spec, "sourceRef")
        if "source" in spec or reference.get("kind") != "DataSource":
            return None
        return {"dataSource": {key: value for key, value in reference.items() if key != "kind"}}
    source = map_at(spec, "source")
    kind = next(iter(source), "")
    if len(source) != 1 or not isinstance(source[kind], dict):
        return None
    if kind == "snapshot":
        snapshot = source[kind]
        is_here = snapshot.get("namespace") in (None, "", namespace)
        return (
            {"snapshot": {key: snapshot[key] for key in snapshot if key != "namespace"}} if is_here else None
        )
    return source if kind in _SAME else None


def _is_disk(fields: Raw) -> bool:
    """Whether the fields are valid for a Workload's disk, and lose nothing there."""
    try:
        disk = BootDisk.model_validate(fields)
    except ValidationError:
        return False
    needs_size = disk.source.data_source is None and disk.source.snapshot is None
    return disk.raw() == fields and (disk.size is not None or not needs_size)


def _claim(name: Any, disk: str) -> Raw:  # noqa: ANN401  JSON
    """An existing claim, as the source of a disk."""
    if not isinstance(name, str) or not name:
        raise CannotConvert(f"the volume {disk} of the machine names no claim: correct it")
    return {"source": {"claim": {"name": name}}}
