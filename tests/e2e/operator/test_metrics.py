"""Metrics: what a real Prometheus has after real work is what happened, and answers what people ask of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests import jsonlog, metrics, namespaces
from tests.controlplane import Cluster
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.situations.admission import service_probe_of, until_refused
from tests.e2e.operator.subject import Subject, container, template
from tests.metrics import Prometheus, Question
from tests.operator_process import OperatorProcess
from tests.request_proxy import Request, RequestProxy
from twinhull.core import reasons
from twinhull.shell.metrics.catalogue import CATALOGUE

pytestmark = [pytest.mark.simulated, pytest.mark.built("prometheus", "promtool")]

_VERBS = {"POST": "create", "PATCH": "patch", "DELETE": "delete"}
#: What is only there when something goes wrong that didn't.
_EMPTY = {"TwinhullDown"}
_UNTOLD = {"twinhull_objects_over_room", "twinhull_unserved_namespaces"}


@dataclass
class Scene:
    """An operator that has done some work, the Prometheus that watched, and the namespace that it was in."""

    operator: OperatorProcess
    page: str
    log: Path
    prometheus: Prometheus
    proxy: RequestProxy
    cluster: Cluster
    namespace: str

    def scrape(self) -> str:
        """The page as it is now."""
        response = urllib3.request("GET", self.page)
        assert response.status == 200
        return response.data.decode()

    def samples(self) -> list[Sample]:
        """The page's samples."""
        families = text_string_to_metric_families(self.scrape())
        return [sample for family in families for sample in family.samples]


@pytest.fixture(scope="module")
def scene(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Some work of each sort: Workloads that run, flip, are replaced, raised, stalled and refused."""
    folder = tmp_path_factory.mktemp("metrics")
    with ExitStack() as stack:
        name = stack.enter_context(namespaces.made(cluster))
        proxy = stack.enter_context(RequestProxy.running(cluster.kubeconfig, folder))
        (port,) = free_ports(1)
        address, log = f"{LOOPBACK}:{port}", folder / "operator.log"
        options = ("--metrics-address", address, "--log-format", "json")
        # Nobody else wants the Lease, and a busy machine can't lose it. It has time for each scrape, too.
        lease = (
            "--leader-elect",
            "--lease-namespace",
            name,
            "--lease-name",
            "metrics",
            "--lease-seconds",
            "300",
        )
        watching = Prometheus.running(folder, [address], metrics.ALERTS, interval=5)
        prometheus = stack.enter_context(watching)
        operator = OperatorProcess.start(proxy.kubeconfig, log, *options, *lease)
        stack.callback(operator.kill)
        scene = Scene(operator, f"http://{address}/metrics", log, prometheus, proxy, cluster, name)
        policies = Policies(cluster.api, name)
        stack.callback(policies.end)
        box = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "metrics"}}
        cluster.api.create({**box, "handler": "box"})
        stack.callback(cluster.api.delete, "RuntimeClass", "metrics")
        _work(Subject(cluster, name, alive=operator.check), policies)
        last = f'twinhull_workloads{{reason="UnsupportedFields", workload_namespace="{name}"}}'
        below = f'twinhull_workloads_below_floor{{workload_namespace="{name}"}}'
        cluster.eventually(
            lambda: prometheus.query(last) and prometheus.query(below), 30, "Prometheus has seen it all"
        )
        yield scene


def _work(web: Subject, policies: Policies) -> None:
    ports = template(containers=[container(ports=[{"name": "http", "containerPort": 80}])])
    web.apply("Container", ports)
    web.becomes("Ready")
    web.apply("VirtualMachine", ports)
    web.becomes("Ready")
    first = web.named("first")
    quick = {"strategy": "StartFirst", "drainSeconds": 1}
    first.apply("Container", ports, replacement=quick)
    first.becomes("Ready")
    first.apply("VirtualMachine", ports, replacement=quick)
    first.eventually(
        lambda: first.get()["status"].get("lastChange", {}).get("how") == "Replaced", "it is replaced"
    )
    first.becomes("Ready")
    web.named("nobox").apply("Sandbox")
    web.named("nobox").becomes("RuntimeClassMissing")
    web.cluster.api.create(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "none", "namespace": web.namespace},
            "spec": {"hard": {"services.nodeports": "0"}},
        }
    )
    probe = service_probe_of(web.namespace, type="NodePort")
    until_refused(web.cluster, probe, "exceeded quota: none")
    refused = web.named("refused")
    refused.apply("Container", ports, service={"enabled": True, "type": "NodePort"})
    refused.becomes("ServiceRefused")
    # A Workload that the operator sees before the policy runs as a Pod first, and is then replaced.
    policies.enforce("floor", minimum="VirtualMachine", match={"images": ["raised.example/*"]})
    web.named("lifted").apply("Container", template(containers=[container(image="raised.example/it:1")]))
    web.named("lifted").becomes("Ready")
    held = web.named("held")
    held.apply("Container", template(hostPID=True, containers=[container(image="held.example/it:1")]))
    held.becomes("Ready")
    policies.make("held", minimum="VirtualMachine", match={"images": ["held.example/*"]})
    held.becomes("UnsupportedFields")


def test_promtool_has_nothing_against_the_page(scene: Scene) -> None:
    checked = metrics.promtool("check", "metrics", text=scene.scrape())
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stderr.strip() == ""


def test_the_page_is_in_the_catalogue_with_its_labels(scene: Scene) -> None:
    labels = {definition.name: set(definition.labels) for definition in CATALOGUE}

    def has_all() -> bool:
        names = set()
        for sample in scene.samples():
            name = sample.name
            if name not in labels:
                name = re.sub(r"_(bucket|sum|count)$", "", name)
            assert set(sample.labels) - {"le"} == labels[name], sample
            names.add(name)
        assert names == labels.keys() - _UNTOLD
        return True

    scene.cluster.eventually(has_all, 30, "the page has what the catalogue has")


def test_labels_are_bounded(scene: Scene) -> None:
    """No name of an object that users make is a label, and every reason is a known one."""
    samples = scene.samples()
    values = {value for sample in samples for value in sample.labels.values()}
    hulls = {hull["metadata"]["name"] for hull in scene.cluster.api.list("Pod", scene.namespace)}
    assert values.isdisjoint({"web", "first", "nobox", "refused", "lifted", "held", *hulls})
    labels = {sample.labels["reason"] for sample in samples if sample.name == "twinhull_workloads"}
    assert labels <= reasons.KNOWN | {"None", "Other"}
    # Of other tests' namespaces, some may still be on their way out.
    ours = [s for s in samples if s.labels.get("workload_namespace", scene.namespace) == scene.namespace]
    assert len(ours) < 700


def test_workloads_are_counted_as_kubectl_shows_them(scene: Scene) -> None:
    def agree() -> bool:
        counted = Counter[tuple[str, str, str]]()
        for sample in scene.samples():
            if sample.name == "twinhull_workloads" and sample.labels["workload_namespace"] == scene.namespace:
                isolation, hull, reason = (sample.labels[label] for label in ("isolation", "hull", "reason"))
                counted[isolation, hull, reason] += int(sample.value)
        shown = Counter[tuple[str, str, str]]()
        for workload in scene.cluster.api.list("Workload", scene.namespace):
            status = workload["status"]
            ready = next(found for found in status["conditions"] if found["type"] == "Ready")
            hull = (status.get("hull") or {}).get("kind", "None")
            shown[status["isolation"]["resolved"], hull, ready["reason"]] += 1
        assert counted == shown
        assert sum(shown.values()) == 6
        return True

    scene.cluster.eventually(agree, 30, "what is counted is what kubectl shows")


def test_each_write_that_was_made_is_counted(scene: Scene) -> None:
    def agree() -> bool:
        made = Counter(_write(request) for request in scene.proxy.requests if request.method in _VERBS)
        counted = Counter[tuple[str, str, bool]]()
        for sample in scene.samples():
            if sample.name == "twinhull_writes_total":
                labels = sample.labels
                counted[labels["verb"], labels["resource"], labels["result"] == "ok"] += int(sample.value)
        lease = ("patch", "leases", True)  # it is renewed while this looks
        del made[lease], counted[lease]
        assert made == counted
        return True

    scene.cluster.eventually(agree, 30, "what was written is what was counted")
    writes = {(s.labels["verb"], s.labels["resource"]) for s in scene.samples() if "verb" in s.labels}
    assert ("create", "virtualmachines") in writes
    assert ("patch", "workloads/status") in writes
    assert ("dry-run", "virtualmachines") in writes


def test_replacements_are_told_with_their_gaps(scene: Scene) -> None:
    def total(what: str, strategy: str) -> float:
        labels = {"strategy": strategy, "hull": "VirtualMachine"}
        name = f"twinhull_replacement_{what}"
        (value,) = (s.value for s in scene.samples() if s.name == name and s.labels == labels)
        return value

    def counted() -> bool:
        """A replacement is told of once its former hull is gone."""
        assert total("duration_seconds_count", "Recreate") == 1
        assert total("duration_seconds_count", "StartFirst") == 1
        return True

    scene.cluster.eventually(counted, 30, "both replacements are told of")
    assert 0 < total("gap_seconds_sum", "Recreate") <= total("duration_seconds_sum", "Recreate")
    assert total("gap_seconds_sum", "StartFirst") == 0
    assert total("duration_seconds_sum", "StartFirst") >= 1, "its drain is a part of it"


def test_it_tells_that_it_leads(scene: Scene) -> None:
    led = {s.labels["name"]: s.value for s in scene.samples() if s.name == "leader_election_master_status"}
    assert led == {"metrics": 1}


@pytest.mark.parametrize(
    "question", [*metrics.dashboard(), *metrics.alerts()], ids=lambda question: question.asker
)
def test_every_question_has_an_answer(scene: Scene, question: Question) -> None:
    """It is no error, and all that it selects is there."""
    prometheus = scene.prometheus
    selectors = prometheus.selectors(question.expression)
    assert selectors

    def answered() -> bool:
        answer = prometheus.query(question.expression)
        for selector in selectors:
            if selector["name"] in _UNTOLD:
                continue
            series = prometheus.query(f"count by (__name__) ({selector['name']})")
            assert series, f"there is no metric {selector['name']}"
            labels = {label for found in prometheus.query(selector["name"]) for label in found["metric"]}
            assert {matcher["name"] for matcher in selector["matchers"]} <= labels
        if question in metrics.dashboard():
            assert answer or question.asker in _EMPTY, "a panel would be empty"
        return True

    # Prometheus may not have seen all of it yet, and of a rate it needs two samples.
    scene.cluster.eventually(answered, 30, f"{question.asker} has an answer")


def test_the_alerts_are_evaluated(scene: Scene) -> None:
    well = {(question.asker, "ok", "") for question in metrics.alerts()}

    def evaluated() -> bool:
        rules = scene.prometheus.rules()
        assert len(rules) == len(list(metrics.alerts()))
        assert {(rule["name"], rule["health"], rule.get("lastError", "")) for rule in rules} == well
        return True

    scene.cluster.eventually(evaluated, 30, "every alert has been evaluated")
    scene.cluster.eventually(
        lambda: (
            {rule["name"] for rule in scene.prometheus.rules() if rule["state"] != "inactive"}
            == {"TwinhullBelowFloor", "TwinhullWorkloadsStalled", "TwinhullWritesRefused"}
        ),
        60,
        "they would fire after their time, and none of the others",
    )


def test_alerts_fire_when_they_are_to_and_not_before() -> None:
    tested = metrics.promtool("test", "rules", Path(metrics.__file__).with_name("alerts.test.yaml"))
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_alerts_pass_promtools_own_check() -> None:
    checked = metrics.promtool("check", "rules", "--lint=all", "--lint-fatal", metrics.ALERTS)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_write_is_one_line_of_json(scene: Scene) -> None:
    decisions = [line for line in jsonlog.entries(scene.log) if "hull" in line]
    assert all(line.keys() >= {"workload", "hull", "reason", "message", "severity"} for line in decisions)
    web = [line["reason"] for line in decisions if line["workload"] == f"{scene.namespace}/web"]
    assert [reason for reason in web if reason in {"Created", "Ready", "Replacing"}][:3] == [
        "Created",
        "Created",
        "Ready",
    ]
    deleted = [line for line in decisions if line["reason"] == "Replacing" and "deleted" in line["message"]]
    assert all(line["hull"].startswith("Pod/") for line in deleted)
    assert deleted


def _write(request: Request) -> tuple[str, str, bool]:
    """A write as it is to be counted: its verb, its resource, and whether it was done."""
    verb = "dry-run" if "dryRun" in request.query else _VERBS[request.method]
    last = request.path.rpartition("/")[2]
    subresource = f"/{last}" if request.method == "PATCH" and last in {"status", "resize"} else ""
    return verb, request.resource + subresource, request.status < 400
