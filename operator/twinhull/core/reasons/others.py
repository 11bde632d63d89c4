"""Reasons of other components that the Ready condition passes on: the kubelet's, the scheduler's and
KubeVirt's.
"""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import HULL, ReasonRow, others, ours

_IMAGE = (
    "check the image's name, the registry and its credentials (`imagePullSecrets`; for a guest image "
    "`spec.virtualMachine.guestImagePullSecret`)"
)
_PLACE = "see the Events of the Pod: no node fits its requests, selectors and tolerations"
_START = "see the message, which names a missing ConfigMap, Secret, key, command or mount"
_VIRT = f"see {others('kubectl', 'describe', 'vm', HULL)}, and KubeVirt's own Pods"
_UNPAUSE = others("virtctl", "unpause", "vm", HULL)
_STORAGE = "see the claims and DataVolumes that the machine names"

#: Guests and webhooks give other reasons, too: metrics count these as Other.
OTHERS: dict[str, ReasonRow] = {
    "ContainersNotInitialized": ReasonRow(
        "Not all init containers have completed.", f"see their logs ({ours('logs')})"
    ),
    "ContainersNotReady": ReasonRow(
        "A container doesn't pass its readiness probe.", f"see its log ({ours('logs')}), and the probe"
    ),
    "CrashLoopBackOff": ReasonRow(
        "A container, or the machine, ends again and again.",
        f"see its log ({ours('logs')}) and its last exit code",
    ),
    "CreateContainerConfigError": ReasonRow("A container can't be configured.", _START),
    "CreateContainerError": ReasonRow("A container can't be made.", _START),
    "DataVolumeError": ReasonRow("A disk of the machine can't be filled.", _STORAGE),
    "DeadlineExceeded": ReasonRow("The Pod ran for longer than `activeDeadlineSeconds`."),
    "ErrImageNeverPull": ReasonRow(
        "The node doesn't have the image, and `imagePullPolicy` is Never.",
        "see `imagePullPolicy`",
    ),
    "ErrImagePull": ReasonRow("An image can't be pulled.", _IMAGE),
    "Evicted": ReasonRow(
        "The node ran short of a resource and evicted the Pod. The operator makes it again."
    ),
    "FailedCreate": ReasonRow("KubeVirt can't make the machine's launcher Pod, and keeps trying.", _VIRT),
    "GuestNotRunning": ReasonRow("The machine isn't running yet, or no longer runs.", _VIRT),
    "ImageInspectError": ReasonRow("An image on the node can't be read.", _IMAGE),
    "ImagePullBackOff": ReasonRow("An image can't be pulled, and the pull is retried.", _IMAGE),
    "InvalidImageName": ReasonRow("An image's name is invalid.", _IMAGE),
    "Migrating": ReasonRow("The machine is being moved to another node."),
    "NodeLost": ReasonRow("The node no longer reports its state.", "see `kubectl get nodes`"),
    "NotAllDVsReady": ReasonRow("A disk of the machine isn't filled yet.", _STORAGE),
    "OutOfcpu": ReasonRow("The node had no CPU left for the Pod. The operator makes it again."),
    "OutOfmemory": ReasonRow("The node had no memory left for the Pod. The operator makes it again."),
    "Paused": ReasonRow("The machine is paused.", _UNPAUSE),
    "PausedByMigrationMonitor": ReasonRow("The machine is paused while it moves to another node."),
    "PausedByUser": ReasonRow("Somebody has paused the machine.", _UNPAUSE),
    "PausedIOError": ReasonRow(
        "KubeVirt has paused the machine, since one of its disks can't be written. Usually the storage of "
        "a block claim is full.",
        f"make room there, then run {_UNPAUSE}. If a machine runs containers, its clock is then behind by "
        "the length of the pause: after a long one, run `twinhull restart`",
    ),
    "PodNotExists": ReasonRow("KubeVirt hasn't made the machine's launcher Pod yet."),
    "PodTerminating": ReasonRow("The machine's launcher Pod is ending."),
    "Provisioning": ReasonRow("The machine's disks are being filled."),
    "RunContainerError": ReasonRow("A container can't be started.", _START),
    "SchedulingGated": ReasonRow("The Pod has scheduling gates.", "ask whoever set them to remove them"),
    "Starting": ReasonRow("The machine is being started."),
    Reason.UNKNOWN: ReasonRow(
        "The node no longer reports the Pod's state. In `status.exit`: the guest was shut down and didn't "
        "report how its Pod ended.",
        "see `kubectl get nodes`; to know how a run ended the next time, give the operator a "
        "`--guest-key-file`, or enable KubeVirt's feature gate PanicDevices, which KubeVirt 1.9 and later "
        "don't need",
    ),
    "Unschedulable": ReasonRow("No node fits the Pod, or the machine's launcher Pod.", _PLACE),
    "WaitingForVolumeBinding": ReasonRow("A claim of the machine isn't bound.", _STORAGE),
}
