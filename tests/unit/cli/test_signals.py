"""Verbs that reach into hulls end at a signal, whatever they wait for at that moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.terminal import HEARING_SIGHUP
from tests.unit.cli.reachapi import ReachApi
from tests.unit.reach.virtapi import beside

#: Each starts processes.
pytestmark = pytest.mark.slow
TWINHULL = [*HEARING_SIGHUP, sys.executable, "-m", "twinhull"]
#: One that has as long as it needs to leave nothing behind, however busy the machine is.
_PATIENT = (
    "from twinhull.cli import ending, main\n"
    "from twinhull.reach import guest\n"
    "ending._GRACE = guest._WITHDRAWAL = guest._QUICK_WITHDRAWAL = 60\n"
    "main()\n"
)
PATIENT = [*HEARING_SIGHUP, sys.executable, "-c", _PATIENT]
WORKLOAD, REQUESTS, PODS = ("GET", "/workloads/web"), ("POST", "/accessrequests"), ("GET", "/pods")
DELETION, FORWARD = ("DELETE", "/accessrequests/web-1"), ("GET", "/portforward")
#: A process of its own has less than a second. It gets more of a busy machine, but less than any request has.
AT_ONCE = 25.0
EXEC = ["exec", "web", "--", "ls"]


@pytest.fixture
def api() -> Iterator[ReachApi]:
    made = ReachApi()
    with beside(made):
        yield made


def started(
    api: ReachApi, folder: Path, *words: str, command: Sequence[str] = TWINHULL
) -> subprocess.Popen[str]:
    environment = {**os.environ, "KUBECONFIG": str(api.kubeconfig(folder))}
    return subprocess.Popen(
        [*command, *words], env=environment, cwd=folder, stderr=subprocess.PIPE, text=True
    )


def told_to_end(process: subprocess.Popen[str], number: signal.Signals) -> int:
    """Its exit code after a signal; it says nothing, and ends at once."""
    process.send_signal(number)
    began = time.monotonic()
    try:
        _, stderr = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert stderr == ""
    assert time.monotonic() - began < AT_ONCE
    return process.returncode


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("port-forward web :80", 0),
        ("logs -f web", 130),
        ("exec web -- ls", 130),
        ("attach web", 130),
        ("cp web:/etc .", 130),
        ("console web", 130),
        ("vnc web --proxy-only", 0),
        ("ssh web", 130),
        ("status web", 130),
        ("wait web", 130),
    ],
)
def test_ctrl_c_ends_a_verb_that_looks_for_its_workload(
    api: ReachApi, tmp_path: Path, line: str, code: int
) -> None:
    api.hangs = {WORKLOAD}
    process = started(api, tmp_path, *line.split())
    eventually(lambda: api.hanging, PATIENCE, "it looks for the Workload")
    assert told_to_end(process, signal.SIGINT) == code


@pytest.mark.parametrize(
    ("line", "number", "code"),
    [
        ("port-forward web :80", signal.SIGINT, 0),
        ("port-forward web :80", signal.SIGTERM, 0),
        ("port-forward web :80", signal.SIGHUP, 129),
        ("logs -f web", signal.SIGINT, 130),
        ("exec web -- ls", signal.SIGTERM, 143),
        ("attach web", signal.SIGHUP, 129),
        ("cp web:/etc .", signal.SIGINT, 130),
    ],
)
def test_a_signal_ends_a_verb_that_waits_for_its_certificate(
    api: ReachApi, tmp_path: Path, line: str, number: signal.Signals, code: int
) -> None:
    api.certifies = False
    process = started(api, tmp_path, *line.split(), command=PATIENT)
    eventually(lambda: api.requests, PATIENCE, "it has asked for a certificate")
    assert told_to_end(process, number) == code
    assert (api.made, api.requests) == (1, {}), "it withdraws what it has asked for"


@pytest.mark.parametrize(
    ("hangs", "words"),
    [
        (REQUESTS, ["port-forward", "web", ":80"]),
        (PODS, ["port-forward", "web", ":80"]),
        (PODS, EXEC),
        (FORWARD, EXEC),
        (FORWARD, ["logs", "web"]),
    ],
)
def test_ctrl_c_ends_a_verb_whose_way_in_hangs(
    api: ReachApi, tmp_path: Path, hangs: tuple[str, str], words: list[str]
) -> None:
    api.hangs = {hangs, DELETION}
    process = started(api, tmp_path, *words)
    eventually(lambda: api.hanging, PATIENCE, "something hangs")
    assert told_to_end(process, signal.SIGINT) == (0 if words[0] == "port-forward" else 130)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_verb_that_waits_for_a_credential_plugin(
    api: ReachApi, tmp_path: Path, number: signal.Signals
) -> None:
    path = api.kubeconfig(tmp_path)
    config = json.loads(path.read_text(encoding="utf-8"))
    begun = tmp_path / "begun"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", f"touch {begun}; exec sleep 600 >&2 2>/dev/null"],
        "interactiveMode": "Never",
    }
    config["users"] = [{"name": "u", "user": {"exec": plugin}}]
    path.write_text(json.dumps(config), encoding="utf-8")
    environment = {**os.environ, "KUBECONFIG": str(path)}
    process = subprocess.Popen(
        [*TWINHULL, *EXEC], env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        eventually(begun.exists, PATIENCE, "the plugin runs")
        assert told_to_end(process, number) == 128 + number
    finally:
        os.killpg(process.pid, signal.SIGKILL)
