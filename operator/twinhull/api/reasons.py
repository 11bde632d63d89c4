"""Reasons: why something is so, in one CamelCase word. core/reasons says what each means.

A reason is one of the operator's own, or a word that is passed on from the kubelet, the scheduler, KubeVirt,
a guest or a status. mypy tells these two from any other text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, NewType, TypeAlias

from pydantic import AfterValidator, WithJsonSchema

from twinhull.api.brevity import word


class Reason(StrEnum):
    """Every reason that the operator itself gives."""

    BELOW_FLOOR = "BelowFloor"
    CANNOT_START_FIRST = "CannotStartFirst"
    CDI_DEPLOYING = "CDIDeploying"
    CDI_MISSING = "CDIMissing"
    CDI_NOT_READY = "CDINotReady"
    CHANGED = "Changed"
    CHANGED_IN_PLACE = "ChangedInPlace"
    CHANGING = "Changing"
    CLAIM_FAILED = "ClaimFailed"
    CLAIM_HAS_FILES = "ClaimHasFiles"
    CLAIM_IS_DISK = "ClaimIsDisk"
    CLAIM_MISSING = "ClaimMissing"
    CLAIM_READ_ONLY = "ClaimReadOnly"
    CLAIM_REFUSED = "ClaimRefused"
    COMPLETED = "Completed"
    CONFIG_MAP_FAILED = "ConfigMapFailed"
    CONFIG_MAP_REFUSED = "ConfigMapRefused"
    CREATED = "Created"
    CREATING = "Creating"
    DATA_VOLUME_FAILED = "DataVolumeFailed"
    DATA_VOLUME_REFUSED = "DataVolumeRefused"
    DELETED = "Deleted"
    DISK_CONFLICT = "DiskConflict"
    DISK_FAILED = "DiskFailed"
    DISK_IMPORTING = "DiskImporting"
    DISK_REPLACED = "DiskReplaced"
    DISK_SHRINKS = "DiskShrinks"
    DISK_SOURCE_CHANGED = "DiskSourceChanged"
    DISK_TAKEN_UP = "DiskTakenUp"
    DISK_WAITING = "DiskWaiting"
    DRAINING = "Draining"
    DRIFT_CORRECTED = "DriftCorrected"
    ERROR = "Error"
    EVADES_FLOOR = "EvadesFloor"
    EVICTED_BY_POLICY = "EvictedByPolicy"
    EXPIRED = "Expired"
    FAILED = "Failed"
    FAILURE = "Failure"
    FIELDS_DROPPED = "FieldsDropped"
    GUEST_ERROR = "GuestError"
    GUEST_IMAGE_MISSING = "GuestImageMissing"
    GUEST_OUTDATED = "GuestOutdated"
    GUEST_UNSEEN = "GuestUnseen"
    HALTED = "Halted"
    IMAGE_REJECTED = "ImageRejected"
    IN_FORCE = "InForce"
    INSTANCETYPE_MISSING = "InstancetypeMissing"
    INTERNAL_ERROR = "InternalError"
    ISOLATION_DROPPED = "IsolationDropped"
    ISOLATION_UNKNOWN = "IsolationUnknown"
    ISSUED = "Issued"
    KUBEVIRT_DEPLOYING = "KubeVirtDeploying"
    KUBEVIRT_MISSING = "KubeVirtMissing"
    KUBEVIRT_NOT_READY = "KubeVirtNotReady"
    KUBEVIRT_TOO_OLD = "KubeVirtTooOld"
    LAUNCHER_REFUSED = "LauncherRefused"
    MACHINE_EDITED = "MachineEdited"
    NAME_CONFLICT = "NameConflict"
    NAMESPACE_UNKNOWN = "NamespaceUnknown"
    NO_GUEST = "NoGuest"
    NO_GUEST_KEY = "NoGuestKey"
    NO_MACHINE_NODES = "NoMachineNodes"
    NOT_READY = "NotReady"
    NOT_STALLED = "NotStalled"
    OPERATOR_DEFAULT = "OperatorDefault"
    OVERRULED = "Overruled"
    PENDING = "Pending"
    POD_FAILED = "PodFailed"
    POD_REFUSED = "PodRefused"
    POLICY_DEFAULT = "PolicyDefault"
    POLICY_UNREADABLE = "PolicyUnreadable"
    PREFERENCE_MISSING = "PreferenceMissing"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    RAISED_BY_POLICY = "RaisedByPolicy"
    READY = "Ready"
    REJECTED_BY_POLICY = "RejectedByPolicy"
    REPLACING = "Replacing"
    REQUEST_REFUSED = "RequestRefused"
    REQUESTED = "Requested"
    RESIZE_DEFERRED = "ResizeDeferred"
    RESIZE_ERROR = "ResizeError"
    RESIZE_INFEASIBLE = "ResizeInfeasible"
    RESTART_REQUIRED = "RestartRequired"
    RESTARTING = "Restarting"
    RUNTIME_CLASS_CONFLICT = "RuntimeClassConflict"
    RUNTIME_CLASS_MISSING = "RuntimeClassMissing"
    SERVICE_CHANGED = "ServiceChanged"
    SERVICE_FAILED = "ServiceFailed"
    SERVICE_REFUSED = "ServiceRefused"
    SETTLED = "Settled"
    STOPPED = "Stopped"
    STOPPING = "Stopping"
    STORAGE_CLASS_MISSING = "StorageClassMissing"
    TEMPLATE_MISSING = "TemplateMissing"
    TERMINATING = "Terminating"
    TERMINATION_DEADLINE_EXCEEDED = "TerminationDeadlineExceeded"
    TOO_LARGE = "TooLarge"
    TRAFFIC_MOVED = "TrafficMoved"
    UNKNOWN = "Unknown"
    UNREADABLE = "Unreadable"
    UNSUPPORTED_FIELDS = "UnsupportedFields"
    VIRTUAL_MACHINE_FAILED = "VirtualMachineFailed"
    VIRTUAL_MACHINE_REFUSED = "VirtualMachineRefused"
    WAITING = "Waiting"
    WORKLOAD_MISSING = "WorkloadMissing"


#: A reason that was read somewhere, and is passed on unchanged.
Quoted = NewType("Quoted", str)
#: Any reason that the operator reports. The CRDs allow any text, since other versions may have written
#: statuses.
Why: TypeAlias = Annotated[
    Reason | Quoted,
    AfterValidator(lambda why: why if isinstance(why, Reason) else Quoted(word(why))),
    WithJsonSchema({"type": "string"}),
]
#: Stands for the lack of a reason.
UNSAID = Quoted("")
