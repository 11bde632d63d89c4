"""An object of the input, and the draft of the Workload that is made of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from twinhull.api.base import API_VERSION, Raw
from twinhull.api.group import MAX_NAME_LENGTH
from twinhull.convert.conversion import CannotConvert, Left, WrongOption
from twinhull.convert.formats import Options
from twinhull.convert.kubernetes.fields import Fields

#: The CRD's rule for a Workload's name.
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
#: The fields that the API server sets in the metadata of any object (k8s.io/apimachinery/pkg/apis/meta/v1,
#: ObjectMeta).
SET_BY_SERVER = (
    *("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"),
    *("deletionGracePeriodSeconds", "managedFields", "selfLink"),
)
#: The annotations that kubectl and controllers put on objects, which no person wants to carry over.
SET_ANNOTATIONS = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/revision-history",
        "deprecated.daemonset.template.generation",
        "batch.kubernetes.io/cronjob-scheduled-timestamp",
        "batch.kubernetes.io/job-tracking",
        "kubevirt.io/latest-observed-api-version",
        "kubevirt.io/storage-observed-api-version",
        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",
        "volume.beta.kubernetes.io/storage-provisioner",
        "volume.kubernetes.io/selected-node",
        "volume.kubernetes.io/storage-provisioner",
    }
)
#: The labels by which Pods of a StatefulSet are told apart.
POD_INDEX, POD_NAME = "apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"
#: The labels by which controllers recognize their objects.
SET_LABELS = frozenset(
    {
        *("controller-uid", "job-name"),
        *("batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"),
        *("pod-template-hash", "controller-revision-hash", "pod-template-generation"),
        *(POD_INDEX, POD_NAME),
    }
)
#: The kinds without a namespace to which a Workload can refer.
OF_CLUSTER = frozenset(
    {"StorageClass", "VirtualMachineClusterInstancetype", "VirtualMachineClusterPreference"}
)
#: The fields of a Workload's spec in the order in which people write them: the template comes last.
_ORDER = ("isolationPolicy", "state", "replacement", "service", "virtualMachine", "template")

#: The number of a port, by its name and protocol: ports of different protocols may have the same name.
NamedPorts: TypeAlias = dict[tuple[str, str], int]


def without(entries: Mapping[str, str], dropped: frozenset[str]) -> dict[str, str]:
    """Labels or annotations, without those that others set."""
    return {key: value for key, value in entries.items() if key not in dropped}


@dataclass(frozen=True, slots=True)
class Source:
    """An object of the input."""

    #: The object, unchanged.
    document: Raw
    #: The name of its file in messages.
    file: str
    kind: str
    #: The group of its API, empty for the core.
    group: str
    name: str
    #: Its namespace, empty if it has none.
    namespace: str

    @property
    def title(self) -> str:
        """Its name in messages, such as `Deployment shop/web`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def api_version(self) -> str:
        """Its apiVersion."""
        return str(self.document.get("apiVersion"))

    @property
    def metadata(self) -> Raw:
        """Its metadata."""
        metadata: Raw = self.document.get("metadata") or {}
        return metadata

    @property
    def is_live(self) -> bool:
        """Whether it is from a cluster: the API server has given it a uid."""
        return bool(self.metadata.get("uid"))

    def fields(self, left: list[Left]) -> Fields:
        """Its fields. Its apiVersion, kind and status are settled already."""
        return Fields(self.document, f"{self.title}: ", left).settle("apiVersion", "kind", "status")


@dataclass(slots=True)
class Draft:
    """A Workload in the making."""

    #: The object that it is made of.
    source: Source
    #: Its metadata: name, namespace, labels and annotations.
    metadata: Raw
    #: Its spec, without the fields that depend on other objects of the input.
    spec: Raw = field(default_factory=dict)
    #: The labels of its Pod, by which a Service finds it.
    pod_labels: dict[str, str] = field(default_factory=dict)
    #: The ports of its Pod that have a name, for Services that name them.
    named_ports: NamedPorts = field(default_factory=dict)
    #: The place of its template in the object, such as `spec.template`. Empty if the object is a Pod.
    template_path: str = ""
    #: Fields that only this object gives its Pod, such as a StatefulSet's names, by their paths.
    pod_fields: dict[str, str] = field(default_factory=dict)
    #: Other objects that are made for it.
    needs: list[Raw] = field(default_factory=list)
    #: The field that asks for a rolling update, empty if none does.
    rolling: str = ""
    #: Whether it boots a disk of its own: then the Pod's labels are KubeVirt's, and not the template's.
    is_machine: bool = False

    @property
    def name(self) -> str:
        """The Workload's name."""
        return str(self.metadata["name"])

    def workload(self) -> Raw:
        """The Workload."""
        return {
            "apiVersion": API_VERSION,
            "kind": "Workload",
            "metadata": self.metadata,
            "spec": {key: self.spec[key] for key in _ORDER if key in self.spec},
        }


def draft(source: Source, fields: Fields, options: Options) -> Draft:
    """A Workload with the name, the labels and the annotations of an object. Raises CannotConvert."""
    metadata = fields.within("metadata").settle(*SET_BY_SERVER)
    metadata.settle("namespace")
    own_name = metadata.take("name", str)
    if own_name:
        metadata.settle("generateName")
    metadata.take("generateName", str)
    name = options.name or own_name or ""
    if not name:
        raise CannotConvert(f"{metadata.at('name')} is missing: give the Workload a name by --name")
    if len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        where = f"{metadata.at('name')} is" if not options.name else "--name is"
        error = WrongOption if options.name else CannotConvert
        raise error(
            f"{where} {name!r}, and a Workload's name has lower-case letters, digits and '-', begins with a "
            f"letter, and has at most {MAX_NAME_LENGTH} characters: "
            + ("choose another" if options.name else "convert this object by itself, with --name")
        )
    metadata.leave(
        "ownerReferences",
        "its owner may make this object again: convert the owner instead, or delete the owner",
    )
    metadata.leave("finalizers", "they are for the controllers of the former object")
    if "helm.sh/hook" in (source.metadata.get("annotations") or {}):
        fields.left.append(
            Left(
                f"{metadata.at('annotations')}.helm.sh/hook",
                "Helm runs this at a time of its own, and a Workload runs once it is applied: leave it out "
                "by helm template --no-hooks",
            )
        )
    return Draft(source, _metadata(name, options.namespace or source.namespace, metadata))


def _metadata(name: str, namespace: str, metadata: Fields) -> Raw:
    labels = without(metadata.texts("labels"), SET_LABELS)
    annotations = without(metadata.texts("annotations"), SET_ANNOTATIONS)
    return {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        **({"labels": labels} if labels else {}),
        **({"annotations": annotations} if annotations else {}),
    }


def kept(source: Source, options: Options) -> Raw:
    """An object that is kept, without the fields that a cluster has set in it."""
    metadata = {key: value for key, value in source.metadata.items() if key not in SET_BY_SERVER}
    if annotations := metadata.get("annotations"):
        metadata["annotations"] = without(annotations, SET_ANNOTATIONS)
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    if options.namespace and source.kind not in OF_CLUSTER:
        metadata["namespace"] = options.namespace
    document = {key: value for key, value in source.document.items() if key != "status"}
    return {**document, "metadata": metadata}
