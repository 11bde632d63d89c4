"""What goes wrong, and what a Pod's status says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import REGISTRY, Scenario, container

if TYPE_CHECKING:
    from tests.guest.stage import Stage

TROUBLES = Scenario(
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
    settles=lambda stage: stage.machine.eventually(
        lambda: "running" in stage.container("fine")["state"], 400, "the first container runs"
    ),
)


@TROUBLES.case("an image that is pushed later: it is pulled, and the container runs", docs.IMAGES)
def late(stage: Stage) -> None:
    _waits(stage, "late", {"ErrImagePull", "ImagePullBackOff"})
    stage.registry.push("late:1", stage.images["late:1"])
    stage.eventually(lambda: "running" in stage.container("late")["state"], "it runs", 150)
    assert stage.report(8081)["argv"][0] == "/bin/conformance"


@TROUBLES.case("out of memory: OOMKilled, 137, restarted", docs.RESOURCES)
def greedy(stage: Stage) -> None:
    ended = stage.eventually(
        lambda: (one := stage.container("greedy"))["restartCount"] and one["lastState"].get("terminated"),
        "it was restarted",
        120,
    )
    assert (ended["exitCode"], ended["reason"]) == (137, "OOMKilled")


@TROUBLES.case("crashing again and again: CrashLoopBackOff", docs.LIFECYCLE)
def crashing(stage: Stage) -> None:
    found = stage.eventually(
        lambda: (
            (one := stage.container("crashing"))["state"].get("waiting", {}).get("reason")
            == "CrashLoopBackOff"
            and one
        ),
        "it is held back",
        120,
    )
    assert found["lastState"]["terminated"]["exitCode"] == 3
    assert found["restartCount"] >= 1
    assert "restarting failed container=crashing" in found["state"]["waiting"]["message"]


@TROUBLES.case("root where none may be: CreateContainerConfigError", docs.SECURITY)
def wants_root(stage: Stage) -> None:
    message = _waits(stage, "wants-root", {"CreateContainerConfigError"})
    assert "container has runAsNonRoot and image will run as root" in message


@TROUBLES.case("an image that isn't there: ImagePullBackOff", docs.IMAGES)
def no_image(stage: Stage) -> None:
    message = _waits(stage, "no-image", {"ErrImagePull", "ImagePullBackOff"})
    assert "conformance:none" in message


@TROUBLES.case("a name that is no image's: InvalidImageName", docs.IMAGES)
def bad_name(stage: Stage) -> None:
    _waits(stage, "bad-name", {"InvalidImageName"})


@TROUBLES.case("an image that must not be pulled: ErrImageNeverPull", docs.IMAGES)
def never_pulled(stage: Stage) -> None:
    _waits(stage, "never-pulled", {"ErrImageNeverPull"})


@TROUBLES.case("a command that the image hasn't got", docs.LIFECYCLE)
def no_program(stage: Stage) -> None:
    found = stage.eventually(
        lambda: (one := stage.container("no-program"))["lastState"].get("terminated") and one,
        "it has failed",
        90,
    )
    ended = found["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")


@TROUBLES.case("the others run on, and the machine isn't ready", docs.LIFECYCLE)
def others(stage: Stage) -> None:
    fine = stage.container("fine")
    assert (fine["restartCount"], fine["ready"]) == (0, True)
    assert not stage.machine.kubelet.ready
    assert stage.machine.status()["phase"] in {"Pending", "Running"}


def _waits(stage: Stage, name: str, reasons: set[str]) -> str:
    def waiting() -> dict[str, str] | None:
        found: dict[str, str] = stage.container(name)["state"].get("waiting", {})
        return found if found.get("reason") in reasons else None

    found = stage.eventually(waiting, f"{name} waits for {' or '.join(sorted(reasons))}", 90)
    return found.get("message", "") if found else ""
