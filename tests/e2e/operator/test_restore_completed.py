"""A run that has ended, from a backup, restored while no operator is there (docs/operations.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import EXIT, Subject, template
from tests.e2e.operator.test_restore import lose, restorable
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated


@pytest.mark.parametrize("status", [True, False], ids=["with status", "without"])
def test_it_runs_again_unless_its_status_is_restored(
    cluster: Cluster, account: Path, namespace: str, tmp_path: Path, *, status: bool
) -> None:
    operator = OperatorProcess.start(account, tmp_path / "operator.log")
    web = Subject(cluster, namespace, alive=operator.check)
    web.apply("Container", template({EXIT: "0"}, restartPolicy="Never"))
    ended = web.becomes("Completed")["status"]
    workload = restorable(web.get())
    lose(web)
    operator.stop()

    cluster.api.create(workload)
    if status:
        cluster.api.patch("Workload", "web", namespace, {"status": ended}, subresource="status")
    another = OperatorProcess.start(account, tmp_path / "another.log")
    web = web.served_by(another)
    web.change(replacement={"drainSeconds": 7})  # so that it is known to have been looked at
    web.becomes("Completed")
    assert ("Pod" in web.belongings()) == (not status)
    another.stop()
