"""The subject of a test: one Workload, what a person does to it, and what they see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from tests.controlplane import Cluster, eventually
from tests.operator_process import OperatorProcess

Manifest = dict[str, Any]
#: (type, reason, note) of an Event.
EventRow = tuple[str, str, str]
T = TypeVar("T")

NEVER_READY = "simulate.twinhull.dev/never-ready"
EXIT = "simulate.twinhull.dev/exit"
WORKLOAD_LABEL = "twinhull.dev/workload"
DISK_LABEL = "twinhull.dev/disk-of"

#: Longer than the operator waits, at most, before it tries again what was refused: 5 minutes.
_PATIENCE = 400.0

#: What a Workload may leave behind; the launcher Pod of a machine is among the Pods.
_KINDS = ("Pod", "VirtualMachine", "VirtualMachineInstance", "Service", "ConfigMap")


def container(**fields: Any) -> Manifest:
    """A container that every hull can run."""
    return {"name": "web", "image": "nginx:1.29", **fields}


def template(annotations: dict[str, str] | None = None, **pod_spec: Any) -> Manifest:
    """A PodTemplateSpec, of one plain container unless `containers` are given."""
    metadata = {"metadata": {"annotations": annotations}} if annotations else {}
    return {**metadata, "spec": {"containers": [container()], **pod_spec}}


@dataclass(frozen=True)
class Subject:
    """A Workload by its name, whether it is there or not."""

    cluster: Cluster
    namespace: str
    name: str = "web"
    alive: Callable[[], None] | None = None
    #: For how long it is waited for something, in seconds, where the test doesn't say.
    patience: float = _PATIENCE

    def named(self, name: str) -> Self:
        """Another one in the same namespace."""
        return replace(self, name=name)

    def served_by(self, operator: OperatorProcess) -> Subject:
        """The same one, for which another operator process is to be alive."""
        return Subject(self.cluster, self.namespace, self.name, operator.check, self.patience)

    # What a person does.

    def apply(self, isolation: str = "Auto", pod_template: Manifest | None = None, **spec: Any) -> Manifest:
        """Create it, or make its spec this one."""
        manifest = {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {"isolationPolicy": isolation, "template": pod_template or template(), **spec},
        }
        return self.cluster.api.apply(manifest)

    def change(self, **spec: Any) -> Manifest:
        """Merge a patch into its spec."""
        return self.cluster.api.patch("Workload", self.name, self.namespace, {"spec": spec})

    def delete(self, **options: Any) -> None:
        """Ask for its deletion, with DeleteOptions, and don't wait for it."""
        path = self.cluster.api.path("Workload", self.namespace, self.name)
        self.cluster.api.request("DELETE", path, options)

    def annotate(self, kind: str, name: str, **annotations: str | None) -> None:
        """Annotate an object of its namespace; None takes an annotation away."""
        patch = {"metadata": {"annotations": annotations}}
        self.cluster.api.patch(kind, name, self.namespace, patch)

    # What a person sees.

    def get(self) -> Manifest:
        """The Workload; raises LookupError when it isn't there."""
        return self.one("Workload", self.name)

    def one(self, kind: str, name: str) -> Manifest:
        """An object of its namespace; raises LookupError when it isn't there."""
        found = self.cluster.api.get(kind, name, self.namespace)
        if found is None:
            raise LookupError(f"there is no {kind} {name}")
        return found

    def condition(self, kind: str) -> tuple[str, str, str]:
        """(status, reason, message) of one of its conditions."""
        return condition(self.get(), kind)

    def hull(self) -> Manifest:
        """The Pod or VirtualMachine that its status names."""
        hull = self.get()["status"]["hull"]
        return self.one(hull["kind"], hull["name"])

    def belongings(self) -> dict[str, list[str]]:
        """The names of all that carries its label, by kind; kinds without any are left out."""
        named = {
            kind: [
                found["metadata"]["name"]
                for found in self.cluster.api.list(
                    kind, self.namespace, labels=f"{WORKLOAD_LABEL}={self.name}"
                )
            ]
            for kind in _KINDS
        }
        return {kind: names for kind, names in named.items() if names}

    def events(self) -> list[EventRow]:
        """The Events on it so far, in their order. The operator posts an Event some time after the write that
        it tells of: see `gets_event` and `all_events`.
        """
        uid = self.get()["metadata"]["uid"]
        found = self.cluster.api.list("Event.events.k8s.io", self.namespace)
        ours = [event for event in found if event["regarding"].get("uid") == uid]
        ours.sort(key=lambda event: str(event["eventTime"]))
        return [(event["type"], event["reason"], event["note"]) for event in ours]

    # What a person waits for.

    def eventually(self, check: Callable[[], T], what: str, timeout: float | None = None) -> T:
        """Wait until a check gives something true, as long as the cluster and the operator live."""
        return eventually(check, timeout or self.patience, what, alive=self._alive)

    def becomes(self, reason: str, *, timeout: float | None = None) -> Manifest:
        """Wait until its status speaks of the present spec and gives this reason; the Workload then."""

        def became() -> Manifest:
            workload = self.get()
            assert workload["status"]["observedGeneration"] == workload["metadata"]["generation"]
            assert condition(workload, "Ready")[1] == reason
            return workload

        try:
            return self.eventually(became, f"{self.name} becomes {reason}", timeout)
        except AssertionError as never:
            never.add_note(f"its status: {self.get().get('status')}")
            raise

    def gets_event(self, reason: str, note: str = "", *, times: int = 1) -> list[EventRow]:
        """Wait until so many Events of this reason have this in their notes; all Events then."""

        def posted() -> list[EventRow]:
            found = self.events()
            assert len([one for one in found if one[1] == reason and note in one[2]]) >= times, found
            return found

        return self.eventually(posted, f"{reason} is told of {self.name}")

    def all_events(self) -> list[EventRow]:
        """All Events about what the operator has done so far, also to see that something isn't among them.

        A namespace's Events are posted one after the other: this waits for one of a further Workload.
        """
        later = self.named(f"after-{self.name}")
        later.apply(state="Stopped")
        later.gets_event("Stopped")
        found = self.events()
        later.delete()
        return found

    def is_looked_at(self, reason: str) -> Manifest:
        """Wait until the operator has looked at it anew, and it has this reason then; the Workload.

        Its spec is changed for that, in what concerns no hull that runs.
        """
        drain = self.get()["spec"].get("replacement", {}).get("drainSeconds", 1)
        self.change(replacement={"drainSeconds": drain % 9 + 1})
        return self.becomes(reason)

    def once_known(self, reason: str, isolation: str, pod_template: Manifest | None = None) -> None:
        """Wait until the operator has seen what was just changed in the cluster: until a further Workload has
        this reason, which is then deleted. What the operator looks at later, it looks at as changed.
        """
        probe = self.named("probe")
        probe.apply(isolation, pod_template)
        probe.becomes(reason)
        probe.delete()
        probe.is_gone()

    def is_gone(self) -> None:
        """Wait until nothing of it is left."""
        self.eventually(
            lambda: self.cluster.api.get("Workload", self.name, self.namespace) is None,
            "the Workload is gone",
        )
        self.eventually(lambda: self.belongings() == {}, "nothing of the Workload is left")

    def _alive(self) -> None:
        self.cluster.check()
        if self.alive is not None:
            self.alive()


def condition(obj: Manifest, kind: str) -> tuple[str, str, str]:
    """(status, reason, message) of an object's condition; raises LookupError when it has none."""
    for found in obj.get("status", {}).get("conditions", []):
        if found["type"] == kind:
            return found["status"], found.get("reason", ""), found.get("message", "")
    raise LookupError(f"{obj['metadata']['name']} has no condition {kind}")
