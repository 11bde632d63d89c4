"""What an exceeded quota's sentence says of the time when the hulls that are replaced are gone."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core import quota
from twinhull.hulls.hull import Hull
from twinhull.hulls.refusalsentences import exceeds_quota

from .objects import KUBEVIRT, case, ended, hull, running, workload

WEB = workload({"isolationPolicy": "Container"})


def pod(status: Raw | None = None, **spec: Any) -> Hull:
    """A former Pod of one container that requests a CPU and 1 GiB, and is limited to 2 CPUs."""
    amounts = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}}
    whole = {"containers": [{"name": "web", "image": "nginx:1", "resources": amounts}], **spec}
    found = hull("Pod", "web-1former", spec=whole, status=status or running())
    return case(WEB, found).own[0]


def machine() -> Hull:
    found = hull("VirtualMachine", "web-1former", spec={"template": {}})
    return case(WEB, found, KUBEVIRT).own[0]


def sentence(requested: str, used: str, limited: str) -> str:
    amounts = f"requested: {requested}, used: {used}, limited: {limited}"
    return f'pods "web-2" is forbidden: exceeded quota: team, {amounts}'


@pytest.mark.parametrize(
    ("requested", "used", "limited", "fits"),
    [
        # More than the whole quota.
        ("requests.cpu=5", "requests.cpu=1", "requests.cpu=2", False),
        ("cpu=5", "cpu=1", "cpu=2", False),
        # The Pod that goes fills it.
        ("requests.cpu=2", "requests.cpu=1", "requests.cpu=2", True),
        ("pods=1", "pods=1", "pods=1", True),
        ("count/pods=1", "count/pods=1", "count/pods=1", True),
        ("requests.memory=1Gi", "requests.memory=1Gi", "requests.memory=1536Mi", True),
        ("limits.cpu=3", "limits.cpu=2", "limits.cpu=4", True),
        # Others do.
        ("requests.cpu=2", "requests.cpu=2", "requests.cpu=2", False),
        ("pods=1", "pods=2", "pods=1", False),
        ("requests.memory=1Gi", "requests.memory=2Gi", "requests.memory=1536Mi", False),
        ("limits.cpu=3", "limits.cpu=4", "limits.cpu=4", False),
        # A Pod holds none of these.
        ("count/configmaps=1", "count/configmaps=1", "count/configmaps=1", False),
        ("configmaps=1", "configmaps=1", "configmaps=1", False),
        ("count/virtualmachines.kubevirt.io=1",) * 2 + ("count/virtualmachines.kubevirt.io=1", False),
        ("requests.nvidia.com/gpu=1", "requests.nvidia.com/gpu=1", "requests.nvidia.com/gpu=1", False),
        # One of several is enough.
        ("pods=1,requests.cpu=5", "pods=1,requests.cpu=1", "pods=1,requests.cpu=2", False),
    ],
)
def test_room_once_a_pod_is_gone(requested: str, used: str, limited: str, *, fits: bool) -> None:
    assert quota.fits_without(sentence(requested, used, limited), [pod()]) is fits


@pytest.mark.parametrize(
    ("requested", "used", "limited", "fits"),
    [
        ("count/configmaps=1", "count/configmaps=1", "count/configmaps=1", True),
        ("count/configmaps=1", "count/configmaps=2", "count/configmaps=1", False),
        ("count/virtualmachines.kubevirt.io=1",) * 3 + (True,),
        # How much its launcher Pod holds isn't known.
        ("requests.memory=2Gi", "requests.memory=3Gi", "requests.memory=4Gi", True),
        ("requests.memory=5Gi", "requests.memory=3Gi", "requests.memory=4Gi", False),
    ],
)
def test_room_once_a_machine_is_gone(requested: str, used: str, limited: str, *, fits: bool) -> None:
    assert quota.fits_without(sentence(requested, used, limited), [machine()]) is fits


def test_what_a_sandbox_takes_beside_its_containers_becomes_free() -> None:
    message = sentence("requests.cpu=2", "requests.cpu=1250m", "requests.cpu=2")
    assert not quota.fits_without(message, [pod()])
    assert quota.fits_without(message, [pod(overhead={"cpu": "250m"})])


def test_a_pod_that_has_ended_holds_nothing() -> None:
    message = sentence("pods=1", "pods=1", "pods=1")
    assert not quota.fits_without(message, [pod(ended("Failed"))])


@pytest.mark.parametrize(
    "message",
    [
        "exceeded quota: team",
        "exceeded quota: team, requested: cpu=lots, used: cpu=1, limited: cpu=1",
        "exceeded quota: team, requested: cpu=2, used: pods=1, limited: cpu=1",
        sentence("cpu=5", "cpu=1", "cpu=2… (9000 bytes, cut)"),
    ],
)
def test_sentence_that_is_not_understood_refuses_nothing(message: str) -> None:
    assert exceeds_quota(message)
    assert quota.fits_without(message, [pod()])


@pytest.mark.parametrize(("count", "fits"), [(16, False), (17, True)])
def test_very_many_resources_are_not_summed_up(count: int, *, fits: bool) -> None:
    amounts = [",".join(f"requests.example.com/x{n}={much}" for n in range(count)) for much in (5, 0, 1)]
    assert quota.fits_without(sentence(*amounts), [pod()]) is fits
