"""Claims as disks of a machine on a real node: a database that runs as a user of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.node.machine import READY

if TYPE_CHECKING:
    from tests.node.machine import Machine
    from tests.node.volumes import Volumes

pytestmark = pytest.mark.starts("database")

_FOLDERS = ("/pg", "/image")


def test_a_database_has_its_files_on_both_kinds_of_claims(machine: Machine, volumes: Volumes) -> None:
    mounts = {mount["at"]: mount["kind"] for mount in machine.ready().report()["mounts"]}
    for folder in _FOLDERS:
        assert mounts[folder] == "ext4"
        main = machine.file(f"{folder}/main")
        assert (main["uid"], main["mode"]) == (999, "0700")
    assert (volumes.path("image") / "disk.img").stat().st_size > 0


def test_its_rows_are_there_after_its_launcher_is_killed(machine: Machine) -> None:
    uid = machine.ready().instance()["metadata"]["uid"]
    for folder in _FOLDERS:
        assert machine.ask("/insert", path=f"{folder}/main/rows", row="kept") == "done"
    api, launcher = machine.cluster.api, machine.launcher()["metadata"]["name"]
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
    api.request("DELETE", api.path("Pod", machine.namespace, launcher), options)
    machine.eventually(
        lambda: machine.instance()["metadata"]["uid"] != uid, "KubeVirt makes another instance", READY
    )
    machine.ready()
    for folder in _FOLDERS:
        assert machine.ask("/file", path=f"{folder}/main/rows") == "kept\n"
