"""The kinds of objects that the operator watches, reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from twinhull.api.base import GROUP, VERSION
from twinhull.api.objectnames import is_path_segment
from twinhull.hulls.hull import DISK_LABEL, HULL_LABEL, WORKLOAD_LABEL
from twinhull.hulls.types import hull_types
from twinhull.shell.errors import NotFound


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects: its place in the API, and which of its objects concern the operator."""

    #: The name of the kind, such as Pod.
    name: str
    #: The API group, empty for the core group.
    group: str
    #: The API version in which the operator asks for objects.
    version: str
    #: The kind's name in URLs.
    plural: str
    #: Whether the kind is namespaced.
    namespaced: bool = True
    #: A label selector for the objects that concern the operator. None if all do.
    label_selector: str | None = None
    #: Whether the operator asks only for the objects' metadata.
    metadata_only: bool = False
    #: A field selector for the objects that concern the operator, such as metadata.name=web. None if all do.
    field_selector: str | None = None

    @property
    def api_version(self) -> str:
        """The apiVersion of objects of this kind."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """The URL path at which the API server lists the kinds of this group and version."""
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The URL path of one object, of all objects in a namespace, or of all objects.

        Raises NotFound for a name that no object can have: somebody else may have written it, and it would
        lead to another path.
        """
        for what, segment in (("namespace", namespace), (self.name, name)):
            if segment and not is_path_segment(segment):
                raise NotFound(f"no {what} can have the name {segment!r}")
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{self.root}{within}/{self.plural}" + (f"/{name}" if name else "")


#: A kind, and a namespace or (None) everywhere.
Place: TypeAlias = tuple[Kind, str | None]

_INSTANCETYPE = ("instancetype.kubevirt.io", "v1beta1")

WORKLOAD = Kind("Workload", GROUP, VERSION, "workloads")
ACCESS_REQUEST = Kind("AccessRequest", GROUP, VERSION, "accessrequests")
#: Selected by the hull label, not by the Workload's: launcher Pods carry that one, too.
POD = Kind("Pod", "", "v1", "pods", label_selector=HULL_LABEL)
#: The Pods in which KubeVirt runs machines (kubevirt.io/api/core/v1, constant AppLabel). Only their state is
#: kept.
LAUNCHER = Kind("LauncherPod", "", "v1", "pods", label_selector=f"{WORKLOAD_LABEL},kubevirt.io=virt-launcher")
#: All Pods that haven't ended, whoever owns them. They are listed before a claim is marked as a disk.
ANY_POD = Kind("AnyPod", "", "v1", "pods", field_selector="status.phase!=Succeeded,status.phase!=Failed")
SERVICE = Kind("Service", "", "v1", "services", label_selector=WORKLOAD_LABEL)
CONFIG_MAP = Kind("ConfigMap", "", "v1", "configmaps", label_selector=WORKLOAD_LABEL)
VIRTUAL_MACHINE = Kind(
    "VirtualMachine", "kubevirt.io", "v1", "virtualmachines", label_selector=WORKLOAD_LABEL
)
VIRTUAL_MACHINE_INSTANCE = Kind(
    "VirtualMachineInstance", "kubevirt.io", "v1", "virtualmachineinstances", label_selector=WORKLOAD_LABEL
)
#: No PodTemplate is ever created. A dry run of one shows whether the API server would accept a machine's Pod.
POD_TEMPLATE = Kind("PodTemplate", "", "v1", "podtemplates")
#: Listed when KubeVirt may give a launcher Pod limits because of them.
RESOURCE_QUOTA = Kind("ResourceQuota", "", "v1", "resourcequotas")
#: Only their existence matters.
RUNTIME_CLASS = Kind(
    "RuntimeClass", "node.k8s.io", "v1", "runtimeclasses", namespaced=False, metadata_only=True
)
KUBEVIRT = Kind("KubeVirt", "kubevirt.io", "v1", "kubevirts")
ISOLATION_POLICY = Kind("IsolationPolicy", GROUP, VERSION, "isolationpolicies", namespaced=False)
#: Only their labels and their existence matter.
NAMESPACE = Kind("Namespace", "", "v1", "namespaces", namespaced=False, metadata_only=True)
#: Nodes that can run machines. Only their existence matters.
NODE = Kind(
    "Node",
    "",
    "v1",
    "nodes",
    namespaced=False,
    label_selector="kubevirt.io/schedulable=true",
    metadata_only=True,
)
DATA_VOLUME = Kind("DataVolume", "cdi.kubevirt.io", "v1beta1", "datavolumes", label_selector=DISK_LABEL)
#: Read when a disk is cloned from the claim or snapshot to which a DataSource leads.
DATA_SOURCE = Kind("DataSource", "cdi.kubevirt.io", "v1beta1", "datasources")
#: With this the operator asks whether it has a right.
ACCESS_REVIEW = Kind(
    "SelfSubjectAccessReview", "authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False
)
#: Only its phase matters.
CDI = Kind("CDI", "cdi.kubevirt.io", "v1beta1", "cdis", namespaced=False)
#: The kinds that CDI serves and the operator watches.
OF_DISKS = (DATA_VOLUME, CDI)
#: The kinds whose objects carry the name of their Workload in a label.
LABELLED = (POD, SERVICE, CONFIG_MAP, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE, DATA_VOLUME)
#: The kinds that tell the cluster's capabilities (shell/observe.py).
CAPABLE = (RUNTIME_CLASS, KUBEVIRT, NODE, CDI)
CLAIM = Kind("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims")
#: The kinds of objects that a Workload may refer to (core/references.py).
REFERRED = (
    CLAIM,
    Kind("StorageClass", "storage.k8s.io", "v1", "storageclasses", namespaced=False, metadata_only=True),
    Kind("VirtualMachineInstancetype", *_INSTANCETYPE, "virtualmachineinstancetypes"),
    Kind(
        "VirtualMachineClusterInstancetype",
        *_INSTANCETYPE,
        "virtualmachineclusterinstancetypes",
        namespaced=False,
    ),
    Kind("VirtualMachinePreference", *_INSTANCETYPE, "virtualmachinepreferences"),
    Kind(
        "VirtualMachineClusterPreference",
        *_INSTANCETYPE,
        "virtualmachineclusterpreferences",
        namespaced=False,
    ),
)


def launcher(instance: str) -> Kind:
    """The launcher Pods of the VirtualMachineInstance with that uid (kubevirt.io/api/core/v1, constant
    CreatedByLabel). There are two while it is migrated.
    """
    return Kind("Pod", "", "v1", "pods", label_selector=f"kubevirt.io/created-by={instance}")


EVENT = Kind("Event", "events.k8s.io", "v1", "events")
LEASE = Kind("Lease", "coordination.k8s.io", "v1", "leases")

#: The kinds that are kept in the store. Workloads come last: by then all that belongs to them is known.
WATCHED = (
    *(POD, LAUNCHER, SERVICE, CONFIG_MAP, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE),
    *(DATA_VOLUME, CDI, RUNTIME_CLASS, KUBEVIRT),
    *(NODE, *REFERRED),
    *(NAMESPACE, ISOLATION_POLICY, ACCESS_REQUEST),
    WORKLOAD,
)

#: The kinds that KubeVirt and CDI serve. They may be removed from a cluster.
REMOVABLE = tuple(kind for kind in WATCHED if kind.group.endswith("kubevirt.io"))

BY_NAME = {kind.name: kind for kind in (*WATCHED, EVENT, POD_TEMPLATE)}


def hulls() -> tuple[Kind, ...]:
    """The kinds of objects that are hulls, each once, in the order of the types that make them."""
    return tuple(BY_NAME[kind] for kind in dict.fromkeys(one.kind for one in hull_types()))
