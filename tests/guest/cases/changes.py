"""Changes of a running machine: another manifest, and CPUs and memory that are plugged in."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tests.guest.cases import documentation as docs
from tests.guest.cases.contract import refusal
from tests.guest.guestapi import GuestApi
from tests.guest.scenario import REGISTRY, Scenario, container

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

Raw = dict[str, Any]
_MEBIBYTE = 1 << 20
_OTHER_IMAGE = f"{REGISTRY}/numeric-user:1"
_PROBE = {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 5, "timeoutSeconds": 15}

CHANGES = Scenario(
    "changes",
    {
        "metadata": {"labels": {"app": "changes", "tier": "front"}, "annotations": {"note": "first"}},
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [
                container(
                    "web",
                    port=8080,
                    readinessProbe=_PROBE,
                    resources={"limits": {"cpu": "500m", "memory": "96Mi"}},
                    volumeMounts=[{"name": "pod", "mountPath": "/etc/pod"}],
                ),
                container(
                    "side", "--trap=8s", port=8081, resources={"limits": {"cpu": "250m", "memory": "64Mi"}}
                ),
            ],
            "volumes": [
                {
                    "name": "pod",
                    "downwardAPI": {
                        "items": [
                            {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                            {"path": "annotations", "fieldRef": {"fieldPath": "metadata.annotations"}},
                            {
                                "path": "memory",
                                "resourceFieldRef": {"containerName": "web", "resource": "limits.memory"},
                            },
                        ]
                    },
                }
            ],
        },
    },
    machine={"overrides": {"domain": {"cpu": {"maxSockets": 2}, "memory": {"maxGuest": "2Gi"}}}},
)


def _first(run: ScenarioRun) -> bytes:
    """The manifest that the machine was started with."""
    machine_spec = run.machine.spec
    found = run.store.get("ConfigMap", machine_spec.name, machine_spec.namespace)
    assert found is not None
    text: str = found["data"]["manifest.json"]
    return text.encode()


def _changed(
    run: ScenarioRun, *, container: str = "web", metadata: Raw | None = None, **fields: Any
) -> bytes:
    """That manifest with other metadata, and other fields of a container."""
    manifest: Raw = json.loads(_first(run))
    manifest["pod"]["metadata"] |= metadata or {}
    found = next(one for one in manifest["pod"]["spec"]["containers"] if one["name"] == container)
    found |= fields
    return json.dumps(manifest).encode()


def _digest(manifest: bytes) -> str:
    return hashlib.sha256(manifest).hexdigest()


def _put(run: ScenarioRun, manifest: bytes, timeout: float = 60) -> None:
    """Puts a manifest, and waits until it is in effect."""
    assert run.machine.api.put(manifest) == (204, "")
    run.eventually(
        lambda: run.machine.answer()["manifest"] == _digest(manifest), "the manifest is in effect", timeout
    )


def _lives(run: ScenarioRun) -> dict[str, tuple[str, int]]:
    """Which containers run, and how often they were started."""
    found = {name: run.container(name) for name in ("web", "side")}
    return {name: (one["containerID"], one["restartCount"]) for name, one in found.items()}


def _number(run: ScenarioRun, path: str, name: str) -> int:
    """A number of a file of names and numbers, as the web container sees it."""
    lines = run.get(8080, "/file", path=path).splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def _resize(run: ScenarioRun) -> Raw:
    """The conditions of a resize, by their types."""
    conditions = run.machine.status()["conditions"]
    return {one["type"]: one for one in conditions if one["type"].startswith("PodResize")}


@CHANGES.case("the status has the digest of the manifest that the machine was started with", docs.CONTRACT)
def started(run: ScenarioRun) -> None:
    assert run.machine.answer()["manifest"] == _digest(_first(run))
    assert run.machine.api.put(_first(run)) == (204, "")


@CHANGES.case("what only a new machine can take is refused, and named", docs.CONTRACT)
def refused(run: ScenarioRun) -> None:
    code, line = run.machine.api.put(_changed(run, args=["--serve=8080", "--log=other"]))
    assert (code, line) == (409, "pod.spec.containers[0].args[1] differs: the machine must be replaced\n")
    for manifest in (b"", b"{", _changed(run, image=""), b" " * (_MEBIBYTE + 1)):
        code, line = run.machine.api.put(manifest)
        assert (code, line.count("\n")) == (400, 1)
    assert run.machine.answer()["manifest"] == _digest(_first(run))


@CHANGES.case("nobody but the operator is let in", docs.CONTRACT)
def strangers(run: ScenarioRun) -> None:
    known = run.machine.api
    stranger = GuestApi(known.address, known.port, None)
    assert "certificate required" in refusal(run, stranger, _first(run))


@CHANGES.case("labels and annotations arrive in a downwardAPI volume; nothing is restarted", docs.DOWNWARD)
def metadata(run: ScenarioRun) -> None:
    lives = _lives(run)
    labels = {"app": "changes", "tier": "back", "more": "yes"}
    _put(run, _changed(run, metadata={"labels": labels, "annotations": {"note": "second"}}))
    run.eventually(
        lambda: 'more="yes"' in run.get(8080, "/file", path="/etc/pod/labels").splitlines(), "the label", 30
    )
    assert 'tier="back"' in run.get(8080, "/file", path="/etc/pod/labels").splitlines()
    assert run.get(8080, "/file", path="/etc/pod/annotations") == 'note="second"'
    assert run.machine.answer()["pod"]["metadata"]["labels"] == labels
    assert _lives(run) == lives


@CHANGES.case("CPU and memory become the control group's limits, and nothing is restarted", docs.RESIZE)
def resized(run: ScenarioRun) -> None:
    lives = _lives(run)
    _put(run, _changed(run, resources={"limits": {"cpu": "750m", "memory": "128Mi"}}))

    def limits() -> bool:
        found = run.report(8080)["cgroup"]
        return (found["cpu.max"], found["memory.max"]) == ("75000 100000", str(128 * _MEBIBYTE))

    run.eventually(limits, "the control group has the new limits")
    run.eventually(lambda: not _resize(run), "the resize is over")
    run.eventually(
        lambda: run.get(8080, "/file", path="/etc/pod/memory") == str(128 * _MEBIBYTE), "the file has it"
    )
    assert _lives(run) == lives


@CHANGES.case("a new image restarts its container alone, and is told once the old one is gone", docs.IMAGES)
def image(run: ScenarioRun) -> None:
    lives, former = _lives(run), run.machine.answer()["manifest"]
    manifest = _changed(run, container="side", image=_OTHER_IMAGE)
    assert run.machine.api.put(manifest) == (204, "")
    seen = []

    def in_effect() -> bool:
        answer = run.machine.answer()
        side = next(one for one in answer["pod"]["status"]["containerStatuses"] if one["name"] == "side")
        seen.append((answer["manifest"], side["containerID"]))
        return bool(answer["manifest"] == _digest(manifest))

    assert run.machine.kubelet.ask().text == "a change is being made"
    run.eventually(in_effect, "the new image is in effect", 300)
    assert {one for one in seen[:-1] if one != (former, lives["side"][0])} == set()
    assert seen[-1][1] != lives["side"][0]
    assert _lives(run)["web"] == lives["web"]
    run.ready(60)
    assert run.report(8081)["uid"] == 1234


@CHANGES.case("more than the machine has waits until it is plugged in; the Pod runs on, ready", docs.RESIZE)
def plugged(run: ScenarioRun) -> None:
    _put(run, _first(run), 120)  # which restarts the container that had another image
    run.ready(120)
    lives, answered = _lives(run), len(run.machine.kubelet.answers)
    memory, given = _number(run, "/proc/meminfo", "MemTotal:"), run.report(8080)["cgroup"]
    _put(run, _changed(run, resources={"limits": {"cpu": "1500m", "memory": "640Mi"}}))
    run.eventually(lambda: _resize(run)["PodResizePending"]["status"] == "True", "the resize is pending")
    assert run.report(8080)["cgroup"] == given

    run.machine.plug_cpu()
    run.machine.plug_memory(512)
    online = "/sys/devices/system/cpu/online"
    run.eventually(lambda: run.get(8080, "/file", path=online) == "0-1\n", "the CPU is online")
    grown = memory + 400 * 1024
    run.eventually(lambda: _number(run, "/proc/meminfo", "MemTotal:") > grown, "the memory is there")

    def limits() -> bool:
        found = run.report(8080)["cgroup"]
        return (found["cpu.max"], found["memory.max"]) == ("150000 100000", str(640 * _MEBIBYTE))

    run.eventually(limits, "the control group has the new limits", 200)
    run.eventually(lambda: not _resize(run), "the resize is over")
    assert run.get(8080, "/file", path="/sys/fs/cgroup/cpuset.cpus.effective") == "0-1\n"
    # Nor does the kernel keep more of it to itself than of what the machine started with (boot/kernel.go).
    assert int(run.get(8080, "/file", path="/proc/sys/vm/min_free_kbytes")) < 8 << 10
    more = (memory >> 10) + 16  # mebibytes
    assert run.get(8080, "/alloc", mib=f"{more}") == "asked"
    run.eventually(
        lambda: int(run.get(8080, "/file", path="/sys/fs/cgroup/memory.current")) > more * _MEBIBYTE,
        "more memory than the machine had is used",
        300,
    )
    assert _lives(run) == lives
    assert 503 not in {one.code for one in run.machine.kubelet.answers[answered:]}


@CHANGES.case("nothing is taken any more once the machine is shutting down", docs.CONTRACT)
def ending(run: ScenarioRun) -> None:
    run.machine.power_button()
    refusal = (503, "the machine is shutting down\n")
    run.eventually(lambda: run.machine.api.put(_first(run)) == refusal, "it is refused", 20)
    assert run.machine.ended(60) == "guest-shutdown"


RESTARTED = Scenario(
    "restarted",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "hostPID": True,  # which no operator gives a machine: by it the guest's own programs are killed
            "containers": [container("web", port=8080, readinessProbe=_PROBE), container("side", port=8081)],
        }
    },
)


@RESTARTED.case("an agent that is started anew goes on with what was put", docs.CONTRACT)
def agent_killed(run: ScenarioRun) -> None:
    manifest = _changed(run, metadata={"labels": {"kept": "yes"}})
    _put(run, manifest)
    lives = _lives(run)
    assert run.get(8080, "/signal", process="/usr/sbin/twinhull-guest agent", number="9") == "1"
    run.eventually(lambda: "agent ended" in run.machine.console(), "the agent is gone")
    run.eventually(lambda: run.machine.answer()["pod"], "it is back")
    answer = run.machine.answer()
    assert answer["manifest"] == _digest(manifest)
    assert answer["pod"]["metadata"]["labels"]["kept"] == "yes"
    assert _lives(run) == lives


@RESTARTED.case(
    "a kubelet that is started anew takes what was put meanwhile; the Pod stays ready", docs.CONTRACT
)
def kubelet_killed(run: ScenarioRun) -> None:
    run.ready(60)
    lives, answered = _lives(run), len(run.machine.kubelet.answers)
    assert run.get(8080, "/signal", process="kubelet --config", number="9") == "1"
    _put(run, _changed(run, metadata={"labels": {"meanwhile": "yes"}}), 150)
    assert run.machine.answer()["pod"]["metadata"]["labels"]["meanwhile"] == "yes"
    assert _lives(run) == lives
    assert 503 not in {one.code for one in run.machine.kubelet.answers[answered:]}
