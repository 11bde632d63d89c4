"""What `make test` runs side by side: who waits for a build, and what follows when a step fails."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import run
from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.e2e.operator.test_rights import looked_back_at
from tests.run import Run, Step


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "_LOGS", tmp_path)
    return tmp_path


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def started(lines: list[str]) -> Iterator[Run]:
    started = Run(lines.append)
    yield started
    started.end()


def python(name: str, code: str, *, after: str = "") -> Step:
    return Step(name, (sys.executable, "-c", code), after=after)


def test_after_a_step_that_fails_all_others_go_on(logs: Path, started: Run, lines: list[str]) -> None:
    fails = python("fails", "print('why it failed'); raise SystemExit(3)")

    started.lane((fails, python("later", "")))

    assert started.failed == [fails]
    assert (logs / "fails.log").read_text() == "why it failed\n"
    assert "fails: FAILED" in lines[0]
    assert "later: done" in lines[1]
    assert [line.split(" s  ")[1] for line in started.results] == ["fails FAILED", "later"]


def test_one_run_tells_all_that_is_wrong(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fail = "print('the word of', {!r}); raise SystemExit(1)"
    one, other = (python(name, fail.format(name)) for name in ("one", "other"))
    monkeypatch.setattr(run, "LINT", python("lint", ""))
    monkeypatch.setattr(run, "BUILDS", python("builds", ""))
    monkeypatch.setattr(run, "LANES", ((one, python("after", "")), (other,)))
    with handlers_kept():
        assert run.main() == 1
    output = capfd.readouterr().out
    assert "the word of one\n" in output
    assert "the word of other\n" in output
    assert "after: done" in output
    assert (logs / "after.log").exists()


def test_nothing_goes_on_if_the_linters_find_something(
    logs: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    endless = python("endless", "import time; print('begun', flush=True); time.sleep(600)")
    finds = (
        "import sys, time; from pathlib import Path\n"
        f"log = Path({str(logs / 'endless.log')!r})\n"
        "while not log.exists() or not log.read_text(): time.sleep(0.05)\n"
        "sys.exit('why')"
    )
    monkeypatch.setattr(run, "LINT", python("lint", finds))
    monkeypatch.setattr(run, "BUILDS", python("builds", ""))
    monkeypatch.setattr(run, "LANES", ((endless, python("later", "")),))
    with handlers_kept():
        assert run.main() == 1
    output = capfd.readouterr().out
    assert "why\n" in output
    assert "endless:" not in output
    assert not (logs / "later.log").exists()


@contextmanager
def handlers_kept() -> Iterator[None]:
    """Puts back how SIGTERM was handled."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def test_a_run_that_is_ended_ends_what_runs_and_begins_nothing_else(
    logs: Path, started: Run, lines: list[str]
) -> None:
    endless = python("endless", "import time; print('begun', flush=True); time.sleep(600)")
    lane = threading.Thread(target=started.lane, args=((endless, python("never", "")),), daemon=True)
    lane.start()
    eventually(lambda: "begun" in (logs / "endless.log").read_text(), 30, "the endless one has begun")

    started.end()
    lane.join(PATIENCE)

    assert not lane.is_alive()
    assert started.running == {}
    assert started.failed == []
    assert started.results == []
    assert lines == []
    assert not (logs / "never.log").exists()


@pytest.mark.slow
def test_a_step_waits_until_the_background_has_built_what_it_needs(
    logs: Path, monkeypatch: pytest.MonkeyPatch, started: Run, lines: list[str]
) -> None:
    code = (
        "import time; from pathlib import Path\n"
        f"while not Path({str(logs / 'go')!r}).exists(): time.sleep(0.05)\n"
        "print('Helm: there after 3 s', flush=True); time.sleep(600)"
    )
    builds = python("builds", code)
    monkeypatch.setattr(run, "BUILDS", builds)
    needs = python("needs", "", after="Helm")
    background = threading.Thread(target=started.lane, args=((builds,),), daemon=True)
    background.start()
    eventually(lambda: builds in started.running, 30, "the builds have begun")
    lane = threading.Thread(target=started.lane, args=((needs,),), daemon=True)
    lane.start()
    eventually(lambda: "needs: waiting for the build of Helm" in "".join(lines), 30, "it waits")
    assert not (logs / "needs.log").exists()

    (logs / "go").touch()

    eventually((logs / "needs.log").exists, 30, "it runs")
    lane.join(PATIENCE)
    started.end()
    background.join(PATIENCE)
    assert started.failed == []


def test_a_build_that_fails_is_for_whoever_needs_it_to_tell(
    monkeypatch: pytest.MonkeyPatch, started: Run, lines: list[str]
) -> None:
    builds = python("builds", "print('Velero: go build failed'); raise SystemExit(1)")
    monkeypatch.setattr(run, "BUILDS", builds)

    started.lane((builds, python("later", "")))

    assert started.failed == []
    assert "not everything could be built; whoever needs it says why" in lines[0]
    assert "later: done" in lines[1]


def test_the_last_line_of_pytest_is_told(started: Run, lines: list[str]) -> None:
    started.lane((python("tests", "print('===== 3 passed in 0.12s =====')"),))
    assert re.fullmatch(r"\[ ?\d+:\d\d\] tests: done in \d+ s: 3 passed in 0\.12s", lines[-1])


@pytest.mark.slow
def test_every_test_of_make_test_is_in_one_lane_and_no_other() -> None:
    """By pytest's own collection: what the lanes that select files have together is all there is."""
    lanes = [step for steps in run.LANES for step in steps if "tests/e2e" in " ".join(step.command)]
    collected = [_collected(*step.command[_OPTIONS:]) for step in lanes]
    together = [name for names in collected for name in names]
    assert len(together) == len(set(together))
    assert set(together) == set(_collected("tests/e2e"))


@pytest.mark.slow
def test_the_operators_lane_has_all_that_its_check_of_rights_looks_back_at() -> None:
    """Or that check would be skipped each time."""
    (operator,) = (step for steps in run.LANES for step in steps if step.name == "operator")
    collected = {Path(name).name for name in _collected(*operator.command[_OPTIONS:])}
    assert len(looked_back_at()) > 40
    assert looked_back_at() <= collected


#: `python -m pytest` comes before what is collected.
_OPTIONS = 3


def _collected(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.rpartition(":")[0] for line in done.stdout.splitlines() if line.startswith("tests/")]
