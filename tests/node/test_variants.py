"""Machines that are built otherwise: by an instancetype, with many devices, from a private registry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.node.cluster import PRIVATE_GUEST_IMAGE
from tests.node.workloads import CONFIG_MAPS, INSTANCETYPE

if TYPE_CHECKING:
    from tests.node.machine import Machine


@pytest.mark.starts("typed")
def test_an_instancetype_says_how_large_it_is(machine: Machine) -> None:
    domain = machine.ready().instance()["spec"]["domain"]
    assert domain["memory"]["guest"] == INSTANCETYPE["spec"]["memory"]["guest"]
    assert machine.report()


@pytest.mark.starts("guarded")
def test_its_guest_is_pulled_with_the_secret_that_the_workload_names(machine: Machine) -> None:
    launcher = machine.ready().launcher()["spec"]
    assert {"name": "pulls"} in launcher["imagePullSecrets"]
    # Containers of it before KubeVirt 1.9, image volumes since.
    assert PRIVATE_GUEST_IMAGE in json.dumps(launcher)


@pytest.mark.starts("many")
def test_thirty_six_config_maps_are_thirty_six_folders(machine: Machine) -> None:
    paths = [f"/parts/{name}/name" for name in CONFIG_MAPS]
    files = machine.ready().report(*paths)["files"]
    assert [files[path]["text"] for path in paths] == list(CONFIG_MAPS)
