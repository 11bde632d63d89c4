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


def test_an_evicted_launcher_has_the_machine_made_again(machine: Machine) -> None:
    """It can't be migrated, since its claims are its node's, so KubeVirt lets it be evicted."""
    uid = machine.ready().instance()["metadata"]["uid"]
    machine.eventually(
        lambda: machine.get()["status"]["hull"]["migratable"]["possible"] is False, "it is said to stay"
    )
    api, name = machine.cluster.api, machine.launcher()["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": machine.namespace},
    }
    api.request("POST", f"{api.path('Pod', machine.namespace, name)}/eviction", eviction)
    machine.eventually(
        lambda: machine.instance()["metadata"]["uid"] != uid, "KubeVirt makes another instance", READY
    )
    machine.ready()
    assert machine.report()


def test_what_a_container_writes_at_its_end_is_in_the_claim(machine: Machine, volumes: Volumes) -> None:
    """The operator has the guest end its Pod before it deletes the machine, which takes virtiofsd away."""
    machine.ready()
    log = volumes.path("files") / "log"
    text = log.read_text(encoding="ascii") if log.exists() else ""
    machine.change(state="Stopped")
    machine.becomes("Stopped", timeout=READY)
    assert log.read_text(encoding="ascii").removeprefix(text) == "TERM\nend\n"
