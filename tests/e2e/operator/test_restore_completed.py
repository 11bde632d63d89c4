"""A run that has ended, restored by a real Velero while no operator is there (docs/operations.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import EXIT, Subject, template
from tests.operator_process import OperatorProcess
from tests.velero import ALONE, Velero

pytestmark = [pytest.mark.simulated, pytest.mark.built("velero", "velero-filestore")]


@pytest.mark.parametrize("status", [True, False], ids=["with status", "without"])
def test_it_runs_again_unless_its_status_is_restored(  # noqa: PLR0913  fixtures
    velero: Velero, cluster: Cluster, account: Path, namespace: str, tmp_path: Path, *, status: bool
) -> None:
    operator = OperatorProcess.start(account, tmp_path / "operator.log")
    web = Subject(cluster, namespace, alive=operator.check)
    web.apply("Container", template({EXIT: "0"}, restartPolicy="Never"))
    web.becomes("Completed")
    velero.backup(namespace, "--include-namespaces", namespace)
    velero.lose(namespace)
    operator.stop()

    options = ["--status-include-resources", "workloads.twinhull.dev"] if status else []
    velero.restore(namespace, "--from-backup", namespace, *ALONE, *options)
    another = OperatorProcess.start(account, tmp_path / "another.log")
    web = web.served_by(another)
    web.change(replacement={"drainSeconds": 7})  # so that it is known to have been looked at
    web.becomes("Completed")
    assert ("Pod" in web.belongings()) == (not status)
    another.stop()
