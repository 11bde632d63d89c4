"""A cluster in miniature: API server, kubelet, virt-controller, garbage collector, people, and the operator.

Each step of it is a method, so that a test can take them in any order; time passes only when it is told to.
The operator is the real one from its watches to its client, on an API server in memory.
"""

from __future__ import annotations

from collections.abc import Coroutine
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from twinhull.api.base import API_VERSION, Raw
from twinhull.core.actions import Note
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.plan import plan
from twinhull.hulls.hull import HULL_LABEL, REVISION_LABEL, WORKLOAD_LABEL, owner_of
from twinhull.shell import kinds
from twinhull.shell.errors import ApiError
from twinhull.shell.events import Events
from twinhull.shell.executor import Executor
from twinhull.shell.observe import Knowledge, observe
from twinhull.shell.policies import Policies
from twinhull.shell.queue import Queue
from twinhull.shell.reconciler import Reconciler
from twinhull.shell.refusals import Refusals
from twinhull.shell.rulings import Rulings
from twinhull.shell.store import Key, Store, key_of
from twinhull.shell.watches import Watches

from .apiserver import ApiServer, Crash, FakeCluster

KEY = ("shop", "web")
DEFAULTS = OperatorDefaults(runtime_class="gvisor", guest_image="guest:1")
_HULLS = ("Pod", "VirtualMachine", "VirtualMachineInstance")


class _Timers(Queue):
    """The operator's queue, with the simulation's clock."""

    def __init__(self, now: Any) -> None:
        super().__init__()
        self._now = now
        self.due: dict[Key, datetime] = {}

    def later(self, key: Key, after: timedelta | None) -> None:
        self.due.pop(key, None)
        if after is not None:
            self.due[key] = self._now() + after


class _Silence(Events):
    """Keeps the notes instead of posting them."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def post(self, workload: Raw, note: Note) -> None:  # noqa: ARG002
        self.notes.append(note)


class Simulation:
    """One Workload and its world."""

    def __init__(self, spec: Raw) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.server = ApiServer(lambda: self.now)
        self.cluster = FakeCluster(self.server)
        self.cluster.before_write = self._check_write
        self.cluster.on_refusal = self._check_refusal
        self.events = _Silence()
        #: (uid, revision) of the Workloads that ran to their end by themselves.
        self.finished: set[tuple[str, str]] = set()
        self.asked_in_vain: set[tuple[object, ...]] = set()
        for obj in (_kubevirt(), _node(), _runtime_class(), _workload(spec)):
            self.server.create(obj)
        self.restart()

    # --- the operator -----------------------------------------------------------------------------------

    def restart(self) -> None:
        """The operator's process starts anew: it knows nothing, and lists everything."""
        self.store, self.queue, refusals = Store(), _Timers(lambda: self.now), Refusals()
        self.refusals, self.policies, self.rulings = refusals, Policies(self.store), Rulings()
        executor = Executor(self.cluster, self.store, refusals)
        self.reconciler = Reconciler(self.store, self.queue, self._look, executor, self.events)
        self.watches = Watches(self.store, self.queue, self.policies, self.rulings)
        self.server.events.clear()
        self.asked_in_vain.clear()
        self.relist()

    def relist(self) -> None:
        """The operator lists everything, while old events are still on their way."""
        for kind in kinds.WATCHED:
            listed = run(self.cluster.list(kind))
            assert listed is not None
            self.watches.take_list(kind, *listed)

    def deliver(self, choice: int) -> None:
        """One watch brings its next event."""
        pending = [kind for kind, events in sorted(self.server.events.items()) if events]
        if pending:
            name = pending[choice % len(pending)]
            change, obj = self.server.events[name].popleft()
            self.watches.take(kinds.BY_NAME[name], change, obj)

    def reconcile(self, _: int = 0) -> None:
        """The operator works on what it has been asked for, if anything."""
        if not len(self.queue):
            return
        key = run(self.queue.get())
        try:
            run(self.reconciler.reconcile(key))
            self.queue.succeeded(key)
        except Crash:
            self.restart()
            return
        except ApiError:
            self.queue.retry(key)
        finally:
            self.queue.done(key)

    def _look(self, key: Key) -> Case | None:
        case = observe(Knowledge(self.store, self.policies, self.refusals, {}), key, DEFAULTS, self.now)
        self.rulings.record(key, case.resolution if case else None)
        if case is not None:
            before = deepcopy(case.workload), deepcopy(case.observed)
            first, second = plan(case), plan(Case(case.workload, case.observed, case.defaults, case.now))
            assert first == second, "the same case makes the same plan"
            assert (case.workload, case.observed) == before, "a plan changes nothing that it is made from"
        return case

    def _check_write(self, verb: str, kind: str, obj: Raw) -> None:
        """What the operator may never do, whatever it has seen or missed."""
        key = key_of(obj)
        workload = self.server.objects["Workload"].get(KEY)
        found = self.server.objects[kind].get(key)
        if verb in {"patch", "delete"}:
            owner = owner_of(found) if found else None
            ours = owner is not None and owner.kind == "Workload"
            assert found is None or ours, f"{verb} of {kind} {key[1]}, which isn't ours"
        if verb != "create" or kind not in _HULLS:
            return
        names = [hull["metadata"]["name"] for hull in self.hulls()]
        others = [name for name in names if name != key[1]]  # the same again is refused as such
        assert not others, f"{kind} {key[1]} is made while there is {others}"
        seen = {kind.name: list(self.store.all(kind)) for kind in kinds.WATCHED}
        assert "stranger" not in {pod["metadata"]["name"] for pod in seen["Pod"]}, "a stranger has our label"
        assert kind != "VirtualMachine" or (seen["KubeVirt"] and seen["ConfigMap"])
        assert "runtimeClassName" not in obj["spec"] or seen["RuntimeClass"]
        seen_workload = self.store.get(kinds.WORKLOAD, KEY)
        if workload is None or seen_workload is None or seen_workload["spec"] != workload["spec"]:
            return  # the operator hasn't heard of the newest spec yet
        isolation = workload["spec"]["isolationPolicy"]
        assert kind == ("VirtualMachine" if isolation == "VirtualMachine" else "Pod")
        assert isolation != "Sandbox" or obj["spec"]["runtimeClassName"] == "gvisor"

    def _check_refusal(self, verb: str, kind: str, name: str) -> None:
        asked = (self.now, self._seen_generation(), verb, kind, name)
        assert asked not in self.asked_in_vain, f"{verb} of {kind} {name} is asked again at once"
        self.asked_in_vain.add(asked)

    def _seen_generation(self) -> int:
        seen = self.store.get(kinds.WORKLOAD, KEY)
        return seen["metadata"]["generation"] if seen else 0

    # --- what there is ----------------------------------------------------------------------------------

    @property
    def workload(self) -> Raw | None:
        """The Workload, if it is there."""
        return self.server.objects["Workload"].get(KEY)

    def hulls(self) -> list[Raw]:
        """All that runs or may run the Workload; a machine and its instance are one."""
        found = [obj for kind in _HULLS for obj in self.server.all(kind)]
        own = [obj for obj in found if obj["metadata"]["labels"].get(WORKLOAD_LABEL) == KEY[1]]
        machines = {obj["metadata"]["name"] for obj in own if obj["kind"] == "VirtualMachine"}
        return [
            obj
            for obj in own
            if not (obj["kind"] == "VirtualMachineInstance" and obj["metadata"]["name"] in machines)
            and obj["metadata"]["name"] != "stranger"
        ]

    def condition(self, kind: str) -> Raw:
        """A condition of the Workload."""
        assert self.workload is not None
        conditions = self.workload["status"].get("conditions", [])
        return next((found for found in conditions if found["type"] == kind), {})

    # --- the nodes --------------------------------------------------------------------------------------

    def kubelet(self, choice: int, *, kindly: bool = False) -> None:
        """A Pod makes its next step; `kindly` only the one that makes it ready, or gone if it is to go."""
        pods = [pod for pod in self.server.all("Pod") if pod["metadata"]["name"] != "stranger"]
        if not pods:
            return
        pod = pods[choice % len(pods)]
        key, status = key_of(pod), pod["status"]
        if "deletionTimestamp" in pod["metadata"]:
            if status.get("phase") == "Running" and choice % 3 and not kindly:
                self._end_pod(pod, 143 * (choice % 2))  # killed, and not yet gone
            else:
                self.server.remove("Pod", key)
            return
        always = pod["spec"].get("restartPolicy", "Always") == "Always"
        if status.get("phase") in {"Succeeded", "Failed"}:
            return
        ready = _ready(status) == "True"
        if kindly or (choice // 7) % 5 < 3:
            self._pod_status(key, {"phase": "Running"}, ready=kindly or not ready)
        elif always or (choice // 7) % 5 == 3:
            reason = {"reason": "Evicted", "message": "the node was low on memory"}
            self._pod_status(key, {"phase": "Failed", **reason}, ready=False)
        else:
            self._finish(pod)
            self._end_pod(pod, choice % 2)

    def _end_pod(self, pod: Raw, code: int) -> None:
        end = {"exitCode": code, "finishedAt": self.server.time()}
        statuses = [{"name": "web", "state": {"terminated": end}}]
        phase = "Failed" if code else "Succeeded"
        self._pod_status(key_of(pod), {"phase": phase, "containerStatuses": statuses}, ready=False)

    def _finish(self, hull: Raw) -> None:
        (owner,) = hull["metadata"]["ownerReferences"]
        self.finished.add((owner["uid"], hull["metadata"]["labels"][REVISION_LABEL]))

    def _pod_status(self, key: Key, status: Raw, *, ready: bool) -> None:
        before = self.server.get("Pod", key)["status"]
        self.server.patch("Pod", key, {"status": status | self._ready(before, ready=ready)}, status=True)

    def _ready(self, before: Raw, *, ready: bool) -> Raw:
        if _ready(before) == str(ready):
            return {}
        return {
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": self.server.time()}]
        }

    # --- KubeVirt ---------------------------------------------------------------------------------------

    def virt(self, choice: int, *, kindly: bool = False) -> None:
        """A machine makes its next step."""
        machines = self.server.all("VirtualMachine")
        if not machines:
            return
        vm = machines[choice % len(machines)]
        key = key_of(vm)
        vmi = self.server.objects["VirtualMachineInstance"].get(key)
        if "deletionTimestamp" in vm["metadata"] and vmi is None:
            self.server.remove("VirtualMachine", key)
        elif vmi is None:
            if not all(self._manifest_of(vm)):
                return
            self._create_instance(vm)
        elif "deletionTimestamp" in vmi["metadata"]:
            if vmi["status"].get("phase") in {"Succeeded", "Failed"}:
                self.server.remove("VirtualMachineInstance", key)
                self._machine_ready(key, ready=False)
            else:
                self._instance_phase(key, "Succeeded")  # shut down over ACPI
        elif "deletionTimestamp" in vm["metadata"]:
            self.server.delete("VirtualMachineInstance", key)
        else:
            self._live(vm, vmi, choice // 7, kindly=kindly)

    def _live(self, vm: Raw, vmi: Raw, choice: int, *, kindly: bool) -> None:
        key, phase, strategy = key_of(vm), vmi["status"].get("phase"), vm["spec"]["runStrategy"]
        if phase in {"Succeeded", "Failed"}:
            if strategy == "Always":
                self.server.remove("VirtualMachineInstance", key)
        elif phase != "Running":
            self._instance_phase(key, "Running")
        elif kindly or choice % 4 < 2:
            self._machine_ready(key, ready=kindly or _ready(vm["status"]) != "True")
        else:
            self._finish(vm)
            self._instance_phase(key, "Succeeded" if choice % 4 == 2 else "Failed")
            self._machine_ready(key, ready=False)

    def _manifest_of(self, vm: Raw) -> list[Raw | None]:
        volumes = vm["spec"]["template"]["spec"]["volumes"]
        names = [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]
        return [self.server.objects["ConfigMap"].get((KEY[0], name)) for name in names]

    def _create_instance(self, vm: Raw) -> None:
        metadata = vm["metadata"]
        owner = {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachine",
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
        }
        self.server.create(
            {
                "kind": "VirtualMachineInstance",
                "metadata": {
                    "name": metadata["name"],
                    "namespace": metadata["namespace"],
                    "labels": vm["spec"]["template"]["metadata"]["labels"],
                    "ownerReferences": [owner],
                    "finalizers": ["foregroundDeleteVirtualMachine"],
                },
                "spec": vm["spec"]["template"]["spec"],
            }
        )

    def _instance_phase(self, key: Key, phase: str) -> None:
        before = self.server.get("VirtualMachineInstance", key)["status"].get("phaseTransitionTimestamps", [])
        entered = [*before, {"phase": phase, "phaseTransitionTimestamp": self.server.time()}]
        status = {"phase": phase, "phaseTransitionTimestamps": entered}
        self.server.patch("VirtualMachineInstance", key, {"status": status}, status=True)

    def _machine_ready(self, key: Key, *, ready: bool) -> None:
        before = self.server.get("VirtualMachine", key)["status"]
        status = {"ready": ready, **self._ready(before, ready=ready)}
        self.server.patch("VirtualMachine", key, {"status": status}, status=True)

    # --- people and the rest of the world -----------------------------------------------------------------

    def edit(self, spec: Raw) -> None:
        """Somebody changes the spec; null removes a field."""
        if self.workload is not None:
            self.server.patch("Workload", KEY, {"spec": spec})

    def delete_something(self, choice: int) -> None:
        """Somebody deletes a hull, an instance (a drain does), the Service or the manifest."""
        found = [obj for kind in (*_HULLS, "Service", "ConfigMap") for obj in self.server.all(kind)]
        if found:
            obj = found[choice % len(found)]
            self.server.delete(obj["kind"], key_of(obj))

    def switch(self, kind: str) -> None:
        """KubeVirt or the RuntimeClass goes, or comes back."""
        there = self.server.all(kind)
        if there:
            self.server.remove(kind, key_of(there[0]))
        else:
            self.server.create(_kubevirt() if kind == "KubeVirt" else _runtime_class())

    def stranger(self, _: int = 0) -> None:
        """A Pod that isn't ours gets our label; or goes again."""
        key = (KEY[0], "stranger")
        if key in self.server.objects["Pod"]:
            self.server.remove("Pod", key)
            return
        labels = {WORKLOAD_LABEL: KEY[1], HULL_LABEL: "Pod"}
        metadata = {"name": key[1], "namespace": key[0], "labels": labels}
        self.server.create({"kind": "Pod", "metadata": metadata, "spec": {"containers": []}})

    def recreate(self, _: int = 0) -> None:
        """Somebody deletes the Workload, or makes one of that name again."""
        if self.workload is None:
            self.server.create(_workload({}))
        else:
            self.server.remove("Workload", KEY)

    def collect(self, _: int = 0) -> None:
        """The garbage collector deletes what has lost its owner."""
        uids = {
            obj["metadata"]["uid"] for objects in self.server.objects.values() for obj in objects.values()
        }
        for kind in (*_HULLS, "Service", "ConfigMap"):
            for obj in self.server.all(kind):
                owner = owner_of(obj)
                if owner is not None and owner.uid not in uids:
                    self.server.delete(kind, key_of(obj))

    def wait(self, seconds: float) -> None:
        """Time passes, and timers fire."""
        self.now += timedelta(seconds=seconds)
        for key, due in list(self.queue.due.items()):
            if due <= self.now:
                del self.queue.due[key]
                self.queue.add(key)

    def settle(self) -> None:
        """Everybody does their part and nobody interferes, until nothing happens any more."""
        self.cluster.accident = None
        self.cluster.refused.clear()
        if (KEY[0], "stranger") in self.server.objects["Pod"]:
            self.stranger()
        quiet = 0
        for _round in range(100):
            version = self.server.version
            self.collect()
            self.kubelet(_round, kindly=True)
            self.virt(_round, kindly=True)
            while any(self.server.events.values()):
                self.deliver(0)
            while len(self.queue):
                self.reconcile()
            quiet = quiet + 1 if self.server.version == version else 0
            if quiet > 2 and not self.queue.due:
                return
            self.wait(10)
            if quiet and self.queue.due:
                self.wait((min(self.queue.due.values()) - self.now).total_seconds())
        raise AssertionError(f"never settles: {self.cluster.writes[-10:]}")

    def make_pass(self) -> list[tuple[str, str, str]]:
        """The writes of one more pass."""
        before = len(self.cluster.writes)
        self.queue.add(KEY)
        self.reconcile()
        return self.cluster.writes[before:]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never really waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something that doesn't come in a simulation")


def _ready(status: Raw) -> str:
    return next((found["status"] for found in status.get("conditions", [])), "False")


def _workload(spec: Raw) -> Raw:
    container = {"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}
    base = {
        "isolationPolicy": "Container",
        "state": "Running",
        "template": {"spec": {"containers": [container]}},
    }
    metadata = {"name": KEY[1], "namespace": KEY[0]}
    return {"apiVersion": API_VERSION, "kind": "Workload", "metadata": metadata, "spec": base | spec}


def _kubevirt() -> Raw:
    metadata = {"name": "kubevirt", "namespace": "kubevirt"}
    gates = {"developerConfiguration": {"featureGates": ["PanicDevices"]}}
    return {
        "kind": "KubeVirt",
        "metadata": metadata,
        "spec": {"configuration": gates},
        "status": {"phase": "Deployed"},
    }


def _runtime_class() -> Raw:
    return {"kind": "RuntimeClass", "metadata": {"name": "gvisor"}}


def _node() -> Raw:
    return {"kind": "Node", "metadata": {"name": "node-0", "labels": {"kubevirt.io/schedulable": "true"}}}
