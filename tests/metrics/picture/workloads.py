"""What the picture shows: some teams' Workloads, in all states, and what happens to them within minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests import namespaces
from tests.controlplane import Cluster, eventually
from tests.e2e.operator.policies import boxes
from tests.e2e.operator.subject import EXIT, NEVER_READY, Subject, container, template

_TEAMS = {"billing": "trusted", "lab": "untrusted", "search": "trusted", "shop": "trusted"}
_NGINX, _VENDOR = "nginx:1.29", "vendor.example/report:4"
#: A node's label without which Pods of this pool wait.
_POOL = "example.com/pool"


@dataclass
class TeamWorkloads:
    """The namespaces of some teams, and the Workloads in them."""

    cluster: Cluster
    say: Callable[[str], None]
    alive: Callable[[], None]
    made: dict[str, Subject] = field(default_factory=dict)

    def create_namespaces(self) -> None:
        """Make the namespaces, what restricts them, and the policies."""
        api = self.cluster.api
        for team, trust in _TEAMS.items():
            metadata = {"name": team, "labels": {"example.com/trust": trust}}
            api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        for team in _TEAMS:
            namespaces.has_account(self.cluster, team)
        boxes(api, "gvisor")
        quota = {"hard": {"services.nodeports": "0"}}
        api.create(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "no-node-ports", "namespace": "search"},
                "spec": quota,
            }
        )
        untrusted = {"namespaceSelector": {"matchLabels": {"example.com/trust": "untrusted"}}}
        self._policy("untrusted", match=untrusted, minimum="Sandbox")
        self._policy("vendors", match={"images": ["vendor.example/*"]}, minimum="VirtualMachine")
        miners = {"images": ["miner.example/*"]}
        self._policy("miners", match=miners, minimum="VirtualMachine", onViolation="Reject")

    def run_events(self, seconds: float) -> None:
        """Have things happen, one after the other, for about so long."""
        events = list(self._events())
        began = time.monotonic()
        for number, event in enumerate(events):
            due = began + seconds * number / len(events)
            self._until(due)
            if number % (len(events) // 8) == 0:
                self.say(f"{len(self.made)} Workloads, {due - began:.0f} of {seconds:.0f} s")
            event()
        self._until(began + seconds)

    def _until(self, due: float) -> None:
        eventually(
            lambda: time.monotonic() >= due,
            max(0.0, due - time.monotonic()) + 60,
            "its time comes",
            alive=self.alive,
        )

    def _events(self) -> Iterator[Callable[[], Any]]:
        """All that happens, in its order: new Workloads, and every now and then something to an old one."""
        meanwhile = self._changes()
        for number, newcomer in enumerate(self._newcomers()):
            yield newcomer
            if number > 16:  # somebody has to be there first
                yield next(meanwhile, _nothing)
        yield from meanwhile

    def _newcomers(self) -> Iterator[Callable[[], Any]]:
        first = {"strategy": "StartFirst", "drainSeconds": 3}
        ports = [{"name": "http", "containerPort": 80}]
        web = template(containers=[container(ports=ports)])
        for number in range(1, 9):
            yield self._make("shop", f"web-{number}", "Container", web, replacement=first)
            yield self._make("billing", f"ledger-{number}", "VirtualMachine", web)
            yield self._make("lab", f"notebook-{number}")
            if number % 2:
                yield self._make("search", f"index-{number}", "Auto", _placed(f"late-{number}"))
                yield self._make("shop", f"cart-{number}", "VirtualMachine", _placed(f"late-{number}"))
            else:
                yield self._make("billing", f"report-{number}", "Auto", _running(_VENDOR))
                yield self._make("search", f"query-{number}")
            match number:
                case 3:
                    yield self._make("billing", "migrate", "Container", _ending(0))
                    yield self._make("search", "frontier", "Auto", web, service=_NODE_PORT)
                case 4:
                    yield self._make("lab", "fuzzer", "Auto", _ending(1))
                    yield self._make("lab", "kata", "Sandbox", sandbox={"runtimeClassName": "kata"})
                case 5:
                    yield self._make("shop", "recommend", "Container", template({NEVER_READY: "true"}))
                    yield self._make("search", "miner", "Auto", _running("miner.example/xmr:1"))
                case 6:
                    yield self._make("search", "gpu", "Container", _placed("gpu"))

    def _changes(self) -> Iterator[Callable[[], Any]]:
        for number in range(1, 9):
            yield self._flip("shop", f"web-{number}", "VirtualMachine")
            yield self._place(f"late-{number}") if number % 2 else self._restart("search", f"query-{number}")
            yield self._restart("lab", f"notebook-{number}")
            yield self._restart("billing", f"ledger-{number}")
            yield (
                self._flip("shop", f"web-{number}", "Container")
                if number % 2
                else self._flip("billing", f"ledger-{number}", "Container")
            )
            if number % 3 == 0:
                yield self._lose("search", f"index-{number}" if number % 2 else f"query-{number}")
        yield self._place("late-7")

    def _make(
        self, team: str, name: str, isolation: str = "Auto", pod: dict[str, Any] | None = None, **spec: Any
    ) -> Callable[[], Any]:
        subject = Subject(self.cluster, team, name, self.alive)

        def make() -> None:
            subject.apply(isolation, pod, **spec)
            self.made[f"{team}/{name}"] = subject

        return make

    def _flip(self, team: str, name: str, isolation: str) -> Callable[[], Any]:
        return lambda: self.made[f"{team}/{name}"].change(isolationPolicy=isolation)

    def _restart(self, team: str, name: str) -> Callable[[], Any]:
        return lambda: self.made[f"{team}/{name}"].annotate(
            "Workload", name, **{"twinhull.dev/restart": f"{time.time():.0f}"}
        )

    def _lose(self, team: str, name: str) -> Callable[[], Any]:
        """Somebody deletes the Pod."""

        def lose() -> None:
            hull = self.made[f"{team}/{name}"].get()["status"].get("hull")
            if hull:
                self.cluster.api.delete(hull["kind"], hull["name"], team)

        return lose

    def _place(self, pool: str) -> Callable[[], Any]:
        """A node for those of this pool."""

        def place() -> None:
            self.cluster.api.patch("Node", "node-0", None, {"metadata": {"labels": {_POOL: pool}}})

        return place

    def _policy(self, name: str, **spec: Any) -> None:
        manifest = {"apiVersion": "twinhull.dev/v1alpha1", "kind": "IsolationPolicy"}
        self.cluster.api.apply({**manifest, "metadata": {"name": name}, "spec": spec})


_NODE_PORT = {"enabled": True, "type": "NodePort"}


def _running(image: str) -> dict[str, Any]:
    return template(containers=[container(image=image)])


def _placed(pool: str) -> dict[str, Any]:
    return template(nodeSelector={_POOL: pool})


def _ending(code: int) -> dict[str, Any]:
    return template({EXIT: str(code)}, restartPolicy="Never")


def _nothing() -> None:
    """Nothing happens."""
