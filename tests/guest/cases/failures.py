"""Containers that fail in each way, and what the Pod's status says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import REGISTRY, Scenario, container

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

FAILURES = Scenario(
    "troubles",
    {
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [
                container("fine", port=8080),
                container(
                    "greedy", "--sleep=1s", "--alloc=64", "--stay", resources={"limits": {"memory": "32Mi"}}
                ),
                container("crashing", "--exit=3"),
                container("wants-root", securityContext={"runAsNonRoot": True}),
                container("no-image", image=f"{REGISTRY}/conformance:none"),
                container("late", port=8081, image=f"{REGISTRY}/late:1"),
                container("bad-name", image="Not An Image"),
                container("never-pulled", image=f"{REGISTRY}/named-user:1", imagePullPolicy="Never"),
                container("no-program", command=["/not/there"]),
            ],
        }
    },
    settles=lambda run: run.machine.eventually(
        lambda: "running" in run.container("fine")["state"], 900, "the first container runs"
    ),
)


@FAILURES.case("an image that is pushed later: it is pulled, and the container runs", docs.IMAGES)
def late(run: ScenarioRun) -> None:
    _waits(run, "late", {"ErrImagePull", "ImagePullBackOff"})
    run.registry.push("late:1", run.images["late:1"])
    run.eventually(lambda: "running" in run.container("late")["state"], "it runs", 150)
    assert run.report(8081)["argv"][0] == "/bin/conformance"


@FAILURES.case("out of memory: OOMKilled, 137, restarted", docs.RESOURCES)
def greedy(run: ScenarioRun) -> None:
    ended = run.eventually(
        lambda: (one := run.container("greedy"))["restartCount"] and one["lastState"].get("terminated"),
        "it was restarted",
        120,
    )
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


@FAILURES.case("crashing again and again: CrashLoopBackOff", docs.LIFECYCLE)
def crashing(run: ScenarioRun) -> None:
    status = run.eventually(
        lambda: (
            (one := run.container("crashing"))["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
            and one
        ),
        "it is held back",
        120,
    )
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["restartCount"] >= 1
    assert "restarting failed container=crashing" in status["state"]["waiting"]["message"]


@FAILURES.case("root where none may be: CreateContainerConfigError", docs.SECURITY)
def wants_root(run: ScenarioRun) -> None:
    message = _waits(run, "wants-root", {"CreateContainerConfigError"})
    assert "container has runAsNonRoot and image will run as root" in message


@FAILURES.case("an image that isn't there: ImagePullBackOff", docs.IMAGES)
def no_image(run: ScenarioRun) -> None:
    message = _waits(run, "no-image", {"ErrImagePull", "ImagePullBackOff"})
    assert "conformance:none" in message


@FAILURES.case("a name that is no image's: InvalidImageName", docs.IMAGES)
def bad_name(run: ScenarioRun) -> None:
    _waits(run, "bad-name", {"InvalidImageName"})


@FAILURES.case("an image that must not be pulled: ErrImageNeverPull", docs.IMAGES)
def never_pulled(run: ScenarioRun) -> None:
    _waits(run, "never-pulled", {"ErrImageNeverPull"})


@FAILURES.case("a command that the image hasn't got", docs.LIFECYCLE)
def no_program(run: ScenarioRun) -> None:
    found = run.eventually(
        lambda: (one := run.container("no-program"))["lastState"].get("terminated") and one,
        "it has failed",
        90,
    )
    ended = found["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")


@FAILURES.case("the others run on, and the machine isn't ready", docs.LIFECYCLE)
def others(run: ScenarioRun) -> None:
    fine = run.container("fine")
    assert (fine["restartCount"], fine["ready"]) == (0, True)
    assert not run.machine.kubelet.ready
    assert run.machine.status()["phase"] in {"Pending", "Running"}


def _waits(run: ScenarioRun, name: str, reasons: set[str]) -> str:
    def waiting() -> dict[str, str] | None:
        found: dict[str, str] = run.container(name)["state"].get("waiting", {})
        return found if found.get("reason") in reasons else None

    found = run.eventually(waiting, f"{name} waits for {' or '.join(sorted(reasons))}", 90)
    return found.get("message", "") if found else ""
