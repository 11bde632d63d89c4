"""Runs to completion, and how each end is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import REGISTRY, Scenario, container
from tests.guest.scenariorun import ScenarioRun, terminated

if TYPE_CHECKING:
    from collections.abc import Callable

_VOLUME = {"name": "state", "mountPath": "/state"}
_VOLUMES = [{"name": "state", "emptyDir": {}}]


def _when(phase: str) -> Callable[[ScenarioRun], object]:
    def settled(run: ScenarioRun) -> None:
        assert run.final()["phase"] == phase

    return settled


SUCCESS = Scenario(
    "success",
    {
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "initContainers": [container("prepare", "--append=/state/rows:one", volumeMounts=[_VOLUME])],
            "containers": [
                container("import", "--log=importing", "--message=1 row", volumeMounts=[_VOLUME]),
                container("quick"),
                container(
                    "log-message", "--log=last words", terminationMessagePolicy="FallbackToLogsOnError"
                ),
            ],
            "volumes": _VOLUMES,
        }
    },
    quick=True,
    settles=_when("Succeeded"),
)


@SUCCESS.case("all ended with 0: Succeeded, Completed", docs.LIFECYCLE)
def succeeded(run: ScenarioRun) -> None:
    status = run.machine.status()
    assert status["phase"] == "Succeeded"
    for name in ("prepare", "import", "quick", "log-message"):
        end = terminated(status, name)
        assert (end["exitCode"], end["reason"]) == (0, "Completed")
        assert end["startedAt"] <= end["finishedAt"]


@SUCCESS.case(
    "the termination message is in the status, and logs stand for it only on failure", docs.TERMINATION
)
def message(run: ScenarioRun) -> None:
    status = run.machine.status()
    assert terminated(status, "import")["message"] == "1 row"
    assert "message" not in terminated(status, "quick")
    assert "message" not in terminated(status, "log-message")


@SUCCESS.case("a Pod that has ended isn't ready", docs.LIFECYCLE)
def not_ready(run: ScenarioRun) -> None:
    run.unready()
    assert run.machine.condition("Ready") == "False"


@SUCCESS.case("its machine stays until it is deleted", docs.CONTRACT)
def stays(run: ScenarioRun) -> None:
    assert run.machine.answer()["final"]
    assert run.machine.running
    run.machine.power_button()
    assert run.machine.ended(40) == "guest-shutdown"


_EXIT_CODES = {"zero": 0, "one": 1, "two": 2, "forty-two": 42, "highest": 255}
FAILURE = Scenario(
    "failure",
    {
        "spec": {
            "restartPolicy": "Never",
            # The first process of a namespace can't be killed from within it.
            "shareProcessNamespace": True,
            "containers": [
                *(container(name, f"--exit={code}") for name, code in _EXIT_CODES.items()),
                container("killed", "--kill=9"),
                container("terminated", "--kill=15"),
                container("message", "--message=out of disk", "--exit=3"),
                container(
                    "fallback",
                    *("--many=200", "--log=the last line", "--exit=4"),
                    terminationMessagePolicy="FallbackToLogsOnError",
                ),
                container(
                    "own-path",
                    *("--append=/tmp/reason:of its own", "--exit=5"),
                    image=f"{REGISTRY}/missing-folder:1",
                    terminationMessagePath="/tmp/reason",  # noqa: S108 - of the container
                ),
            ],
        }
    },
    settles=_when("Failed"),
)


@FAILURE.case("each exit code as it is", docs.LIFECYCLE)
def exit_codes(run: ScenarioRun) -> None:
    status = run.machine.status()
    assert status["phase"] == "Failed"
    found = {name: terminated(status, name) for name in _EXIT_CODES}
    assert {name: end["exitCode"] for name, end in found.items()} == _EXIT_CODES
    assert {name: end["reason"] for name, end in found.items()} == {
        name: "Error" if code else "Completed" for name, code in _EXIT_CODES.items()
    }


@FAILURE.case("killed by a signal: 128 and its number", docs.LIFECYCLE)
def signals(run: ScenarioRun) -> None:
    status = run.machine.status()
    for name, code in {"killed": 128 + 9, "terminated": 128 + 15}.items():
        end = terminated(status, name)
        assert (end["exitCode"], end["reason"]) == (code, "Error")


@FAILURE.case("a container's last words: its file, its logs, a file of its choice", docs.TERMINATION)
def messages(run: ScenarioRun) -> None:
    status = run.machine.status()
    assert terminated(status, "message")["message"] == "out of disk"
    fallback = terminated(status, "fallback")["message"]
    assert fallback.endswith("the last line\n")
    assert len(fallback.splitlines()) == 80
    assert terminated(status, "own-path")["message"] == "of its own\n"


@FAILURE.case("a folder that the image hasn't got is made for it", docs.API)
def made_folder(run: ScenarioRun) -> None:
    assert terminated(run.machine.status(), "own-path")["exitCode"] == 5


@FAILURE.case("nothing is restarted", docs.LIFECYCLE)
def no_restarts(run: ScenarioRun) -> None:
    assert {one["restartCount"] for one in run.machine.status()["containerStatuses"]} == {0}


@FAILURE.case(
    "left alone, the machine ends after a minute by a panic, which says that it failed", docs.CONTRACT
)
def panic(run: ScenarioRun) -> None:
    run.release_slot()
    assert run.machine.ended(100) == "guest-panicked"


ON_FAILURE = Scenario(
    "on-failure",
    {
        "spec": {
            "restartPolicy": "OnFailure",
            "containers": [
                container("flaky", "--once=/state/tried", "--log=second try", volumeMounts=[_VOLUME]),
                container("steady", "--sleep=1s"),
            ],
            "volumes": _VOLUMES,
        }
    },
    settles=_when("Succeeded"),
)


@ON_FAILURE.case("a container that failed is run again, one that succeeded isn't", docs.JOB)
def run_again(run: ScenarioRun) -> None:
    flaky, steady = run.container("flaky"), run.container("steady")
    assert (flaky["restartCount"], steady["restartCount"]) == (1, 0)
    assert flaky["lastState"]["terminated"]["exitCode"] == 1
    assert flaky["state"]["terminated"]["exitCode"] == 0


INIT_FAILURE = Scenario(
    "init-failure",
    {
        "spec": {
            "restartPolicy": "Never",
            "initContainers": [container("migrate", "--log=no database", "--exit=9"), container("never")],
            "containers": [container("main", "--stay")],
        }
    },
    settles=_when("Failed"),
)


@INIT_FAILURE.case("an init container that fails ends it all, and nothing after it starts", docs.INIT)
def init_failure(run: ScenarioRun) -> None:
    status = run.machine.status()
    assert terminated(status, "migrate")["exitCode"] == 9
    for name in ("never", "main"):
        found = run.container(name)
        assert found["state"]["waiting"]["reason"] == "PodInitializing"
        assert not found["ready"]
    assert run.machine.condition("Initialized") == "False"
