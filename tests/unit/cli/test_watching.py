"""Verbs that go on over the loss of their connection, as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.unit.cli.watchapi import WatchApi
from tests.unit.reach.virtapi import beside

#: Each starts processes.
pytestmark = pytest.mark.slow
LOST, BACK = "The connection to the API server was lost, and is tried again", "to the API server is back"
READY = {"conditions": [{"type": "Ready", "status": "True", "reason": "Ready"}], "observedGeneration": 1}


@pytest.fixture
def api() -> Iterator[WatchApi]:
    made = WatchApi()
    with beside(made):
        yield made


class Verb:
    """A verb, and what it prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.out: list[str] = []
        self.errors: list[str] = []
        self._threads = [
            Thread(target=self._read, args=pair)
            for pair in ((process.stdout, self.out), (process.stderr, self.errors))
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _read(lines: Iterator[str], into: list[str]) -> None:
        into.extend(iter(lines))

    def ends(self) -> int:
        """Its exit code. All that it has printed is known then."""
        code = self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code

    def prints(self, *words: str) -> None:
        """Wait for a line with these words."""
        self._has(lambda: self.out, *words)

    def tells(self, *words: str) -> None:
        """Wait for a line with these words on the standard error."""
        self._has(lambda: self.errors, *words)

    @staticmethod
    def _has(lines: Callable[[], list[str]], *words: str) -> None:
        def found() -> bool:
            return any(all(word in line for word in words) for line in lines())

        eventually(found, PATIENCE, f"a line has {words}")


@contextmanager
def started(api: WatchApi, folder: Path, *words: str) -> Iterator[Verb]:
    process = subprocess.Popen(
        [sys.executable, "-m", "twinhull", *words],
        env={**os.environ, "KUBECONFIG": str(api.kubeconfig(folder)), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    verb = Verb(process)
    try:
        yield verb
    finally:
        process.kill()
        verb.ends()


def rows(verb: Verb) -> list[list[str]]:
    """The names and reasons that were printed."""
    return [[line.split()[0], line.split()[2]] for line in verb.out[1:]]


def test_list_goes_on_and_repeats_nothing(api: WatchApi, tmp_path: Path) -> None:
    for name in ("web", "db", "same"):
        api.put("workloads", name, status=READY)
    with started(api, tmp_path, "list", "--watch") as verb:
        verb.prints("web", "Ready")
        eventually(lambda: api.open, PATIENCE, "it watches")
        assert rows(verb) == [["db", "Ready"], ["same", "Ready"], ["web", "Ready"]]
        api.is_down = True
        verb.tells(LOST)
        api.delete("workloads", "db")
        api.put("workloads", "web", status={"conditions": [{"type": "Ready", "reason": "Stopping"}]})
        api.forget()
        api.is_down = False
        verb.tells(BACK)
        verb.prints("web", "Stopping")
        api.put("workloads", "same", status={"conditions": [{"type": "Ready", "reason": "Changing"}]})
        verb.prints("same", "Changing")
        verb.process.terminate()
        assert verb.ends() == 143
    assert rows(verb)[3:] == [["db", "Deleted"], ["web", "Stopping"], ["same", "Changing"]]
    assert len(verb.errors) == 2


def test_events_go_on_and_repeat_nothing(api: WatchApi, tmp_path: Path) -> None:
    api.put("workloads", "web", status=READY)

    def tell(name: str, message: str) -> None:
        about = {"kind": "Workload", "name": "web", "uid": "web"}
        api.put("events", name, involvedObject=about, type="Normal", reason="Told", message=message)

    tell("one", "before")
    api.put("events", "other", involvedObject={"kind": "Pod", "name": "x"}, message="of another")
    with started(api, tmp_path, "events", "web", "--watch") as verb:
        eventually(lambda: api.open, PATIENCE, "it watches")
        api.is_down = True
        verb.tells(LOST)
        tell("two", "during it")
        api.is_down = False
        verb.tells(BACK)
        verb.prints("during it")
        tell("three", "after it")
        verb.prints("after it")
        verb.process.terminate()
        assert verb.ends() == 143
    assert [line.split("workload/web")[1].strip() for line in verb.out[1:]] == [
        "before",
        "during it",
        "after it",
    ]
    assert len(verb.errors) == 2


def test_status_goes_on(api: WatchApi, tmp_path: Path) -> None:
    api.put("workloads", "web", status=READY)
    with started(api, tmp_path, "status", "web", "--watch", "-o", "json") as verb:
        verb.prints('"resourceVersion":"101"')
        api.is_down = True
        verb.tells(LOST)
        api.put("workloads", "web", status=READY)
        api.is_down = False
        verb.tells(BACK)
        verb.prints('"resourceVersion":"102"')
        api.delete("workloads", "web")
        assert verb.ends() == 2
    assert len(verb.out) == 2
    assert "there is no Workload web" in verb.errors[2]


def test_wait_goes_on(api: WatchApi, tmp_path: Path) -> None:
    api.put("workloads", "web", status={})
    with started(api, tmp_path, "wait", "web", "--for=deleted", "--timeout=1h") as verb:
        eventually(lambda: api.open, PATIENCE, "it watches")
        api.is_down = True
        verb.tells(LOST)
        api.delete("workloads", "web")
        api.is_down = False
        assert verb.ends() == 0
    assert [line for line in verb.errors if BACK in line]
    assert verb.out == ["Workload web is deleted\n"]


@pytest.mark.parametrize("line", ["list --watch", "events web --watch", "status web --watch", "wait web"])
def test_an_api_server_that_never_answers_is_no_lost_connection(
    api: WatchApi, tmp_path: Path, line: str
) -> None:
    api.is_down = True
    with started(api, tmp_path, *line.split()) as verb:
        assert verb.ends() == (2 if line.startswith("status") else 1)
    assert LOST not in "".join(verb.errors)
    assert "doesn't answer" in "".join(verb.errors)
