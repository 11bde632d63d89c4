"""Two operators with one Lease: one acts, and the other takes over."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chart.helm import NAMESPACE
from tests.controlplane import Cluster, eventually
from tests.e2e.operator.subject import EXIT, Manifest, Subject, template
from tests.operator_process import OperatorProcess
from tests.request_proxy import RequestProxy

pytestmark = pytest.mark.simulated

#: Longer than any test waits: who takes over before has been handed the Lease.
LONG = 300.0
#: Long enough for a busy machine to renew it in time: two thirds of it may pass between two renewals.
SHORT = 30.0


class Crew:
    """Operators of one Lease, where the chart lets it be, started one after the other."""

    def __init__(
        self, cluster: Cluster, account: Path, namespace: str, folder: Path, stack: ExitStack
    ) -> None:
        self.cluster = cluster
        self.account = account
        self.namespace = namespace
        self._folder = folder
        self._stack = stack
        self._count = 0

    def add(self, seconds: float, kubeconfig: Path | None = None) -> OperatorProcess:
        self._count += 1
        log = self._folder / f"operator-{self._count}.log"
        options = ("--leader-elect", "--lease-namespace", NAMESPACE, "--lease-seconds", str(seconds))
        operator = OperatorProcess.start(kubeconfig or self.account, log, *options)
        self._stack.callback(operator.kill)
        return operator

    def lease(self) -> Manifest:
        found = self.cluster.api.get("Lease", "twinhull", NAMESPACE)
        return {} if found is None else dict(found["spec"])

    def is_led(self, transitions: int = 0) -> str:
        """Wait until somebody leads who took over for that time; who it is."""

        def led() -> str:
            spec = self.lease()
            assert spec.get("leaseTransitions") == transitions
            return str(spec.get("holderIdentity") or "")

        return eventually(led, 60, "somebody holds the Lease", alive=self.cluster.check)


@pytest.fixture
def crew(cluster: Cluster, account: Path, namespace: str, tmp_path: Path) -> Iterator[Crew]:
    cluster.api.delete("Lease", "twinhull", NAMESPACE)
    with ExitStack() as stack:
        yield Crew(cluster, account, namespace, tmp_path, stack)


@pytest.fixture
def web(crew: Crew) -> Subject:
    return Subject(crew.cluster, crew.namespace)


def test_only_one_acts_and_hands_over_when_it_ends(crew: Crew, web: Subject, proxy: RequestProxy) -> None:
    first = crew.add(LONG)
    holder = crew.is_led()
    second = crew.add(LONG, proxy.kubeconfig)
    web.apply("Container")
    web.becomes("Ready")
    assert [request for request in proxy.requests if request.is_write] == []

    first.stop()

    assert crew.is_led(transitions=1) != holder
    web.change(state="Stopped")
    web.becomes("Stopped")
    second.stop()
    assert crew.lease()["holderIdentity"] == ""


def test_who_takes_over_runs_nothing_again_that_it_did_not_see_complete(
    crew: Crew, web: Subject, proxy: RequestProxy
) -> None:
    """Its watch of Workloads is late: it has seen the Pod go, and not the status that remembers its end."""
    first = crew.add(LONG)
    crew.is_led()
    web.apply("Container", template(restartPolicy="Never"))
    pod = web.becomes("Ready")["status"]["hull"]
    second = crew.add(LONG, proxy.kubeconfig)
    proxy.before = lambda request: not (request.is_watch and request.resource == "workloads")
    proxy.cut_streams()
    web.annotate("Pod", pod["name"], **{EXIT: "0"})
    web.becomes("Completed")
    crew.cluster.api.delete("Pod", pod["name"], crew.namespace)
    web.eventually(lambda: "Pod" not in web.belongings(), "the Pod is tidied away")

    first.stop()

    crew.is_led(transitions=1)
    proxy.before = lambda _: True
    other = web.named("other")
    other.apply("Container")
    other.becomes("Ready")
    assert "Pod" not in web.belongings(), "it isn't run again"
    assert web.becomes("Completed")["status"]["exit"]["code"] == 0
    second.stop()


def test_it_takes_over_from_one_that_was_killed(crew: Crew, web: Subject) -> None:
    first = crew.add(SHORT)
    holder = crew.is_led()
    crew.add(SHORT)
    web.apply("Container")
    web.becomes("Ready")

    first.kill()

    assert crew.is_led(transitions=1) != holder
    web.change(state="Stopped")
    web.becomes("Stopped")


def test_one_that_slept_through_its_lease_writes_nothing(
    crew: Crew, web: Subject, proxy: RequestProxy
) -> None:
    """It wakes with work in its queue, and believes to be the leader until it looks at the clock."""
    sleeper = crew.add(SHORT, proxy.kubeconfig)
    crew.is_led()
    web.apply("Container")
    web.becomes("Ready")
    sleeper.process.signal(signal.SIGSTOP)
    crew.add(SHORT)
    crew.is_led(transitions=1)
    for name in ("one", "two", "three"):
        web.named(name).apply("Container")
        web.named(name).becomes("Ready")
    count = len(proxy.requests)

    sleeper.process.signal(signal.SIGCONT)

    eventually(lambda: not sleeper.process.alive(), 30, "it ends")
    assert [str(request) for request in proxy.requests[count:] if request.is_write] == []
    assert "it was not renewed in time" in sleeper.process.log.read_text()
    for name in ("web", "one", "two", "three"):
        assert len(web.named(name).belongings()["Pod"]) == 1


def test_one_that_is_cut_off_ends_before_another_begins(crew: Crew, proxy: RequestProxy) -> None:
    cut_off = crew.add(SHORT, proxy.kubeconfig)
    holder = crew.is_led()
    proxy.outage = 503
    eventually(lambda: not cut_off.process.alive(), 30, "it ends")
    assert crew.lease()["holderIdentity"] == holder, "nobody could tell that it is free"
    crew.add(SHORT)
    assert crew.is_led(transitions=1) != holder
