"""Traffic through flips: a client of each Workload's Service, and what it loses.

Many Workloads are flipped at once. The clients, what serves, and what stands for kube-proxy: tests/traffic.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Literal

import pytest

from tests.e2e.operator.subject import Subject, container, template
from tests.traffic import Traffic

pytestmark = pytest.mark.simulated

SERVED = template(containers=[container(ports=[{"containerPort": 8080}])])
#: Longer than the default, in seconds: on a busy machine what stands for kube-proxy hears late of endpoints.
DRAIN = 30
Strategy = Literal["StartFirst", "Recreate"]


@dataclass(frozen=True)
class Fleet:
    """Several Workloads of one namespace, which are flipped together."""

    members: list[Subject]
    traffic: Traffic

    @classmethod
    @contextmanager
    def launched(cls, web: Subject, size: int, strategy: Strategy) -> Iterator[Fleet]:
        """Plain containers, with a client of each, which are asked until the end."""
        members = [web.named(f"web-{number}") for number in range(size)]
        for member in members:
            replacement = {"strategy": strategy, "drainSeconds": DRAIN}
            member.apply("Container", SERVED, replacement=replacement)
        for member in members:
            member.becomes("Ready")
        with Traffic(web.cluster.api, web.namespace, [member.name for member in members]) as traffic:
            web.eventually(traffic.flows, "every Service answers")
            yield cls(members, traffic)

    def flip(self, isolation: str) -> list[float]:
        """Move all of them, and see each answer from its new hull. The gap of each, in seconds."""
        since = self.traffic.now()
        for member in self.members:
            member.change(isolationPolicy=isolation)
        for member in self.members:
            self._arrives(member, since)
        return [self.traffic.records[member.name].gap(since) for member in self.members]

    def _arrives(self, member: Subject, since: float) -> None:
        hull = member.becomes("Ready")["status"]["hull"]["name"]
        record = self.traffic.records[member.name]
        member.eventually(lambda: record.answered(hull, since), f"{hull} answers")


def test_start_first_loses_no_request_over_fifty_flips(web: Subject) -> None:
    there_and_back = ("VirtualMachine", "Container", "VirtualMachine")
    with Fleet.launched(web, 17, "StartFirst") as fleet:
        gaps = [gap for isolation in there_and_back for gap in fleet.flip(isolation)]
    records = fleet.traffic.records
    print(summary("StartFirst", gaps, fleet.traffic))
    assert len(gaps) >= 50
    assert {name: record.lost for name, record in records.items() if record.lost} == {}


def test_recreate_has_a_gap_and_the_client_sees_it(web: Subject) -> None:
    with Fleet.launched(web, 5, "Recreate") as fleet:
        gaps = [gap for isolation in ("VirtualMachine", "Container") for gap in fleet.flip(isolation)]
    print(summary("Recreate", gaps, fleet.traffic))
    assert all(record.lost for record in fleet.traffic.records.values())


def summary(strategy: Strategy, gaps: list[float], traffic: Traffic) -> str:
    """What was measured, in words."""
    total = sum(len(record.requests) for record in traffic.records.values())
    lost = sum(len(record.lost) for record in traffic.records.values())
    return (
        f"{len(gaps)} flips by {strategy}: {lost} of {total} requests lost; from one answer to the next "
        f"{median(gaps):.2f} s at the longest in the middle flip, {max(gaps):.2f} s in the worst"
    )
