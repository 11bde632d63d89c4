"""What `make test` runs side by side: who waits for a build, and what is ended when a step fails."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from tests import run
from tests.controlplane import eventually
from tests.run import BUILDS, Run, Step


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "_LOGS", tmp_path)
    return tmp_path


def python(name: str, code: str, *, after: str = "") -> Step:
    return Step(name, (sys.executable, "-c", code), after=after)


def test_a_step_that_fails_ends_the_others_and_keeps_its_output(logs: Path) -> None:
    started = Run()
    endless = python("endless", "import time; print('begun', flush=True); time.sleep(60)")
    fails = python("fails", "print('why it failed'); raise SystemExit(3)")
    lane = threading.Thread(target=started.lane, args=((endless,),), daemon=True)
    lane.start()
    eventually(lambda: "begun" in (logs / "endless.log").read_text(), 30, "the endless one has begun")

    started.lane((fails, python("never", "")))
    started.end()
    lane.join(30)

    assert started.failed == fails
    assert (logs / "fails.log").read_text() == "why it failed\n"
    assert not (logs / "never.log").exists()
    assert not lane.is_alive()
    assert started.running == {}


def test_a_step_waits_until_the_background_has_built_what_it_needs(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import time; from pathlib import Path\n"
        f"while not Path({str(logs / 'go')!r}).exists(): time.sleep(0.05)\n"
        "print('Helm: there after 3 s', flush=True); time.sleep(60)"
    )
    builds = python("builds", code)
    monkeypatch.setattr(run, "BUILDS", builds)
    said: list[str] = []
    started, needs = Run(said.append), python("needs", "", after="Helm")
    background = threading.Thread(target=started.lane, args=((builds,),), daemon=True)
    background.start()
    eventually(lambda: builds in started.running, 30, "the builds have begun")
    lane = threading.Thread(target=started.lane, args=((needs,),), daemon=True)
    lane.start()
    eventually(lambda: "needs: waiting for the build of Helm" in "".join(said), 30, "it waits")
    assert not (logs / "needs.log").exists()

    (logs / "go").touch()

    eventually((logs / "needs.log").exists, 30, "it runs")
    lane.join(30)
    started.end()
    background.join(30)
    assert started.failed in {None, builds}


def test_a_build_that_fails_is_for_whoever_needs_it_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    builds = python("builds", "print('Velero: go build failed'); raise SystemExit(1)")
    monkeypatch.setattr(run, "BUILDS", builds)
    started = Run()

    started.lane((builds, python("later", "")))

    assert started.failed is None
    assert BUILDS.name == "builds"


def test_the_last_line_of_pytest_is_told(logs: Path) -> None:
    said: list[str] = []
    started = Run(said.append)
    started.lane((python("tests", "print('===== 3 passed in 0.12s =====')"),))
    assert said[-1].startswith("[ 0:")
    assert said[-1].endswith(" s: 3 passed in 0.12s")
    assert (logs / "tests.log").exists()
