"""How runs end in machines on a real node: exit codes, by way of the guest's own word and of pvpanic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.node.machine import READY

if TYPE_CHECKING:
    from tests.node.machine import Machine


@pytest.mark.starts("succeeds")
def test_a_run_that_succeeds_is_completed(machine: Machine) -> None:
    workload = machine.becomes("Completed", timeout=READY)
    assert workload["status"]["exit"]["code"] == 0


@pytest.mark.node_quick
@pytest.mark.starts("fails")
def test_a_run_that_fails_tells_its_code_and_message(machine: Machine) -> None:
    workload = machine.becomes("Failed", timeout=READY)
    end = workload["status"]["exit"]
    assert (end["code"], end["container"], end["message"]) == (3, "job", "no rows")


@pytest.mark.starts("outgrows")
def test_a_container_that_outgrows_its_limit_is_oom_killed(machine: Machine) -> None:
    workload = machine.becomes("Failed", timeout=READY)
    end = workload["status"]["exit"]
    assert (end["code"], end["reason"]) == (137, "OOMKilled")
