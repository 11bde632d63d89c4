"""How much of what they ask for hulls use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.view.objects import Raw, pod
from twinhull.view import usage
from twinhull.view.screen import Tone

ASKED: Raw = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "128Mi"}}


def measured(name: str = "web-1", **containers: tuple[str, str]) -> Raw:
    used = [
        {"name": one, "usage": {"cpu": cpu, "memory": memory}} for one, (cpu, memory) in containers.items()
    ]
    return {"metadata": {"name": name, "namespace": "shop"}, "containers": used}


def asking(*resources: Raw, **spec: Any) -> Raw:
    names = ("web", "side")
    containers = [{"name": name, "resources": one} for name, one in zip(names, resources, strict=False)]
    return pod(spec={"containers": containers, **spec})


def texts(pods: list[Raw], metrics: list[Raw], *, containers: bool = False) -> list[list[str]]:
    found = list(usage.uses(pods, metrics, containers=containers))
    return [[cell.text for cell in row] for row in usage.table(found, containers=containers).rows]


@pytest.mark.parametrize(
    ("pods", "metrics", "cells"),
    [
        (
            [asking(ASKED)],
            [measured(web=("25000000n", "32768Ki"))],
            ["25m", "25% of 100m", "12% of 200m", "32Mi", "50% of 64Mi", "25% of 128Mi"],
        ),
        ([asking(ASKED)], [], ["<unknown>", "-", "-", "<unknown>", "-", "-"]),
        ([asking({})], [measured(web=("1", "1Gi"))], ["1000m", "-", "-", "1024Mi", "-", "-"]),
        (
            [asking(ASKED, {"requests": {"cpu": "300m"}})],
            [measured(web=("100m", "32Mi"), side=("100m", "32Mi"))],
            ["200m", "50% of 400m", "-", "64Mi", "100% of 64Mi", "-"],
        ),
        (
            [asking(ASKED, resources={"requests": {"cpu": "1"}, "limits": {"cpu": "2"}})],
            [measured(web=("100m", "64Mi"))],
            ["100m", "10% of 1000m", "5% of 2000m", "64Mi", "100% of 64Mi", "50% of 128Mi"],
        ),
        (
            [asking({"limits": {"cpu": "none"}})],
            [measured(web=("lots", "1Mi"))],
            ["<unknown>", "-", "-", "1Mi", "-", "-"],
        ),
    ],
)
def test_use_of_requests_and_limits(pods: list[Raw], metrics: list[Raw], cells: list[str]) -> None:
    assert texts(pods, metrics) == [["web", "web-1", *cells]]


def test_each_container_has_a_row_if_asked_for() -> None:
    spec = {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}, {"name": "init"}]}
    rows = texts([asking(ASKED, **spec)], [measured(web=("1m", "1Mi"), proxy=("2m", "2Mi"))], containers=True)
    assert [row[:4] for row in rows] == [["web", "web-1", "proxy", "2m"], ["web", "web-1", "web", "1m"]]


def test_what_has_ended_and_others_pods_are_left_out() -> None:
    other = pod(name="other")
    del other["metadata"]["labels"]["twinhull.dev/hull"]
    assert texts([pod(phase="Succeeded"), other], []) == []


def test_what_is_near_its_limit_is_shown_as_bad() -> None:
    (row,) = usage.table(list(usage.uses([asking(ASKED)], [measured(web=("10m", "120Mi"))]))).rows
    assert [cell.tone for cell in row[2:]] == [*[Tone.PLAIN] * 3, Tone.BAD, Tone.PLAIN, Tone.BAD]


def test_a_machine_s_figures_are_its_launcher_s_and_its_guest_s_are_said() -> None:
    launcher = pod(name="virt-launcher-web-1-abcde")
    launcher["metadata"] |= {
        "labels": {"twinhull.dev/workload": "web", "kubevirt.io": "virt-launcher"},
        "ownerReferences": [{"kind": "VirtualMachineInstance", "name": "web-1", "controller": True}],
    }
    instance = {
        "metadata": {"name": "web-1", "namespace": "shop"},
        "status": {
            "currentCPUTopology": {"cores": 1, "sockets": 2, "threads": 1},
            "memory": {"guestAtBoot": "512Mi", "guestCurrent": "1Gi"},
        },
    }
    (found,) = usage.uses([launcher], [], [instance])
    assert (found.is_launcher, found.guest) == (True, "2 CPUs, 1Gi")
    assert usage.table([found]).head[-1] == "GUEST"
    assert usage.unmeasured([found]) == ["virt-launcher-web-1-abcde"]
    assert found.raw() == {
        "namespace": "shop",
        "workload": "web",
        "pod": "virt-launcher-web-1-abcde",
        "launcher": True,
        "guest": "2 CPUs, 1Gi",
    }


def test_what_uses_most_comes_first() -> None:
    pods = [pod(name=name) for name in ("a", "b", "c")]
    metrics = [measured("a", web=("1m", "3Mi")), measured("b", web=("2m", "1Mi"))]
    found = list(usage.uses(pods, metrics))
    orders = {order: [use.pod for use in usage.in_order(found, order)] for order in usage.ORDERS}
    assert orders == {"name": ["a", "b", "c"], "cpu": ["b", "a", "c"], "memory": ["a", "b", "c"]}
