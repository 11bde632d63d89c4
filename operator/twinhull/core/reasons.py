"""Every reason that conditions and Events give: when it is given, and what to do.

The page docs/troubleshooting.md is made from it, metrics count by it, and a test holds it to what the code
gives.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """What a reason means, and what to do; nothing, if it goes on by itself."""

    means: str
    remedy: str = ""


_SEE = "the message is the API server's: do what it says"

#: The Ready condition's, by the rules in this package, and then also that of Reconciling or Stalled.
READY: dict[str, Reason] = {
    "Ready": Reason("The hull is ready: for a machine, the Pod in it is."),
    "Completed": Reason(
        "It ran to its end, well. It doesn't run again, until another `twinhull.dev/restart`."
    ),
    "Stopped": Reason("Nothing runs, as `spec.state` asks."),
    "Stopping": Reason("`spec.state` is Stopped, and its hull has its grace period to end in."),
    "Creating": Reason("Its hull is being made."),
    "Waiting": Reason(
        "An object of its name is on its way out with its former owner, or the API server is busy."
    ),
    "Changing": Reason("A running hull is given a change: labels, annotations, images, CPU or memory."),
    "Replacing": Reason("One hull takes the place of another."),
    "Draining": Reason("The new hull has the traffic, the old one its `drainSeconds` before it is ended."),
    "Restarting": Reason("Its hull failed, was evicted or deleted by somebody, and is made again."),
    "KubeVirtDeploying": Reason("KubeVirt is being installed."),
    "NamespaceUnknown": Reason("There are policies, and the namespace's labels aren't known yet."),
    "ResizeDeferred": Reason(
        "The node has no room now for the CPU or memory that a running Pod was given; it tries again.",
        "wait, make room on the node, or have the Pod moved: another annotation `twinhull.dev/restart`",
    ),
    "MachineEdited": Reason(
        "The machine is ready, but somebody changed its VirtualMachine, which counts from its next start on.",
        "give the Workload another annotation `twinhull.dev/restart`, to have a machine that is as it asks",
    ),
    "Failed": Reason(
        "It ran to its end, badly; `status.exit` has the exit code and the container.",
        "look at its logs; to run it again, change the spec, or another annotation `twinhull.dev/restart`",
    ),
    "ProgressDeadlineExceeded": Reason(
        "The hull was not ready within `progressDeadlineSeconds`. Under StartFirst it was taken back, and "
        "the old one goes on.",
        "the message has what kept it: image, scheduling, probe; change the spec to try again",
    ),
    "TerminationDeadlineExceeded": Reason(
        "A hull should have ended and hasn't.",
        "see its finalizers and its node; if the node is gone for good, `kubectl delete --force`",
    ),
    "CannotStartFirst": Reason(
        "Both hulls would hold something that only one can: a ReadWriteOnce claim, a host port.",
        "set `spec.replacement.strategy` to Recreate, or share it some other way",
    ),
    "UnsupportedFields": Reason(
        "The template has fields that a machine can't honour; all are in `status.unsupportedFields`.",
        "do what each field's reason says, or choose another isolation ([parity](parity.md))",
    ),
    "IsolationDropped": Reason(
        "The API server left out a field that keeps the Pod apart: a feature gate is off, or by a webhook.",
        "enable the feature there, or remove the field; the Pod runs until then",
    ),
    "RejectedByPolicy": Reason(
        "An IsolationPolicy rejects it. What runs goes on, and nothing is made anew.",
        "ask for the isolation that the message names, or see whose the policy is ([policies](policies.md))",
    ),
    "PolicyUnreadable": Reason(
        "An IsolationPolicy that may concern it can't be read by this operator.",
        "see `kubectl describe isopol`; usually the operator is older than the policy",
    ),
    "Unreadable": Reason(
        "This operator can't read the Workload, or the IsolationPolicy, that says so. What runs goes on; "
        "nothing is made anew, nor started that such a policy may concern.",
        "do what its message says; usually the operator is to be upgraded",
    ),
    "EvadesFloor": Reason(
        "Something in it reaches past the isolation that a policy requires.",
        "remove the field that the message names ([what a floor refuses](policies.md#what-a-floor-refuses))",
    ),
    "KubeVirtMissing": Reason("It is to be a machine, and KubeVirt isn't installed.", "install KubeVirt"),
    "KubeVirtNotReady": Reason(
        "KubeVirt is being removed, or says that it failed.", "`kubectl get kubevirt -A`"
    ),
    "NoMachineNodes": Reason(
        "No node is labelled `kubevirt.io/schedulable=true`.",
        "`kubectl get pods -n kubevirt`: virt-handler labels the nodes that can run machines",
    ),
    "GuestImageMissing": Reason(
        "Nobody names the image that machines boot.",
        "set the chart's `guest.image`, or `spec.virtualMachine.guestImage`",
    ),
    "RuntimeClassMissing": Reason(
        "The sandbox's RuntimeClass isn't there, or none is named.",
        "create it, or name one: `spec.sandbox.runtimeClassName`, the policy's, or the operator's",
    ),
    "RuntimeClassConflict": Reason(
        "A sandbox's template names a RuntimeClass of its own.", "move it to `spec.sandbox.runtimeClassName`"
    ),
    "ClaimMissing": Reason("A PersistentVolumeClaim isn't there.", "create it"),
    "StorageClassMissing": Reason("A StorageClass isn't there.", "create it, or name another one"),
    "InstancetypeMissing": Reason("An instancetype isn't there.", "create it, or name another one"),
    "PreferenceMissing": Reason("A preference isn't there.", "create it, or name another one"),
    "NameConflict": Reason(
        "An object of its name or label belongs to somebody else, and is left alone.",
        "delete that object, take the label off it, or rename one of the two",
    ),
    "ResizeError": Reason(
        "The node failed to give a running Pod its CPU or memory.",
        "see the message; another annotation `twinhull.dev/restart` has the Pod made anew",
    ),
    "ResizeInfeasible": Reason(
        "The node can never give a running Pod that much CPU or memory.",
        "ask for less, or have the Pod moved: another annotation `twinhull.dev/restart`",
    ),
    "PodRefused": Reason(
        "The API server refused the Pod: a quota, a webhook, a field that it doesn't know.", _SEE
    ),
    "PodFailed": Reason("The API server failed at the Pod; it is tried again.", _SEE),
    "VirtualMachineRefused": Reason("The API server or KubeVirt's webhook refused the machine.", _SEE),
    "VirtualMachineFailed": Reason("The API server failed at the machine; it is tried again.", _SEE),
    "ServiceRefused": Reason("The API server refused the Service, such as a NodePort that is taken.", _SEE),
    "ServiceFailed": Reason("The API server failed at the Service; it is tried again.", _SEE),
    "ConfigMapRefused": Reason("The API server refused the machine's manifest.", _SEE),
    "ConfigMapFailed": Reason("The API server failed at the machine's manifest; it is tried again.", _SEE),
    "NotReady": Reason("The hull isn't ready, and nobody says why."),
    "Pending": Reason("The hull hasn't started: it is yet to be scheduled, or its images pulled."),
    "Terminating": Reason("An instance outlives its machine, and is waited for."),
    "Halted": Reason(
        "Somebody has stopped the VirtualMachine itself.",
        "start it (`virtctl start`), or set the Workload's `spec.state` to Stopped",
    ),
    "GuestError": Reason(
        "The guest in the machine can't run the Pod; the message is its own.",
        "see the message: an image that isn't there, a volume that can't be mounted; its console has more",
    ),
    "Failure": Reason("KubeVirt says that the machine failed, without a reason of its own.", _SEE),
}

_IMAGE = "see the image's name, the registry and its credentials (`imagePullSecrets`)"
_PLACE = "see the Events of the Pod: requests, selectors, taints and quotas that no node fits"
_START = "see the message: a ConfigMap, Secret, key, command or mount that isn't there"
_VIRT = "see `kubectl describe vm`, and KubeVirt's own Pods"
_STORAGE = "see the claims and DataVolumes that the machine names"

#: The Ready condition's, in the words of the kubelet, the scheduler and KubeVirt. There are others, which
#: guests and webhooks make up: metrics count these as Other.
OTHERS: dict[str, Reason] = {
    "ContainersNotInitialized": Reason(
        "Init containers haven't ended.", "see `status.containers` and their logs"
    ),
    "ContainersNotReady": Reason(
        "A container isn't ready, by its readiness probe.", "see its log, and the probe"
    ),
    "CrashLoopBackOff": Reason("A container ends again and again.", "see its log and its last exit code"),
    "CreateContainerConfigError": Reason("A container can't be configured.", _START),
    "CreateContainerError": Reason("A container can't be made.", _START),
    "DataVolumeError": Reason("A disk of the machine can't be filled.", _STORAGE),
    "DeadlineExceeded": Reason("It ran for longer than `activeDeadlineSeconds`."),
    "ErrImageNeverPull": Reason("The image isn't there, and is never to be pulled.", "see `imagePullPolicy`"),
    "ErrImagePull": Reason("An image can't be pulled.", _IMAGE),
    "ErrorPvcNotFound": Reason("A claim of the machine isn't there.", _STORAGE),
    "ErrorUnschedulable": Reason("No node takes the machine.", _PLACE),
    "Evicted": Reason("The node was short of something, and has ended the Pod; it is made again."),
    "FailedCreate": Reason("KubeVirt can't make the machine's launcher Pod.", _VIRT),
    "GuestNotRunning": Reason("The machine isn't running yet, or not any more.", _VIRT),
    "ImageInspectError": Reason("An image on the node can't be read.", _IMAGE),
    "ImagePullBackOff": Reason("An image can't be pulled, and is tried again.", _IMAGE),
    "InvalidImageName": Reason("An image's name can't be read.", _IMAGE),
    "Migrating": Reason("The machine moves to another node."),
    "NodeLost": Reason("The node has gone silent.", "see `kubectl get nodes`"),
    "OutOfcpu": Reason("The node had no CPU left for the Pod; it is made again."),
    "OutOfmemory": Reason("The node had no memory left for the Pod; it is made again."),
    "Paused": Reason("Somebody has paused the machine.", "`virtctl unpause`"),
    "PodNotExists": Reason("KubeVirt hasn't made the machine's launcher Pod yet."),
    "Provisioning": Reason("The machine's disks are being filled."),
    "RunContainerError": Reason("A container can't be started.", _START),
    "SchedulingGated": Reason("The Pod has scheduling gates.", "whoever set them is to take them away"),
    "Starting": Reason("The machine is being started."),
    "Unknown": Reason("The node has stopped telling of it.", "see `kubectl get nodes`"),
    "Unschedulable": Reason("No node takes the Pod.", _PLACE),
    "WaitingForVolumeBinding": Reason("A claim of the machine isn't bound.", _STORAGE),
}

#: The IsolationResolved condition's and those of `status.isolation`, beside those that Ready has, too.
ISOLATION: dict[str, Reason] = {
    "Requested": Reason("`spec.isolationPolicy` names it."),
    "PolicyDefault": Reason("It is Auto, and a policy says what that means."),
    "OperatorDefault": Reason("It is Auto, and the operator's `--default-isolation` says what that means."),
    "RaisedByPolicy": Reason("A policy asks for a stronger isolation than the Workload."),
}

#: The Reconciling and Stalled conditions' while they are False, and those of IsolationPolicies.
SETTLED: dict[str, Reason] = {
    "Settled": Reason("Reconciling is False: nothing is under way."),
    "NotStalled": Reason("Stalled is False: nothing waits for a change by hand."),
    "InForce": Reason("An IsolationPolicy is Ready: it is read, and decides."),
}

#: Events' that aren't a condition's, too. An Event of a condition's reason says that the condition is so now.
EVENTS: dict[str, Reason] = {
    "Created": Reason("A hull was made."),
    "ChangedInPlace": Reason("A running hull was given a change."),
    "TrafficMoved": Reason("The Service leads to the new hull from now on."),
    "ServiceChanged": Reason("The Service was changed as `spec.service` or the ports ask."),
    "DriftCorrected": Reason(
        "Somebody changed or deleted what belongs to the Workload, and it was put back.",
        "change the Workload instead; if a controller did it, keep it from these objects",
    ),
    "FieldsDropped": Reason(
        "The API server left out fields of the template: their feature gates are off.",
        "enable the features, or remove the fields; `status.unsupportedFields` has them",
    ),
}

#: Those of `status.exit` beside Completed, Unknown and what the container runtime says, such as OOMKilled.
EXITS: dict[str, Reason] = {
    "Error": Reason("It ended badly.", "see `status.exit` for the code and the container, and its log"),
}

#: Those that the Ready condition is known to have.
KNOWN = frozenset(READY.keys() | OTHERS.keys())
