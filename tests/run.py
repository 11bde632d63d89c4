"""python -m tests.run: what `make test` runs, side by side: what waits leaves the processors to others.

Everything that has to be built is built in the background (tests.builds), and several lanes of steps go on
beside each other. What a step prints is in .venv/test/<step>.log; the operator's tests are shown as they go.
When a step fails, the others go on all the same, so that one run tells all that is wrong; the logs of those
that failed are shown at the end. Only the linters end all others by failing: they take a minute, and whoever
mends what they find would have to run all of it again.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click

from tests.builds import MACHINES

_ROOT = Path(__file__).parents[1]
_LOGS = _ROOT / ".venv" / "test"
_PYTEST = (sys.executable, "-m", "pytest", "--durations=15", "--durations-min=5")
_OPERATOR = "tests/e2e/operator"
_VERBS = "tests/e2e/verbs"
#: Of those who wait for a processor, what computes all the time comes after tests that have deadlines; but
#: not where the kernel shares processors among sessions (sched(7), autogrouping).
_NICENESS = 5
_GRACE = 15.0  # seconds between SIGTERM and SIGKILL
#: pytest's own last line: `=== 349 passed in 12.3s ===`.
_SUMMARY = re.compile(r"^=+ (.* in [0-9.]+s.*?) =+$", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """A command of a lane."""

    #: What it is called.
    name: str
    #: The command and its arguments.
    command: tuple[str, ...]
    #: Whether it computes all the time, so that others come first.
    computes: bool = False
    #: What the background builds before it, by its name; without it a step would have this built too early.
    after: str = ""
    #: Whether its output is shown as it goes.
    shown: bool = False

    @property
    def log(self) -> Path:
        """Where its output is."""
        return _LOGS / f"{self.name.replace(' ', '-')}.log"


def _make(target: str) -> Step:
    return Step(target, ("make", "--no-print-directory", target), computes=True)


def _ignoring(*paths: str) -> tuple[str, ...]:
    return tuple(f"--ignore={path}" for path in paths)


#: Tests that start control planes of their own, one after the other, and use no other.
OWN_PLANES = (
    "tests/e2e/cdi",
    f"{_OPERATOR}/test_older_kubernetes.py",
    f"{_OPERATOR}/test_without_kubevirt.py",
    "tests/e2e/test_chart_installed.py",
    "tests/e2e/test_upgrade.py",
)
#: If it fails, nothing else goes on.
LINT = _make("lint")
BUILDS = Step("builds", (sys.executable, "-m", "tests.builds"))
LANES = (
    (
        # One of them, test_rights.py, looks back at all of these: they can't be divided.
        Step(
            "operator",
            (*_PYTEST, _OPERATOR, *_ignoring(f"{_OPERATOR}/situations", *OWN_PLANES)),
            shown=True,
        ),
    ),
    (
        Step(
            "attacks and chart",
            (
                *_PYTEST,
                "tests/e2e",
                "--ignore-glob=*/e2e/operator/test_*.py",
                *_ignoring(*OWN_PLANES, _VERBS),
            ),
        ),
    ),
    (
        # On one of its own, so that the longest lane, the operator's, is shorter; and first, since the last
        # of the others wait for what is built last.
        Step("verbs", (*_PYTEST, _VERBS)),
        Step("other control planes", (*_PYTEST, *OWN_PLANES)),
    ),
    (
        _make("unit"),
        _make("test-agent"),
        _make("docs"),
        # Machines come last: one that is starved computes more, since who waits for it asks it more often.
        Step("image", (sys.executable, "-m", "guest.image", "build"), computes=True, after=MACHINES.name),
        Step("guest", (*_PYTEST, "tests/guest", "-m", "guest_quick"), computes=True),
        Step("nodes", (sys.executable, "-m", "tests.node", "-m", "node_quick"), computes=True),
        Step("generated files", ("make", "--no-print-directory", "check-generated"), after="Helm"),
    ),
)


class Ended(Exception):
    """The run has been ended; the message is the step that isn't run any more."""


@dataclass
class Run:
    """The steps that have been started, and what came of them."""

    tell: Callable[[str], None] = click.echo
    began: float = field(default_factory=time.monotonic)
    running: dict[Step, subprocess.Popen[bytes]] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    failed: list[Step] = field(default_factory=list)
    ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def run(self, step: Step) -> None:
        """Runs a step to its end, and keeps what came of it. Raises Ended if all of it has been ended."""
        began = time.monotonic()
        process = self._start(step)
        code = process.wait()
        took = time.monotonic() - began
        with self._changed:
            del self.running[step]
            self._changed.notify_all()
            if self.ended:
                raise Ended(step.name)
            if code and step is BUILDS:
                self.say(f"not everything could be built; whoever needs it says why ({step.log})")
                return
            if code:
                self.failed.append(step)
            self.results.append(f"{took:6.0f} s  {step.name}{' FAILED' if code else ''}{_summary(step)}")
            self.say(f"{step.name}: {'FAILED' if code else 'done'} in {took:.0f} s{_summary(step)}")

    def lane(self, steps: tuple[Step, ...]) -> None:
        """Runs steps one after the other, also after one that fails."""
        with suppress(Ended):
            for step in steps:
                self._wait_for_build(step)
                self.run(step)

    def end(self) -> None:
        """Ends all that still runs, and lets nothing else begin."""
        with self._changed:
            self.ended = True
            running = list(self.running.values())
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in running:
                _signal(process, number)
            deadline = time.monotonic() + _GRACE
            for process in running:
                try:
                    process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    continue

    def say(self, text: str) -> None:
        """A line with the time since the beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        self.tell(f"[{minutes:2}:{seconds:02}] {text}")

    def _start(self, step: Step) -> subprocess.Popen[bytes]:
        niceness = ("nice", "-n", str(_NICENESS)) if step.computes else ()
        with self._changed:
            if self.ended:
                raise Ended(step.name)
            # A session of its own, so that all that it starts can be ended with it.
            with step.log.open("wb") as log:
                process = subprocess.Popen(
                    [*niceness, *step.command],
                    cwd=_ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=None if step.shown else log,
                    stderr=None if step.shown else subprocess.STDOUT,
                    start_new_session=True,
                )
            self.running[step] = process
        return process

    def _wait_for_build(self, step: Step) -> None:
        """Until the background has built what the step needs, or has ended."""
        if not step.after:
            return
        announced = False
        while not re.search(rf"^{re.escape(step.after)}: ", _text(BUILDS.log), re.MULTILINE):
            with self._changed:
                if self.ended or BUILDS not in self.running:
                    return
                if not announced:
                    self.say(f"{step.name}: waiting for the build of {step.after} ({BUILDS.log})")
                    announced = True
                self._changed.wait(1)


def main() -> int:
    """All of it; the exit status."""
    _LOGS.mkdir(parents=True, exist_ok=True)
    run = Run()
    with _ended_by_signals(run):
        _side_by_side(run)
    for step in run.failed:
        click.echo(f"\n# FAILED: {step.name} ({' '.join(step.command)})")
        click.echo("its output is above" if step.shown else _text(step.log))
    run.say(f"{'failed' if run.failed else 'all of it passed'}; each step took:")
    click.echo("\n".join(run.results))
    return 1 if run.failed else 0


def _side_by_side(run: Run) -> None:
    builds = threading.Thread(target=run.lane, args=((BUILDS,),), daemon=True)
    lanes = [threading.Thread(target=run.lane, args=(steps,), daemon=True) for steps in LANES]
    lanes.append(threading.Thread(target=_lint, args=(run,), daemon=True))
    builds.start()
    while BUILDS not in run.running and builds.is_alive():
        time.sleep(0.01)
    for lane in lanes:
        lane.start()
    run.say(f"the operator's tests follow; all others are in {_LOGS}")
    for lane in lanes:
        lane.join()


def _lint(run: Run) -> None:
    run.lane((LINT,))
    if LINT in run.failed:
        run.end()


@contextmanager
def _ended_by_signals(run: Run) -> Iterator[None]:
    """Ends all that runs when this is left, also by a signal."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        run.end()
        sys.exit("interrupted")
    finally:
        run.end()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Sends it to a step and all that the step has started in its session."""
    if process.poll() is None:
        with suppress(ProcessLookupError):  # it has just ended
            os.killpg(process.pid, number)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def _summary(step: Step) -> str:
    found = _SUMMARY.findall(_text(step.log))
    return f": {found[-1]}" if found else ""


if __name__ == "__main__":
    sys.exit(main())
