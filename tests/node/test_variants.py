"""Machines that are built otherwise: an instancetype, a private registry, many devices, SCTP."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.node import sctp
from tests.node.cluster import PRIVATE_GUEST_IMAGE
from tests.node.machine import READY
from tests.node.workloads import CONFIG_MAPS, INSTANCETYPE, SCTP_PORT, WHOLE

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
def test_thirty_six_config_maps_are_thirty_six_files(machine: Machine) -> None:
    paths = [f"/parts/{name}/name" for name in CONFIG_MAPS]
    files = machine.ready().report(*paths)["files"]
    assert [files[path]["text"] for path in paths] == list(CONFIG_MAPS)
    spec = machine.instance()["spec"]
    shared = [filesystem["name"] for filesystem in spec["domain"]["devices"]["filesystems"]]
    assert len(shared) == len(WHOLE) + 1, "those that are mounted as a whole, and the token"


@pytest.mark.starts("associates")
def test_sctp_reaches_it_at_its_own_address_and_by_its_service(machine: Machine) -> None:
    address = machine.ready().address()
    service = machine.one("Service", machine.name)["spec"]
    assert {"protocol": "SCTP", "port": SCTP_PORT}.items() <= service["ports"][1].items()
    # It names no address of its own, which nobody outside the machine would reach.
    for host in (address, service["clusterIP"]):  # to which the Service leads some time after it is Ready
        answer = machine.eventually(partial(sctp.ask, host, SCTP_PORT), f"{host} answers", READY)
        assert answer == sctp.Server(b"served by SCTP")
