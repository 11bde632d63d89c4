"""A fork of the preloaded process is what Python would be if it had been started for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.preloaded import Preloaded

pytestmark = pytest.mark.slow


def test_each_has_its_own_log_and_environment(preloaded: Preloaded, tmp_path: Path) -> None:
    names = ("one", "other")
    forks = [
        preloaded.start(
            ["run", "--verbose"],
            log=tmp_path / f"{name}.log",
            folder=tmp_path,
            environment={"PATH": os.defpath, "KUBECONFIG": f"/nowhere/{name}"},
        )
        for name in names
    ]
    eventually(lambda: not any(fork.alive() for fork in forks), PATIENCE, "they end without credentials")
    for name in names:
        assert f"the kubeconfig /nowhere/{name} can't be used" in (tmp_path / f"{name}.log").read_text()


def test_it_says_of_a_wrong_option_what_python_would(preloaded: Preloaded, tmp_path: Path) -> None:
    log = tmp_path / "wrong.log"
    fork = preloaded.start(["run", "--wrong"], log=log, folder=tmp_path, environment=os.environ)
    eventually(lambda: not fork.alive(), PATIENCE, "it ends")
    assert log.read_text().startswith("Usage: python -m twinhull run [OPTIONS]\n")


def test_a_verb_reads_prints_and_ends_as_python_would(preloaded: Preloaded) -> None:
    missing = {"apiVersion": "twinhull.dev/v1alpha1", "kind": "Workload", "metadata": {"name": "web"}}
    for arguments, given in ((["validate", "-"], json.dumps(missing)), (["--help"], ""), (["--wrong"], "")):
        command = [sys.executable, "-m", "twinhull", *arguments]
        anew = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        fork = preloaded.run(arguments, given=given, environment=os.environ)
        assert (fork.returncode, fork.stdout, fork.stderr) == (anew.returncode, anew.stdout, anew.stderr)


def test_it_ends_with_the_process_that_it_is_a_fork_of(tmp_path: Path) -> None:
    kubeconfig = {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "clusters": [{"name": "it", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "it", "user": {"token": "nobody asks for it"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    preloaded = Preloaded(tmp_path)
    environment = {**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig")}
    log = tmp_path / "it.log"
    fork = preloaded.start(["run"], log=log, folder=tmp_path, environment=environment)
    eventually(lambda: "starts" in log.read_text(), PATIENCE, "it has begun")
    assert fork.alive()
    preloaded.end()
    eventually(lambda: not fork.alive(), PATIENCE, "it has ended")
