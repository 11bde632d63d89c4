"""`twinhull wait`: how it ends, and when."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.controlplane.polling import PATIENCE
from tests.unit.cli.reachapi import ReachApi
from tests.unit.cli.watchapi import WatchApi
from tests.unit.reach.virtapi import VirtApi, beside
from twinhull.cli import main, waiting


def conditions(**by_kind: tuple[str, str]) -> dict[str, Any]:
    listed = [
        {"type": kind, "status": status, "reason": reason, "message": f"said {reason}"}
        for kind, (status, reason) in by_kind.items()
    ]
    return {"observedGeneration": 1, "conditions": listed}


@contextmanager
def serving(api: VirtApi, folder: Path) -> Iterator[Path]:
    with beside(api):
        yield api.kubeconfig(folder)


def wait(kubeconfig: Path, line: str) -> Result:
    return CliRunner().invoke(main, ["wait", *line.split()], env={"KUBECONFIG": str(kubeconfig)})


def test_what_is_stalled_beside_what_is_ready_is_a_warning(tmp_path: Path) -> None:
    api = WatchApi()
    beside_it = conditions(Ready=("True", "Ready"), Stalled=("True", "NameConflict"))
    api.put("workloads", "web", status=beside_it)
    with serving(api, tmp_path) as kubeconfig:
        for line, title in (
            ("web", "ready"),
            ("web --for=condition=Ready", "as asked: condition Ready is T"),
        ):
            ended = wait(kubeconfig, line)
            assert ended.exit_code == 0
            assert ended.stdout.startswith(f"Workload web is {title}")
            assert ended.stderr.startswith(f"Warning: Workload web is {title}")
            assert ended.stderr.endswith(", but it is Stalled (NameConflict): said NameConflict\n")


def test_what_is_ready_but_isnt_as_the_spec_asks_is_told_so(tmp_path: Path) -> None:
    api = WatchApi()
    same = ("True", "DiskShrinks")
    api.put("workloads", "web", status=conditions(Ready=same, Stalled=same))
    with serving(api, tmp_path) as kubeconfig:
        ended = wait(kubeconfig, "web")
    assert (ended.exit_code, ended.stdout) == (3, "")
    assert ended.stderr == (
        "Error: Workload web can't become ready any more: the hull that runs is Ready, but not as the spec "
        "asks: it "
        "is Stalled (DiskShrinks): said DiskShrinks\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "who"),
    [
        ("web --timeout=200ms", "Workload web"),
        ("web db --timeout=200ms --for=stopped", "Workloads web, db"),
        ("web --timeout=200ms --for=deleted", "Workload web"),
        ("-l a=b --timeout=200ms", "the Workloads with the labels a=b"),
        ("-l a=b --timeout=200ms --for=deleted", "the Workloads with the labels a=b"),
        ("web --timeout=0", "Workload web"),
    ],
)
def test_an_api_server_that_hangs_doesnt_hold_it_beyond_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, who: str
) -> None:
    monkeypatch.setattr(waiting, "_LOOK", 0.2)
    api = ReachApi()
    api.hangs = {("GET", "/workloads"), ("GET", "/workloads/web")}
    with serving(api, tmp_path) as kubeconfig:
        ended = wait(kubeconfig, line)
    assert (ended.exit_code, ended.stdout) == (4, "")
    assert ended.stderr.startswith(f"Error: {who}: the API server hasn't answered within 0.2 s")


def test_the_first_answers_are_within_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[float] = []

    async def waited(_: object, __: object, ___: float, deadline: float) -> waiting.Exit:
        left.append(deadline - asyncio.get_running_loop().time())
        return waiting.Exit.DONE

    monkeypatch.setattr(waiting, "wait", waited)
    with serving(ReachApi(), tmp_path) as kubeconfig:
        assert wait(kubeconfig, "web --timeout=1h").exit_code == 0
    assert left[0] < 3600


@pytest.mark.slow
def test_a_credential_plugin_that_hangs_doesnt_hold_it_beyond_its_time(tmp_path: Path) -> None:
    api = ReachApi()
    with serving(api, tmp_path) as kubeconfig:
        made = json.loads(kubeconfig.read_text(encoding="utf-8"))
        plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["3600"]}
        made["users"][0]["user"] = {"exec": {**plugin, "interactiveMode": "Never"}}
        kubeconfig.write_text(json.dumps(made), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "twinhull", "wait", "web", "--timeout=200ms"],
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.wait(PATIENCE) == 4
        finally:
            os.killpg(process.pid, signal.SIGKILL)  # the plugin, too
            _, stderr = process.communicate()
    assert stderr == "Error: Workload web: no login within 0.2 s: see to the credential plugin\n"


def test_it_may_wait_for_longer_than_a_thread_may(tmp_path: Path) -> None:
    api = WatchApi()
    api.put("workloads", "web", status=conditions(Ready=("True", "Ready")))
    with serving(api, tmp_path) as kubeconfig:
        ended = wait(kubeconfig, "web --timeout=9999999h")
    assert (ended.exit_code, ended.output) == (0, "Workload web is ready\n")


def test_what_isnt_there_is_deleted_if_the_cluster_has_the_kind(tmp_path: Path) -> None:
    api = WatchApi()
    with serving(api, tmp_path) as kubeconfig:
        ended = wait(kubeconfig, "web --for=deleted")
        assert (ended.exit_code, ended.stdout) == (0, "Workload web is deleted\n")


@pytest.mark.parametrize(
    "line", ["web --for=deleted", "web db --for=delete --timeout=0", "-l a=b --for=deleted"]
)
def test_a_cluster_without_the_kind_is_an_error(tmp_path: Path, line: str) -> None:
    with serving(VirtApi(), tmp_path) as kubeconfig:
        ended = wait(kubeconfig, line.replace("web", "none"))
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "the cluster has no Workloads: its API server doesn't serve them" in ended.stderr
