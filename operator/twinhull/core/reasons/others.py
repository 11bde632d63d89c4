"""Others' reasons that the Ready condition passes on: the kubelet's, the scheduler's and KubeVirt's."""

from __future__ import annotations

from twinhull.api.reasons import Reason
from twinhull.core.reasons.row import Row

_IMAGE = (
    "see the image's name, the registry and its credentials (`imagePullSecrets`; of a guest image, "
    "`spec.virtualMachine.guestImagePullSecret`)"
)
_PLACE = "see the Events of the Pod: requests, selectors, taints and quotas that no node fits"
_START = "see the message: a ConfigMap, Secret, key, command or mount that isn't there"
_VIRT = "see `kubectl describe vm`, and KubeVirt's own Pods"
_STORAGE = "see the claims and DataVolumes that the machine names"

#: There are more, which guests and webhooks make up: metrics count these as Other.
OTHERS: dict[str, Row] = {
    "ContainersNotInitialized": Row(
        "Init containers haven't ended.", "see `status.containers` and their logs"
    ),
    "ContainersNotReady": Row(
        "A container isn't ready, by its readiness probe.", "see its log, and the probe"
    ),
    "CrashLoopBackOff": Row(
        "A container ends again and again, or a machine.", "see its log and its last exit code"
    ),
    "CreateContainerConfigError": Row("A container can't be configured.", _START),
    "CreateContainerError": Row("A container can't be made.", _START),
    "DataVolumeError": Row("A disk of the machine can't be filled.", _STORAGE),
    "DeadlineExceeded": Row("It ran for longer than `activeDeadlineSeconds`."),
    "ErrImageNeverPull": Row("The image isn't there, and is never to be pulled.", "see `imagePullPolicy`"),
    "ErrImagePull": Row("An image can't be pulled.", _IMAGE),
    "Evicted": Row("The node was short of something, and has ended the Pod; it is made again."),
    "FailedCreate": Row("KubeVirt can't make the machine's launcher Pod, and tries again.", _VIRT),
    "GuestNotRunning": Row("The machine isn't running yet, or not any more.", _VIRT),
    "ImageInspectError": Row("An image on the node can't be read.", _IMAGE),
    "ImagePullBackOff": Row("An image can't be pulled, and is tried again.", _IMAGE),
    "InvalidImageName": Row("An image's name can't be read.", _IMAGE),
    "Migrating": Row("The machine moves to another node."),
    "NodeLost": Row("The node has gone silent.", "see `kubectl get nodes`"),
    "NotAllDVsReady": Row("A disk of the machine isn't filled yet.", _STORAGE),
    "OutOfcpu": Row("The node had no CPU left for the Pod; it is made again."),
    "OutOfmemory": Row("The node had no memory left for the Pod; it is made again."),
    "Paused": Row("The machine is paused.", "`virtctl unpause vm`"),
    "PausedByMigrationMonitor": Row("The machine is paused while it moves to another node."),
    "PausedByUser": Row("Somebody has paused the machine.", "`virtctl unpause vm`"),
    "PausedIOError": Row(
        "KubeVirt has paused the machine, since a disk of it can't be written: mostly the storage of a block "
        "claim is full.",
        "make room there, then `virtctl unpause vm`",
    ),
    "PodNotExists": Row("KubeVirt hasn't made the machine's launcher Pod yet."),
    "PodTerminating": Row("The machine's launcher Pod ends."),
    "Provisioning": Row("The machine's disks are being filled."),
    "RunContainerError": Row("A container can't be started.", _START),
    "SchedulingGated": Row("The Pod has scheduling gates.", "whoever set them is to take them away"),
    "Starting": Row("The machine is being started."),
    Reason.UNKNOWN: Row(
        "The node has stopped telling of it. In `status.exit`: the guest was shut down without saying how "
        "its Pod ended.",
        "see `kubectl get nodes`; to know an end the next time, give the operator a `--guest-key-file`, or "
        "open KubeVirt's feature gate PanicDevices, which KubeVirt 1.9 and later don't need",
    ),
    "Unschedulable": Row("No node takes the Pod, or the machine's launcher Pod.", _PLACE),
    "WaitingForVolumeBinding": Row("A claim of the machine isn't bound.", _STORAGE),
}
