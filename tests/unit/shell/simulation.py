"""A cluster in miniature: API server, kubelet, virt-controller, garbage collector, people, and the operator.

Each step of it is a method, so that a test can take them in any order; time passes only when it is told to.
The operator is the real one from its watches to its client, on an API server in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sequences import Change, admitted
from tests.sequences.changes import container
from twinhull.api.base import API_VERSION, Raw
from twinhull.core.actions import Event
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.plan import plan
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.hulls.hull import HULL_LABEL, WORKLOAD_LABEL
from twinhull.hulls.merge import merge_patch
from twinhull.hulls.objectmeta import owner_of
from twinhull.hulls.report import Report
from twinhull.shell import kinds
from twinhull.shell.change_handler import ChangeHandler
from twinhull.shell.controller import Controller, ObjectPlan
from twinhull.shell.decisions import Decisions
from twinhull.shell.errors import ApiError
from twinhull.shell.event_recorder import EventRecorder
from twinhull.shell.executor import Executor
from twinhull.shell.kinds import Kind
from twinhull.shell.loopturns import LoopTurns
from twinhull.shell.metrics import Metrics
from twinhull.shell.observe import Knowledge
from twinhull.shell.policies import Policies
from twinhull.shell.queue import Queue
from twinhull.shell.reconciler import NoEffect, Reconciler
from twinhull.shell.refusals import Refusals
from twinhull.shell.scope import Scope
from twinhull.shell.status_writer import StatusWriter
from twinhull.shell.store import Key, Store, key_of
from twinhull.shell.workload_controller import WorkloadController
from twinhull.shell.workload_memory import WorkloadMemories

from .apiserver import ApiServer, Crash, FakeCluster
from .invariants import HULLS, Invariants
from .nodes import Nodes

KEY = ("shop", "web")
DEFAULTS = OperatorDefaults(runtime_class="gvisor", guest_image="guest:1")


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


class _Silence(EventRecorder):
    """Keeps the Events that are to be posted."""

    def __init__(self) -> None:
        self.posted: list[Event] = []

    def post(self, kind: Kind, obj: Raw, event: Event) -> None:  # noqa: ARG002
        self.posted.append(event)


class _Checked(WorkloadController):
    """The operator's controller; each plan is checked to be made of what was observed and nothing else."""

    def plan(self, observed: Case | UnreadableWorkload) -> ObjectPlan:
        if isinstance(observed, Case):
            copied = deepcopy(observed.workload), deepcopy(observed.observed), deepcopy(self._disks())
            again = Case(observed.workload, observed.observed, observed.defaults, observed.now)
            assert plan(observed) == plan(again), "the same case makes the same plan"
            left = observed.workload, observed.observed, self._disks()
            assert left == copied, "a plan changes nothing it is made from"
        return super().plan(observed)

    def _disks(self) -> list[Raw | None]:
        """What is looked up by name, and so isn't compared with what else was observed."""
        store = self._known.store
        return [store.get(kind, key) for kind in (kinds.CLAIM, kinds.DATA_VOLUME) for key in store.keys(kind)]


class _Reports(Mapping[str, Report]):
    """What guests say at the moment at which they are asked."""

    def __init__(self, reports: Callable[[], dict[str, Report]]) -> None:
        self._reports = reports

    def __getitem__(self, uid: str) -> Report:
        return self._reports()[uid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reports())

    def __len__(self) -> int:
        return len(self._reports())


class Simulation:
    """One Workload and its world, whose invariants are checked at each write. With `guests`, those of
    machines are in touch.
    """

    def __init__(self, spec: Raw, *, gentle: bool = False, guests: bool = False) -> None:
        self.guests = guests
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.server = ApiServer(lambda: self.now)
        self.invariants = Invariants(self.server, KEY, lambda: self.now, lambda: self.store, gentle=gentle)
        self.server.on_change = self.invariants.look
        self.nodes = Nodes(self.server)
        self.kubelet = self.nodes.kubelet
        self.cluster = FakeCluster(self.server)
        self.cluster.before_write = self.invariants.before_write
        self.cluster.on_refusal = self._check_refusal
        self.events = _Silence()
        self.asked_in_vain: set[tuple[object, ...]] = set()
        for obj in (_kubevirt(), _node(), _runtime_class(), _namespace(), _workload(spec)):
            self.server.create(obj)
        self.restart()

    # --- the operator -----------------------------------------------------------------------------------

    def restart(self) -> None:
        """The operator's process starts anew: it knows nothing, and lists everything."""
        self.store, self.queue, refusals = Store(), _Timers(lambda: self.now), Refusals()
        self.refusals, self.policies, self.decisions = refusals, Policies(self.store), Decisions()
        self.memories = WorkloadMemories()
        self.watches = ChangeHandler(
            self.store, self.queue, self.policies, self.decisions, self.memories, Scope()
        )
        self.executor = Executor(
            self.cluster,
            self.store,
            refusals,
            self.queue.add,
            now=lambda: self.now,
            hull_created=self.memories.record_created_hull,
            ask_others=self.watches.ask_others,
        )
        self.metrics = Metrics()
        known = Knowledge(
            self.store,
            self.policies,
            refusals,
            _Reports(self.reports),
            memories=self.memories,
        )
        self.controller = _Checked(known, DEFAULTS, self.decisions, self.metrics.lifetimes, lambda: self.now)
        self.reconciler = self.make_reconciler(self.controller, self.queue)
        self.server.events.clear()
        self.asked_in_vain.clear()
        self.relist()

    def make_reconciler(
        self, controller: Controller[Case | UnreadableWorkload], queue: Queue, turns: LoopTurns | None = None
    ) -> Reconciler[Case | UnreadableWorkload]:
        """What works on Workloads as that controller says."""
        statuses = StatusWriter(kinds.WORKLOAD, self.cluster, self.store)
        parts = self.store, queue, self.executor, statuses, self.events, self.metrics.passes, turns
        return Reconciler(controller, *parts)

    def relist(self) -> None:
        """The operator lists everything, while old events are still on their way."""
        for kind in kinds.WATCHED:
            listed = run(self.cluster.list(kind))
            assert listed is not None
            objects, version = listed
            present: set[str] = set()
            self.watches.take_part(kind, present, objects)
            self.watches.take_rest(kind, present, version)
        self._walk()

    def deliver(self, choice: int) -> None:
        """One watch brings its next event."""
        pending = [kind for kind, events in sorted(self.server.events.items()) if events]
        if pending:
            name = pending[choice % len(pending)]
            change, obj = self.server.events[name].popleft()
            self.watches.take(kinds.BY_NAME[name], change, obj)
            self._walk()

    def _walk(self) -> None:
        """The operator asks for all whom that may concern."""
        while self.watches.walk.step():
            pass

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
        except (ApiError, NoEffect):
            self.queue.retry(key)
        finally:
            self.queue.done(key)

    def _check_refusal(self, verb: str, kind: str, name: str) -> None:
        attempt = (self.now, self._seen_version(), verb, kind, name)
        assert attempt not in self.asked_in_vain, f"{verb} of {kind} {name} is asked again at once"
        self.asked_in_vain.add(attempt)

    def _seen_version(self) -> tuple[str, int] | None:
        seen = self.store.get(kinds.WORKLOAD, KEY)
        return (seen["metadata"]["uid"], seen["metadata"]["generation"]) if seen else None

    # --- what there is ----------------------------------------------------------------------------------

    @property
    def workload(self) -> Raw | None:
        """The Workload, if it is there."""
        return self.server.objects["Workload"].get(KEY)

    def hulls(self) -> list[Raw]:
        """All that runs or may run the Workload; a machine and its instance are one."""
        return self.invariants.hulls()

    def condition(self, kind: str) -> Raw:
        """A condition of the Workload."""
        assert self.workload is not None
        conditions = self.workload["status"].get("conditions", [])
        return next((found for found in conditions if found["type"] == kind), {})

    def reports(self) -> dict[str, Report]:
        """What the guests say, if they are in touch."""
        running = [
            vmi["metadata"]["uid"]
            for vmi in self.server.all("VirtualMachineInstance")
            if self.guests and vmi["status"].get("phase") == "Running"
        ]
        return {uid: Report({}, stop=self.nodes.stops[uid]) for uid in running}

    def virt(self, choice: int, *, kindly: bool = False) -> None:
        """A machine makes its next step; the operator hears what its guest says of it."""
        reports = self.reports()
        self.nodes.virt(choice, kindly=kindly)
        if self.reports() != reports:
            self.queue.add(KEY)

    # --- people and the rest of the world -----------------------------------------------------------------

    def edit(self, spec: Raw) -> None:
        """Somebody changes the spec; null removes a field."""
        self.change(Change("Workload", {"spec": spec}))

    def change(self, change: Change) -> None:
        """Somebody changes the Workload, its namespace or a policy, if the API server admits that."""
        if change.what == "Namespace":
            self.server.patch("Namespace", ("", KEY[0]), change.patch or {})
        elif change.what == "IsolationPolicy":
            self._change_policy(change.name, change.patch)
        elif self.workload is not None and admitted(merge_patch(self.workload, change.patch or {})["spec"]):
            self.server.patch("Workload", KEY, change.patch or {})

    def _change_policy(self, name: str, spec: Raw | None) -> None:
        present = self.server.objects["IsolationPolicy"].get(("", name))
        if present is None and spec is not None:
            self.server.create({"kind": "IsolationPolicy", "metadata": {"name": name}, "spec": spec})
        elif present is not None and spec is not None:
            gone = dict.fromkeys(present["spec"].keys() - spec.keys())
            self.server.patch("IsolationPolicy", ("", name), {"spec": gone | spec})
        elif present is not None:
            self.server.remove("IsolationPolicy", ("", name))

    def delete_something(self, choice: int) -> None:
        """Somebody deletes a hull, an instance (a drain does), the Service or the manifest."""
        found = [obj for kind in (*HULLS, "Service", "ConfigMap") for obj in self.server.all(kind)]
        if found:
            obj = found[choice % len(found)]
            self.server.delete(obj["kind"], key_of(obj))

    def vanish(self) -> None:
        """Somebody deletes the Pods without a grace period, as the taint manager may."""
        for obj in self.server.all("Pod"):
            if not obj["metadata"].get("finalizers"):
                self.server.remove("Pod", key_of(obj))

    def switch(self, kind: str) -> None:
        """KubeVirt or the RuntimeClass goes, or comes back."""
        objects = self.server.all(kind)
        if objects:
            self.server.remove(kind, key_of(objects[0]))
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
        for kind in (*HULLS, "Service", "ConfigMap", "PersistentVolumeClaim"):
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

    def everybody(self, choice: int) -> None:
        """Everybody does their next part, and the operator all that it hears of."""
        self.collect()
        self.kubelet(choice, kindly=True)
        self.virt(choice, kindly=True)
        while any(self.server.events.values()):
            self.deliver(0)
        while len(self.queue):
            self.reconcile()

    def settle(self) -> None:
        """Everybody does their part and nobody interferes, until nothing happens any more."""
        self.cluster.accident = None
        self.cluster.refused.clear()
        self.nodes.find()
        if (KEY[0], "stranger") in self.server.objects["Pod"]:
            self.stranger()
        quiet = 0
        for _round in range(200):
            version = self.server.version
            self.everybody(_round)
            quiet = quiet + 1 if self.server.version == version else 0
            if quiet > 2 and not self.queue.due:
                return
            self.wait(1)
            if quiet > 2 and self.queue.due:
                self.wait((min(self.queue.due.values()) - self.now).total_seconds())
        raise AssertionError(f"never settles: {self.cluster.writes[-10:]}")

    def make_pass(self) -> list[tuple[str, str, str]]:
        """The writes of one more pass."""
        count = len(self.cluster.writes)
        self.queue.add(KEY)
        self.reconcile()
        return self.cluster.writes[count:]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never really waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something that doesn't come in a simulation")


def _workload(spec: Raw) -> Raw:
    base = {
        "isolationPolicy": "Container",
        "state": "Running",
        "replacement": {"strategy": "Recreate", "progressDeadlineSeconds": 600, "drainSeconds": 5},
        "template": {"spec": {"containers": [container()]}},
    }
    metadata = {"name": KEY[1], "namespace": KEY[0], "labels": {"tier": "tenant"}}
    return {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "metadata": metadata,
        "spec": merge_patch(base, spec),
    }


def _kubevirt() -> Raw:
    metadata = {"name": "kubevirt", "namespace": "kubevirt"}
    gates = {"developerConfiguration": {"featureGates": ["PanicDevices"]}}
    return {
        "kind": "KubeVirt",
        "metadata": metadata,
        "spec": {"configuration": gates},
        "status": {"phase": "Deployed"},
    }


def _namespace() -> Raw:
    return {"kind": "Namespace", "metadata": {"name": KEY[0], "labels": {"env": "production"}}}


def _runtime_class() -> Raw:
    return {"kind": "RuntimeClass", "metadata": {"name": "gvisor"}}


def _node() -> Raw:
    return {"kind": "Node", "metadata": {"name": "node-0", "labels": {"kubevirt.io/schedulable": "true"}}}
