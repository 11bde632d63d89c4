"""A fork of the preloaded operator is what Python would be if it had been started for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.preloaded import Preloaded

pytestmark = pytest.mark.slow


@pytest.fixture
def preloaded(tmp_path: Path) -> Iterator[Preloaded]:
    started = Preloaded(tmp_path)
    yield started
    started.end()


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
