"""A Pod that somebody else ends: by a deadline, or by a deletion while a container still works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import Scenario, container

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

DEADLINE = Scenario(
    "deadline",
    {
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 25,
            "terminationGracePeriodSeconds": 2,
            "containers": [container("endless", "--stay")],
        }
    },
    settles=lambda run: run.final(),
)


@DEADLINE.case("activeDeadlineSeconds: Failed, DeadlineExceeded", docs.JOB)
def deadline(run: ScenarioRun) -> None:
    status = run.machine.status()
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")


DRAIN = Scenario(
    "drain",
    {
        "spec": {
            "terminationGracePeriodSeconds": 8,
            "subdomain": "inner",
            "setHostnameAsFQDN": True,
            "containers": [
                container(
                    "draining",
                    "--trap=1s",
                    port=8080,
                    lifecycle={"preStop": {"httpGet": {"path": "/log?line=preStop", "port": 8080}}},
                ),
                container("sleepy", "--trap=0s", lifecycle={"preStop": {"sleep": {"seconds": 3}}}),
                container("stubborn", "--ignore"),
            ],
        }
    },
)


@DRAIN.case("setHostnameAsFQDN", docs.DNS)
def full_name(run: ScenarioRun) -> None:
    assert run.report(8080)["hostname"] == "drain.inner.shop.svc.cluster.local"


@DRAIN.case(
    "preStop by HTTP comes before TERM; who ignores TERM is killed when the grace period is over", docs.HOOKS
)
def drain(run: ScenarioRun) -> None:
    assert run.container("stubborn")["restartCount"] == 0
    run.machine.kubelet.stop()
    began = run.machine.age
    run.machine.power_button()
    assert run.machine.ended(60) == "guest-shutdown"
    assert run.machine.age - began >= 8
    lines = [line for line in run.machine.console().splitlines() if "draining" in line]
    order = [
        next(i for i, line in enumerate(lines) if word in line) for word in ("preStop", "got TERM", "ends")
    ]
    assert order == sorted(order)
    assert any("sleepy" in line and "got TERM" in line for line in run.machine.console().splitlines())
