"""The nodes of a cluster in miniature: a kubelet for Pods, virt-controller and virt-handler for machines."""

from __future__ import annotations

import itertools
import json
from datetime import datetime

from tests.sequences.changes import SICK
from twinhull.api.base import Raw
from twinhull.hulls.graceful_end import requested_at
from twinhull.hulls.hull import REVISION_LABEL
from twinhull.hulls.manifest import MANIFEST_FILE
from twinhull.hulls.objectmeta import owner_of
from twinhull.hulls.report import Stop
from twinhull.shell.store import Key, key_of

from .apiserver import ApiServer


class Nodes:
    """What runs Pods and machines, a step at a time. Unless they are told to be kind they fail them, too.

    A container whose command is "sick" never gets ready.
    """

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._containers = itertools.count(1)
        #: (uid, revision) of the Workloads that ran to their end by themselves.
        self.finished: set[tuple[str, str]] = set()
        #: The uids of the Pods of which nobody hears any more.
        self._lost: set[str] = set()
        #: How far the guests are with the end of their Pods, by the uid of their instance.
        self.stops: dict[str, Stop] = {}

    # --- Pods -------------------------------------------------------------------------------------------

    def kubelet(self, choice: int, *, kindly: bool = False) -> None:
        """A Pod makes its next step; `kindly` only the one that makes it ready, or gone if it is to go."""
        pods = [pod for pod in self._server.all("Pod") if pod["metadata"]["uid"] not in self._lost]
        pods = [pod for pod in pods if owner_of(pod)]  # no stranger
        if not pods:
            return
        pod = pods[choice % len(pods)]
        key, status = key_of(pod), pod["status"]
        if "deletionTimestamp" in pod["metadata"]:
            if status.get("phase") == "Running" and choice % 3 and not kindly:
                self._end_pod(pod, 143 * (choice % 2))  # killed, and not yet gone
            else:
                self._server.remove("Pod", key)
            return
        always = pod["spec"].get("restartPolicy", "Always") == "Always"
        if status.get("phase") in {"Succeeded", "Failed"}:
            return
        if status.get("phase") == "Running" and _runs(pod) != _wanted(pod):
            self._pod_status(key, self._started(pod), ready=False)
        elif kindly or (choice // 7) % 5 < 3:
            well = (kindly or not is_ready(pod)) and not _sick(pod["spec"])
            self._pod_status(key, self._started(pod), ready=well)
        elif always or (choice // 7) % 5 == 3:
            reason = {"reason": "Evicted", "message": "the node was low on memory"}
            self._pod_status(key, {"phase": "Failed", **reason}, ready=False)
        else:
            self._finish(pod)
            self._end_pod(pod, choice % 2)

    def _started(self, pod: Raw) -> Raw:
        """The status of a Pod whose containers run the images of its spec, each started anew for another."""
        by_name = {status["name"]: status for status in pod["status"].get("containerStatuses") or ()}
        statuses = []
        for container in pod["spec"]["containers"]:
            name, image = container["name"], container["image"]
            status = by_name.get(name)
            started = {"name": name, "image": image, "containerID": f"c{next(self._containers)}"}
            statuses.append(status if status and status.get("image") == image else started)
        return {"phase": "Running", "containerStatuses": statuses}

    def lose(self, choice: int) -> None:
        """A Pod's node is gone: the Pod is to go, but there is nobody to say that it has."""
        pods = [pod for pod in self._server.all("Pod") if pod["status"].get("phase") == "Running"]
        if not pods:
            return
        pod = pods[choice % len(pods)]
        self._lost.add(pod["metadata"]["uid"])
        self._pod_status(key_of(pod), {}, ready=False)
        self._server.delete("Pod", key_of(pod))

    def find(self) -> None:
        """The nodes that were lost are back."""
        self._lost.clear()

    def _end_pod(self, pod: Raw, code: int) -> None:
        end = {"exitCode": code, "finishedAt": self._server.time()}
        statuses = [{"name": "web", "state": {"terminated": end}}]
        phase = "Failed" if code else "Succeeded"
        self._pod_status(key_of(pod), {"phase": phase, "containerStatuses": statuses}, ready=False)

    def _finish(self, hull: Raw) -> None:
        (owner,) = hull["metadata"]["ownerReferences"]
        self.finished.add((owner["uid"], hull["metadata"]["labels"][REVISION_LABEL]))

    def _pod_status(self, key: Key, status: Raw, *, ready: bool) -> None:
        pod = self._server.get("Pod", key)
        self._server.patch("Pod", key, {"status": status | self._ready(pod, ready=ready)}, status=True)

    def _ready(self, obj: Raw, *, ready: bool) -> Raw:
        if is_ready(obj) == ready:
            return {}
        return {
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": self._server.time()}]
        }

    # --- machines ---------------------------------------------------------------------------------------

    def virt(self, choice: int, *, kindly: bool = False) -> None:
        """A machine makes its next step."""
        machines = self._server.all("VirtualMachine")
        if not machines:
            return
        vm = machines[choice % len(machines)]
        key = key_of(vm)
        vmi = self._server.objects["VirtualMachineInstance"].get(key)
        if "deletionTimestamp" in vm["metadata"] and vmi is None:
            self._server.remove("VirtualMachine", key)
        elif vmi is None:
            if self._manifest_of(vm) is not None:
                self._create_instance(vm)
        elif "deletionTimestamp" in vmi["metadata"]:
            if vmi["status"].get("phase") in {"Succeeded", "Failed"}:
                self._server.remove("VirtualMachineInstance", key)
                self._machine_ready(key, ready=False)
            else:
                self._instance_phase(key, "Succeeded")  # shut down over ACPI
        elif "deletionTimestamp" in vm["metadata"]:
            self._server.delete("VirtualMachineInstance", key)
        else:
            self._live(vm, vmi, choice // 7, kindly=kindly)

    def _live(self, vm: Raw, vmi: Raw, choice: int, *, kindly: bool) -> None:
        key, phase, strategy = key_of(vm), vmi["status"].get("phase"), vm["spec"]["runStrategy"]
        if phase in {"Succeeded", "Failed"}:
            if strategy == "Always":
                self._server.remove("VirtualMachineInstance", key)
        elif phase != "Running":
            self._instance_phase(key, "Running")
            self.stops[vmi["metadata"]["uid"]] = "none"
        elif self._requested(vm, vmi) or self.stops[vmi["metadata"]["uid"]] != "none":
            self._stop(vm, vmi, choice, kindly=kindly)
        elif kindly or choice % 4 < 2:
            manifest = self._manifest_of(vm)
            sick = manifest is not None and _sick(manifest["pod"]["spec"])
            self._machine_ready(key, ready=(kindly or not is_ready(vm)) and not sick)
        else:
            self._finish(vm)
            self._instance_phase(key, "Succeeded" if choice % 4 == 2 else "Failed")
            self._machine_ready(key, ready=False)

    def _requested(self, vm: Raw, vmi: Raw) -> bool:
        return requested_at(vm, vmi, datetime.fromisoformat(self._server.time())) is not None

    def _stop(self, vm: Raw, vmi: Raw, choice: int, *, kindly: bool) -> None:
        """The guest hears that its Pod is to end, and then ends it; or does neither yet."""
        uid = vmi["metadata"]["uid"]
        if self.stops[uid] == "none" and (kindly or choice % 3):
            self.stops[uid] = "asked"
            self._machine_ready(key_of(vm), ready=False)
        elif self.stops[uid] == "asked" and (kindly or choice % 3):
            self.stops[uid] = "done"

    def _manifest_of(self, vm: Raw) -> Raw | None:
        """What the guest is to run, None if the ConfigMap that says so isn't there."""
        volumes = vm["spec"]["template"]["spec"]["volumes"]
        (name,) = (volume["configMap"]["name"] for volume in volumes if "configMap" in volume)
        found = self._server.objects["ConfigMap"].get((vm["metadata"]["namespace"], name))
        return None if found is None else dict(json.loads(found["data"][MANIFEST_FILE]))

    def _create_instance(self, vm: Raw) -> None:
        metadata, given = vm["metadata"], vm["spec"]["template"]["metadata"]
        owner = {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachine",
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
        }
        self._server.create(
            {
                "kind": "VirtualMachineInstance",
                "metadata": {
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "labels": {**given["labels"], "kubevirt.io/nodeName": "node-0"},
                    "annotations": {**given.get("annotations", {}), "kubevirt.io/vm-generation": "1"},
                    "ownerReferences": [owner],
                    "finalizers": ["foregroundDeleteVirtualMachine"],
                },
                "spec": vm["spec"]["template"]["spec"],
            }
        )

    def _instance_phase(self, key: Key, phase: str) -> None:
        vmi = self._server.get("VirtualMachineInstance", key)
        stamps = vmi["status"].get("phaseTransitionTimestamps", [])
        entered = [*stamps, {"phase": phase, "phaseTransitionTimestamp": self._server.time()}]
        status = {"phase": phase, "phaseTransitionTimestamps": entered}
        self._server.patch("VirtualMachineInstance", key, {"status": status}, status=True)

    def _machine_ready(self, key: Key, *, ready: bool) -> None:
        vm = self._server.get("VirtualMachine", key)
        status = {"ready": ready, **self._ready(vm, ready=ready)}
        self._server.patch("VirtualMachine", key, {"status": status}, status=True)


def is_ready(hull: Raw) -> bool:
    """Whether a Pod or a VirtualMachine says that it is ready."""
    conditions = hull["status"].get("conditions", [])
    return any(found["type"] == "Ready" and found["status"] == "True" for found in conditions)


def _wanted(pod: Raw) -> list[str]:
    return [container["image"] for container in pod["spec"]["containers"]]


def _runs(pod: Raw) -> list[str]:
    return [found["image"] for found in pod["status"]["containerStatuses"]]


def _sick(pod_spec: Raw) -> bool:
    return any(container.get("command") == [SICK] for container in pod_spec["containers"])
