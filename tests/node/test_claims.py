"""Claims in a machine on a real node, and what is in them once the machine has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.node.machine import READY

if TYPE_CHECKING:
    from tests.node.machine import Machine
    from tests.node.volumes import Volumes

pytestmark = pytest.mark.starts("data")


def test_a_filesystem_claim_is_shared_and_a_block_claim_is_a_device(machine: Machine) -> None:
    mounts = machine.ready().report()["mounts"]
    kinds = {mount["at"]: mount["kind"] for mount in mounts}
    assert kinds["/files"] == "virtiofs"
    assert machine.file("/dev/xvda")["kind"] == "device"


def test_what_a_container_writes_at_its_end_is_in_the_claim(machine: Machine, volumes: Volumes) -> None:
    """The operator has the guest end its Pod before it deletes the machine, which takes virtiofsd away."""
    machine.ready()
    machine.change(state="Stopped")
    machine.becomes("Stopped", timeout=READY)
    assert (volumes.path("files") / "log").read_text(encoding="ascii") == "TERM\nend\n"
