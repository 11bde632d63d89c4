"""What a guest does with a manifest that it can't run, and says to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import Scenario, config_map, container

if TYPE_CHECKING:
    from tests.guest.stage import Stage


def _in_trouble(stage: Stage) -> None:
    stage.eventually(lambda: stage.machine.answer()["error"], "the guest says what is wrong", 200)


NEWER = Scenario(
    "newer",
    {"spec": {"automountServiceAccountToken": False, "containers": [container("main", "--stay")]}},
    manifest={"version": 99},
    settles=_in_trouble,
)


@NEWER.case("a manifest of a version that it doesn't know is refused", docs.CONTRACT)
def newer(stage: Stage) -> None:
    answer = stage.machine.answer()
    assert "the manifest is of version 99" in answer["error"]
    assert not answer["final"]
    assert stage.machine.console().count("of version 99") == 1
    last = stage.machine.kubelet.ask()
    assert last.code == 503
    assert "version 99" in last.text


@NEWER.case("the power button ends such a machine too", docs.CONTRACT)
def newer_end(stage: Stage) -> None:
    stage.machine.power_button()
    assert stage.machine.ended(60) == "guest-shutdown"


MISSING = Scenario(
    "missing",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                container(
                    "main",
                    "--stay",
                    env=[
                        {
                            "name": "MODE",
                            "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "absent"}},
                        }
                    ],
                )
            ],
        }
    },
    objects=(config_map("settings", {"mode": "fast"}),),
    settles=_in_trouble,
)


@MISSING.case("a key that isn't there is named, and nothing runs without it", docs.CONFIG_MAP)
def missing(stage: Stage) -> None:
    answer = stage.machine.answer()
    assert all(word in answer["error"] for word in ("main", "MODE", "absent", "ConfigMap", "settings"))
    assert "\n" not in answer["error"]
    assert stage.machine.kubelet.ask().code == 503
    assert not stage.machine.kubelet.ready
