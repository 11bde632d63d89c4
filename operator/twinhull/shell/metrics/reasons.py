"""Reasons that the Ready condition is known to have. Others come from guests, webhooks and plugins: as many
as these like, so that as a label they are one, Other.
"""

from __future__ import annotations

#: Our own, by the rules in core and what the executor is refused.
_OWN = frozenset(
    {
        "CannotStartFirst",
        "Changing",
        "ClaimMissing",
        "Completed",
        "ConfigMapFailed",
        "ConfigMapRefused",
        "Creating",
        "Draining",
        "EvadesFloor",
        "Failed",
        "GuestError",
        "GuestImageMissing",
        "InstancetypeMissing",
        "IsolationDropped",
        "KubeVirtDeploying",
        "KubeVirtMissing",
        "KubeVirtNotReady",
        "MachineEdited",
        "NameConflict",
        "NamespaceUnknown",
        "NoMachineNodes",
        "PodFailed",
        "PodRefused",
        "PolicyUnreadable",
        "PreferenceMissing",
        "ProgressDeadlineExceeded",
        "Ready",
        "RejectedByPolicy",
        "Replacing",
        "ResizeDeferred",
        "ResizeError",
        "ResizeInfeasible",
        "Restarting",
        "RuntimeClassConflict",
        "RuntimeClassMissing",
        "ServiceFailed",
        "ServiceRefused",
        "Stopped",
        "Stopping",
        "StorageClassMissing",
        "TerminationDeadlineExceeded",
        "UnsupportedFields",
        "VirtualMachineFailed",
        "VirtualMachineRefused",
        "Waiting",
    }
)
#: The kubelet's, the scheduler's and KubeVirt's that say what to look for.
_OTHERS = frozenset(
    {
        "ContainersNotInitialized",
        "ContainersNotReady",
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "DataVolumeError",
        "DeadlineExceeded",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ErrorPvcNotFound",
        "ErrorUnschedulable",
        "Evicted",
        "FailedCreate",
        "GuestNotRunning",
        "Halted",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "Migrating",
        "NodeLost",
        "NotReady",
        "OutOfcpu",
        "OutOfmemory",
        "Paused",
        "Pending",
        "PodNotExists",
        "Provisioning",
        "RunContainerError",
        "SchedulingGated",
        "Starting",
        "Terminating",
        "Unknown",
        "Unschedulable",
        "WaitingForVolumeBinding",
    }
)
KNOWN = _OWN | _OTHERS


def bounded(reason: str) -> str:
    """The reason as a label."""
    return reason if reason in KNOWN else "Other"
