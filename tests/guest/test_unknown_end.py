"""A machine that nobody can ask, and that has no panic device: how its Pod ended stays unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.controlplane.kubevirt import FEATURE_GATES, open_gates
from tests.e2e.conftest import install_crds
from tests.e2e.operator.subject import Subject, condition
from tests.guest.guestfiles import guest_files, tools
from tests.guest.launcher import Launcher
from tests.guest.scenario import REGISTRY, container
from tests.guest.virthandler import VirtHandler, loopback_address, simulated
from tests.operator_process import OperatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.controlplane import Cluster
    from tests.guest.machineslots import SlotUse
    from tests.guest.registry import Registry


@pytest.fixture
def job(
    slot: SlotUse,  # noqa: ARG001 - the machine's
    control_plane: Cluster,
    namespace: str,
    registry: Registry,
    tmp_path: Path,
) -> Iterator[Subject]:
    """A Workload of an operator without a key, where KubeVirt has no panic devices; yet to be applied."""
    install_crds(control_plane)
    (tmp_path / "registries.yaml").write_text(
        yaml.safe_dump([{"host": REGISTRY, "mirrors": [registry.mirror]}]), encoding="utf-8"
    )
    open_gates(control_plane.api, [gate for gate in FEATURE_GATES if gate != "PanicDevices"])
    options = [f"--guest-registries={tmp_path / 'registries.yaml'}"]
    operator = OperatorProcess.start(control_plane.kubeconfig, tmp_path / "operator.log", *options)
    yield Subject(control_plane, namespace, "job", alive=operator.check)
    operator.stop()
    open_gates(control_plane.api, FEATURE_GATES)


def test_failure_without_panic_device_powers_off_and_is_no_success(job: Subject, tmp_path: Path) -> None:
    address = loopback_address()
    spec = {"restartPolicy": "Never", "containers": [container("job", "--exit=3")]}
    job.apply("VirtualMachine", {"metadata": {"annotations": simulated(address)}, "spec": spec})
    launcher = Launcher(tools(), guest_files(), tmp_path / "machines")
    handler = VirtHandler.boot(job.cluster.api, launcher, (job.namespace, job.name), address)
    try:
        assert not handler.machine.spec.panics
        assert handler.machine.ended(600) == "guest-shutdown"
        line = "the Pod has ended: Failed, job 3 (Error)"
        assert line in handler.machine.console()
        ended = job.becomes("Failed", timeout=60)
    finally:
        handler.stop()
    found = ended["status"]["exit"]
    assert (found["reason"], found.get("code")) == ("Unknown", None)
    assert "enable KubeVirt's feature gate PanicDevices" in found["message"]
    assert condition(ended, "Stalled")[0] == "True"
