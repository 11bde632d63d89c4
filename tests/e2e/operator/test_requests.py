"""How many requests the operator makes: two writes for a new Workload, none for what changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import NEVER_READY, Manifest, Subject, container, template
from tests.operator_process import OperatorProcess
from tests.request_proxy import Request, RequestProxy
from twinhull.shell.kinds import WATCHED

pytestmark = pytest.mark.simulated

WATCHES = {kind.path() for kind in WATCHED}
#: The kind that the operator lists last.
WORKLOADS = "/apis/twinhull.dev/v1alpha1/workloads"
#: The request that makes a machine.
MAKES = "POST virtualmachines"
REPORT = "PATCH workloads/web/status"
#: After how many seconds a new Workload's progress is reported: the longest that the operator takes.
FIRST_REPORT = 60
_barriers = count()


@pytest.fixture(scope="module")
def proxy(account: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RequestProxy]:
    """A proxy before the API server, which counts."""
    with RequestProxy.running(account, tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.fixture(scope="module")
def operator(
    proxy: RequestProxy, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator whose requests are counted.

    A new Workload that isn't Ready after a while gets a progress report, one more write. How long that takes
    is the machine's speed, which isn't the subject here: the report is put off for as long as can be.
    """
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    started = OperatorProcess.start(proxy.kubeconfig, log, "--first-report", str(FIRST_REPORT))
    all_is_watched(cluster, proxy)
    assert [r.query["limit"] for r in reads(proxy) if r.path == WORKLOADS] == ["1", "500"], (
        "all is listed once"
    )
    yield started
    started.stop()


@pytest.fixture
def watched(operator: OperatorProcess, cluster: Cluster, namespace: str) -> Subject:
    """A Workload whose operator's requests are counted."""
    return Subject(cluster, namespace, alive=operator.check)


def all_is_watched(cluster: Cluster, proxy: RequestProxy) -> None:
    cluster.eventually(
        lambda: {r.path for r in proxy.requests if r.is_watch} == WATCHES, 60, "all kinds are watched"
    )


def all_is_done(web: Subject) -> None:
    """Wait until another Workload has been through the operator, and so all that came before it."""
    barrier = Subject(web.cluster, "default", f"barrier-{next(_barriers)}-{web.namespace}", web.alive)
    barrier.apply(state="Stopped")
    barrier.becomes("Stopped")
    barrier.delete()


def of(web: Subject, proxy: RequestProxy) -> list[str]:
    """The requests in the Workload's namespace, Events aside."""
    root = f"/namespaces/{web.namespace}/"
    return [
        f"{r.method} {r.path.partition(root)[2]}"
        for r in proxy.requests
        if root in r.path and not r.path.endswith("/events")
    ]


def until_ready(web: Subject, proxy: RequestProxy, isolation: str, pod_template: Manifest) -> list[str]:
    """The requests for a new Workload until it is Ready, less reports of progress if it takes that long."""
    proxy.forget()
    began = time.monotonic()
    web.apply(isolation, pod_template)
    web.becomes("Ready")
    took = time.monotonic() - began
    all_is_done(web)
    requests = of(web, proxy)
    reports = requests.count(REPORT) - 1 if took >= FIRST_REPORT else 0
    for _ in range(reports):
        requests.remove(REPORT)
    return requests


def reads(proxy: RequestProxy) -> list[Request]:
    """What was listed. Single objects are in `of`: those of earlier tests may still be on their way out."""
    return [r for r in proxy.requests if r.method == "GET" and not r.is_watch and r.path in WATCHES]


def listed(proxy: RequestProxy, limit: str) -> set[str]:
    """What was listed by pages of so many: of one, to know the version from which to watch."""
    return {r.path for r in reads(proxy) if r.query.get("limit") == limit}


def test_a_new_container_costs_two_writes(watched: Subject, proxy: RequestProxy) -> None:
    assert until_ready(watched, proxy, "Container", template()) == ["POST pods", REPORT]
    assert reads(proxy) == []


def test_a_service_is_one_write_more(watched: Subject, proxy: RequestProxy) -> None:
    served = template(containers=[container(ports=[{"containerPort": 80}])])
    assert until_ready(watched, proxy, "Container", served) == ["POST services", "POST pods", REPORT]
    assert reads(proxy) == []


def test_a_machine_costs_its_manifest_more(watched: Subject, proxy: RequestProxy) -> None:
    assert until_ready(watched, proxy, "VirtualMachine", template()) == [
        "POST podtemplates",  # a dry run: the API server looks at the Pod in the machine
        *("POST configmaps", "POST virtualmachines"),
        REPORT,
    ]
    assert reads(proxy) == []


def test_what_changes_nothing_costs_nothing(watched: Subject, proxy: RequestProxy) -> None:
    watched.apply("Container", template(containers=[container(ports=[{"containerPort": 80}])]))
    watched.becomes("Ready")
    all_is_done(watched)
    pod = watched.hull()["metadata"]["name"]
    proxy.forget()

    for turn in range(3):
        watched.annotate("Pod", pod, touched=str(turn))
        watched.annotate("Workload", "web", touched=str(turn))
        watched.annotate("Service", "web", touched=str(turn))
    all_is_done(watched)

    assert of(watched, proxy) == []
    assert reads(proxy) == []


def test_broken_watches_are_resumed_without_a_write(watched: Subject, proxy: RequestProxy) -> None:
    watched.apply("VirtualMachine")
    watched.becomes("Ready")
    all_is_done(watched)
    proxy.forget()

    proxy.cut_streams()

    all_is_watched(watched.cluster, proxy)
    all_is_done(watched)
    assert of(watched, proxy) == []


def test_watches_that_start_over_list_everything_and_write_nothing(
    watched: Subject, proxy: RequestProxy
) -> None:
    watched.apply("VirtualMachine")
    watched.becomes("Ready")
    all_is_done(watched)
    proxy.forget()

    proxy.cut_streams(error=410)

    all_is_watched(watched.cluster, proxy)
    all_is_done(watched)
    watched.eventually(lambda: listed(proxy, "1") == WATCHES, "all is asked for its version")
    watched.eventually(lambda: listed(proxy, "500") == WATCHES, "all is asked for by 500")
    assert of(watched, proxy) == []


def test_what_happened_while_the_watches_were_broken_is_seen(watched: Subject, proxy: RequestProxy) -> None:
    watched.apply("Container")
    watched.becomes("Ready")
    old = watched.hull()["metadata"]
    proxy.outage = 503
    proxy.cut_streams()
    watched.cluster.api.delete("Pod", old["name"], watched.namespace)

    proxy.outage = None

    watched.eventually(lambda: watched.hull()["metadata"]["uid"] != old["uid"], "another Pod is there")
    watched.becomes("Ready")


def test_coming_and_going_of_readiness_costs_one_write_each(watched: Subject, proxy: RequestProxy) -> None:
    watched.apply("Container")
    watched.becomes("Ready")
    all_is_done(watched)
    pod = watched.hull()["metadata"]["name"]
    proxy.forget()

    watched.annotate("Pod", pod, **{NEVER_READY: "true"})
    watched.becomes("ContainersNotReady")
    watched.annotate("Pod", pod, **{NEVER_READY: None})
    watched.becomes("Ready")
    all_is_done(watched)

    assert of(watched, proxy) == [REPORT] * 2


@pytest.mark.parametrize("label", ["twinhull.dev/workload", "twinhull.dev/hull"])
def test_a_lost_label_is_put_back_and_then_all_is_quiet(
    watched: Subject, proxy: RequestProxy, label: str
) -> None:
    watched.apply("Container")
    watched.becomes("Ready")
    all_is_done(watched)
    pod = watched.hull()["metadata"]
    proxy.forget()

    labels = {"metadata": {"labels": {label: None}}}
    watched.cluster.api.patch("Pod", pod["name"], watched.namespace, labels)

    watched.eventually(lambda: label in watched.hull()["metadata"]["labels"], "the label is back")
    watched.becomes("Ready")
    all_is_done(watched)
    assert watched.hull()["metadata"]["uid"] == pod["uid"]
    # Creating it again says that it is there; what it lacks is then given to it.
    looked_for = ["POST pods", f"GET pods/{pod['name']}", f"PATCH pods/{pod['name']}"]
    assert [request for request in of(watched, proxy) if "status" not in request] == looked_for


def test_a_refused_hull_is_not_asked_for_without_end(watched: Subject, proxy: RequestProxy) -> None:
    proxy.forget()
    began = time.monotonic()
    watched.apply("VirtualMachine", virtualMachine={"overrides": {"volumes": []}})
    watched.becomes("VirtualMachineRefused")
    watched.eventually(lambda: of(watched, proxy).count(MAKES) >= 2, "it is tried again")
    for turn in range(3):
        watched.annotate("Workload", "web", touched=str(turn))
    all_is_done(watched)

    requests, took = of(watched, proxy), time.monotonic() - began
    assert [line for line in requests if line != MAKES] == [*("POST podtemplates", "POST configmaps", REPORT)]
    # Again after two seconds, and after twice as long each further time.
    assert took >= 2 * (2 ** (requests.count(MAKES) - 1) - 1), requests
