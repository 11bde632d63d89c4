"""From an earlier operator and its chart to this one and back, with Workloads that run on.

The earlier one is what the project was at a commit: its chart, installed by Helm, and its own code.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chart.helm import CHART, NAMESPACE, Helm
from tests.chart.release import WAIT, Release
from tests.controlplane import ControlPlane
from tests.e2e.operator.subject import Manifest, Subject, container, template
from tests.operator_process import OperatorProcess

pytestmark = [pytest.mark.simulated, pytest.mark.built("helm")]

EARLIER = Path(__file__).parents[1] / "chart" / "earlier" / "e59fcaf.tar.xz"
PORTS = [{"name": "http", "port": 80}]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of its own: others need the kinds, which are changed here."""
    started = ControlPlane.start(tmp_path_factory.mktemp("upgraded control plane"))
    yield started
    started.stop()


@pytest.fixture
def release(plane: ControlPlane, tmp_path: Path) -> Release:
    """Not yet installed; the earlier code and chart are in its folder."""
    with tarfile.open(EARLIER) as archive:
        archive.extractall(tmp_path, filter="data")
    return Release(Helm.built("helm", tmp_path / "helm", plane.kubeconfig), plane, tmp_path)


@contextmanager
def earlier(release: Release) -> Iterator[OperatorProcess]:
    """The earlier operator, which took its options as arguments; its files are where they are here."""
    account = release.account()
    (container,) = release.deployment["spec"]["template"]["spec"]["containers"]
    elsewhere = ("--health-address", "--guest-key-file", "--guest-registries")
    options = [option for option in container["args"][1:] if not option.startswith(elsewhere)]
    (release.folder / "key").write_bytes(release.key())
    here = ("--guest-key-file", str(release.folder / "key"), "--lease-namespace", NAMESPACE)
    code = release.folder / "operator"
    log = release.folder / "earlier.log"
    running = OperatorProcess.start(account, log, *options, *here, code=code)
    try:
        yield running
    finally:
        running.stop()


class Fleet:
    """Some Workloads of each kind."""

    def __init__(self, plane: ControlPlane) -> None:
        self.pod, self.moved, self.machine, self.job = self.all = [
            Subject(plane, "default", name) for name in ("pod", "moved", "machine", "job")
        ]
        self.original: dict[str, Manifest] = {}

    def starts(self) -> None:
        web = template(containers=[container(ports=[{"containerPort": 80}])])
        self.pod.apply("Container", web)
        self.moved.apply("Container", replacement={"strategy": "StartFirst", "drainSeconds": 0})
        self.machine.apply("VirtualMachine", web)
        self.job.apply("VirtualMachine", template(restartPolicy="Never"))

    def written_otherwise(self) -> None:
        """The same templates, with what Kubernetes puts in spelled out, and what it takes for absent."""
        spelled = {"imagePullPolicy": "IfNotPresent", "terminationMessagePolicy": "File", "env": []}
        same = {"dnsPolicy": "ClusterFirst", "tolerations": [], "enableServiceLinks": True}
        for workload in self.all:
            containers = workload.get()["spec"]["template"]["spec"]["containers"]
            changed = [{**one, **spelled} for one in containers]
            workload.change(template={"spec": {**same, "containers": changed}})
            self.original[workload.name] = {**dict.fromkeys(same), "containers": containers}

    def written_as_before(self) -> None:
        """The templates as an earlier operator knows them."""
        for workload in self.all:
            workload.change(template={"spec": self.original[workload.name]})

    def ready(self, operator: OperatorProcess) -> dict[str, str]:
        """Wait until all are; the uids of what they run in and are reached by."""
        for workload in self.all:
            workload.served_by(operator).becomes("Ready")
        return {
            f"{kind}/{name}": workload.one(kind, name)["metadata"]["uid"]
            for workload in self.all
            for kind, names in workload.belongings().items()
            for name in names
        }

    def looked_at(self, operator: OperatorProcess, drain: int) -> dict[str, str]:
        """As `ready`, once the operator has seen a change that needs nothing done."""
        for workload in self.all:
            workload.change(replacement={"drainSeconds": drain})
        return self.ready(operator)


def test_what_an_earlier_operator_started_runs_on(plane: ControlPlane, release: Release) -> None:
    fleet = Fleet(plane)
    release("install", str(release.folder / "charts" / "twinhull"), "--create-namespace", *WAIT)
    with earlier(release) as operator:
        fleet.starts()
        begun = fleet.ready(operator)
    assert len(begun) >= 2 + 2 * 4 + 2  # Pods; VM, VMI, launcher Pod and manifest; Services

    release("upgrade", str(CHART), *WAIT)
    with release.operator() as operator:
        assert fleet.looked_at(operator, 1) == begun
        fleet.written_otherwise()
        assert fleet.ready(operator) == begun
        fleet.written_as_before()
        assert fleet.ready(operator) == begun
        fleet.moved.change(isolationPolicy="VirtualMachine")
        moved = fleet.ready(operator)
    assert fleet.moved.hull()["kind"] == "VirtualMachine"

    release("rollback", "1", *WAIT)
    with earlier(release) as operator:
        after = fleet.looked_at(operator, 2)
    # It names hulls in its own way, and so makes that one anew which the later operator has made.
    kept = {name: uid for name, uid in moved.items() if "moved-" not in name}
    assert kept.items() <= after.items()

    release("upgrade", str(CHART), *WAIT)
    release("uninstall", "--wait")
    assert all(workload.hull()["metadata"]["uid"] in after.values() for workload in fleet.all)
