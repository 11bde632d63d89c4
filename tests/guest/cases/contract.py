"""Manifests that a guest can't run: what it does, and what it tells the operator and the console."""

from __future__ import annotations

import hashlib
import json
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.guest.cases import documentation as docs
from tests.guest.guestapi import GuestApi
from tests.guest.scenario import IMAGE, REGISTRY, Scenario, config_map, container

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun


def _in_trouble(run: ScenarioRun) -> None:
    run.eventually(lambda: run.machine.answer()["error"], "the guest says what is wrong", 900)


NEWER = Scenario(
    "newer",
    {"spec": {"automountServiceAccountToken": False, "containers": [container("main", "--stay")]}},
    manifest={"version": 99},
    settles=_in_trouble,
)


@NEWER.case("a manifest of a version that it doesn't know is refused", docs.CONTRACT)
def newer(run: ScenarioRun) -> None:
    answer = run.machine.answer()
    assert "the manifest is of version 99" in answer["error"]
    assert not answer["final"]
    assert run.machine.console().count("of version 99") == 1
    last = run.machine.kubelet.ask()
    assert last.code == 503
    assert "version 99" in last.text


@NEWER.case("the power button ends such a machine too", docs.CONTRACT)
def newer_end(run: ScenarioRun) -> None:
    run.machine.power_button()
    assert run.machine.ended(60) == "guest-shutdown"


def _own(run: ScenarioRun) -> bytes:
    """The manifest that the operator made, before somebody else wrote into it."""
    manifest = json.loads(run.store.objects["ConfigMap", run.machine.spec.name]["data"]["manifest.json"])
    manifest["pod"]["spec"]["containers"][0]["image"] = IMAGE
    own = json.dumps(manifest, ensure_ascii=False, sort_keys=True).encode()
    assert hashlib.sha256(own).hexdigest() == run.machine.spec.annotations["twinhull.dev/manifest"]
    return own


FORGED = Scenario(
    "forged",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [container("main", "--sleep=5s", "--stay", port=8080)],
        }
    },
    forged=f"{REGISTRY}/numeric-user:1",
    settles=_in_trouble,
)


@FORGED.case("a manifest that isn't the one that its machine notes runs nothing, and is told", docs.CONTRACT)
def forged(run: ScenarioRun) -> None:
    answer = run.machine.answer()
    assert "isn't the one that its operator made it for" in answer["error"]
    assert (answer["lacking"], answer["manifest"], answer["pod"]) == (True, "", {})
    assert "is given to the kubelet" not in run.machine.console()
    assert not run.machine.kubelet.ready


@FORGED.case("who has no certificate of the machine's authority gives it none", docs.CONTRACT)
def forged_stranger(run: ScenarioRun) -> None:
    known = run.machine.api
    assert "certificate required" in refusal(run, GuestApi(known.address, known.port, None), _own(run))


def refusal(run: ScenarioRun, stranger: GuestApi, manifest: bytes) -> str:
    """What somebody is told who is never let in with a manifest. The kernel may drop that where it comes with
    the connection's end, so it is asked for until it is heard.
    """

    def reason() -> str:
        with pytest.raises(OSError) as refused:  # noqa: PT011  whoever asks says what it is
            stranger.put(manifest)
        return str(refused.value) if isinstance(refused.value, ssl.SSLError) else ""

    return run.eventually(reason, "it is told why")


@FORGED.case("once the operator gives it its own, it runs that", docs.CONTRACT)
def forged_recovers(run: ScenarioRun) -> None:
    own = _own(run)
    assert run.machine.api.put(own) == (204, "")
    run.ready()
    answer = run.machine.answer()
    assert (answer["lacking"], answer["error"]) == (False, "")
    assert answer["manifest"] == hashlib.sha256(own).hexdigest()
    assert run.report(8080)["uid"] != 1234  # which the other image's is


UNKEYED = Scenario(
    "unkeyed",
    {"spec": {"automountServiceAccountToken": False, "containers": [container("main", "--stay")]}},
    forged=f"{REGISTRY}/numeric-user:1",
    keyed=False,
    settles=lambda run: run.eventually(
        lambda: "isn't the one that its operator made it for" in run.machine.console(), "it is told", 900
    ),
)


@UNKEYED.case(
    "where nobody may give it another, the machine ends as failed, to be started again", docs.CONTRACT
)
def unkeyed(run: ScenarioRun) -> None:
    assert "is given to the kubelet" not in run.machine.console()
    assert run.machine.ended(90) == "guest-panicked"


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
def missing(run: ScenarioRun) -> None:
    answer = run.machine.answer()
    assert all(word in answer["error"] for word in ("main", "MODE", "absent", "ConfigMap", "settings"))
    assert "\n" not in answer["error"]
    assert run.machine.kubelet.ask().code == 503
    assert not run.machine.kubelet.ready
