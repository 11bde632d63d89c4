"""The users of a claim that a Workload names as its disk. They are asked for once, before the claim is marked
as the Workload's.

Only labelled objects are watched, so the operator doesn't see other people's machines and Pods, and two
machines would write to one file system. A list of Pods shows them all: a machine's claims are volumes of its
launcher Pod, and claims that were plugged in while it runs are volumes of a Pod beside that
(kubevirt.io/kubevirt 1.9.0, pkg/virt-controller/services/template.go, RenderHotplugAttachmentPodTemplate). A
machine that is off has no Pod.
"""

from __future__ import annotations

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.hulls.objectmeta import labels
from twinhull.shell.cluster import Cluster
from twinhull.shell.refusals import RefusalCause, Undone
from twinhull.shell.store import Key

#: On a launcher Pod: the name of its machine (kubevirt.io/api/core/v1, constant VirtualMachineNameLabel).
_MACHINE_LABEL = "vm.kubevirt.io/name"
#: The phases of Pods that no longer use their claims.
_ENDED = {"Succeeded", "Failed"}


async def check_unused(cluster: Cluster, workload: Key, claim: str) -> None:
    """Raises Undone if a running Pod of somebody else uses the claim. The Pods of the namespace are read a
    few at a time, up to the first such Pod.
    """
    namespace, name = workload

    def check(pods: list[Raw]) -> None:
        for pod in pods:
            if labels(pod).get(WORKLOAD_LABEL) != name and _uses(pod, claim):
                raise Undone(RefusalCause(Reason.DISK_CONFLICT, _sentence(namespace, pod, claim), final=True))

    await cluster.read_pods(namespace, check)


def _uses(pod: Raw, claim: str) -> bool:
    if (pod.get("status") or {}).get("phase") in _ENDED:
        return False
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    return any((one.get("persistentVolumeClaim") or {}).get("claimName") == claim for one in volumes)


def _sentence(namespace: str, pod: Raw, claim: str) -> str:
    used = f"source.claim: PersistentVolumeClaim {claim} is in use by Pod {pod['metadata']['name']}"
    machine = labels(pod).get(_MACHINE_LABEL)
    if not machine:
        return f"{used}, and both would write to it: end that Pod, or name another claim"
    stop = commands.others(namespace, "virtctl", "stop", machine)
    delete = commands.others(namespace, "kubectl", "delete", "vmi", machine)
    return (
        f"{used} of VirtualMachineInstance {machine}, and both would write to it: shut that machine down "
        f"with {stop}, or with {delete} if its VirtualMachine is gone; or name another claim"
    )
