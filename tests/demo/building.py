"""The builds of the first demo, which go on in the background, and how long they will still take."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.controlplane import build
from tests.controlplane.polling import eventually
from tools.gobuild import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.demo.printer import Printer

#: Seconds that each program takes to build on two idle processors, after those before it.
SECONDS: Mapping[str, float] = {
    "etcd": 50,
    "kube-apiserver": 190,
    "kube-controller-manager": 110,
    "kube-scheduler": 12,
    "kubectl": 38,
    "kwok": 45,
    "virt-api": 80,
    "virt-controller": 20,
    "kubevirt-manifests": 5,
    "cdi-manifests": 5,
}
#: For how many of the table's seconds the table counts as much as what is seen: the first program may be
#: small, and is built while sources are downloaded.
TRUST = 120.0
_HOURS = 4 * 3600.0  # seconds, after which the wait for a build ends
_SAY_EVERY = 30.0  # seconds
#: The part of the estimate that is still said to be left when its time is over.
_AT_LEAST = 0.1


@dataclass
class Estimate:
    """How long the rest takes, from the table and from how long it has taken so far."""

    #: The programs that are to be built.
    wanted: tuple[str, ...]
    #: When that began, in seconds of a monotonic clock.
    began: float
    #: How many of the table's seconds are done, since when, and how long such a second takes here.
    _done: float = 0.0
    _at: float = field(init=False)
    _pace: float = 1.0

    def __post_init__(self) -> None:
        self._at = self.began

    def left(self, built: set[str], now: float) -> float:
        """Seconds until all is built, as far as one can tell. `built` are those that are done by `now`."""
        done = sum(SECONDS[name] for name in self.wanted if name in built)
        rest = sum(SECONDS[name] for name in self.wanted) - done
        if done > self._done:
            self._done, self._at, self._pace = done, now, (now - self.began + TRUST) / (done + TRUST)
        # Programs of one module are done at once: how far they are, only the time since the last one tells.
        return max(rest * self._pace - (now - self._at), rest * self._pace * _AT_LEAST)


@dataclass
class Building:
    """The process that builds, and its log."""

    estimate: Estimate
    log: Path
    process: subprocess.Popen[bytes]
    _said: float = field(default_factory=time.monotonic)

    def wait(self, printer: Printer) -> None:
        """Waits until all is built, and says how it goes. Raises BuildError."""

        def done() -> bool:
            if self.process.poll() is not None:
                return True
            if time.monotonic() - self._said > _SAY_EVERY:
                self._said = time.monotonic()
                printer.say(self._state())
            return False

        eventually(done, _HOURS, "the control plane's programs are built", interval=1)
        if self.process.returncode:
            raise BuildError(self.log.read_text(encoding="utf-8", errors="replace")[-4000:].strip())

    def _state(self) -> str:
        if waits := self._waits():
            return f"… {waits}"
        built = {name for name in self.estimate.wanted if build.is_built(name)}
        now = time.monotonic()
        minutes = self.estimate.left(built, now) / 60
        rest = [name for name in self.estimate.wanted if name not in built]
        about = f"about {minutes:.0f} min" if minutes >= 1.5 else "about a minute"
        spent = (now - self.estimate.began) / 60
        done = f"{len(built)} of {len(built) + len(rest)} programs after {spent:.1f} min"
        return f"… {done}, {about} left; now {', '.join(rest[:4])}"

    def _waits(self) -> str:
        """What the builds wait for, if it is for another process."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines and lines[-1].startswith("waiting") else ""


@contextmanager
def in_background(folder: Path) -> Iterator[Building | None]:
    """Builds what of the control plane isn't in the cache, or None if all is; ends that when it is left."""
    missing = tuple(name for name in SECONDS if not build.is_built(name))
    if not missing:
        yield None
        return
    log = folder / "builds.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.builds", "control-plane"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield Building(Estimate(missing, time.monotonic()), log, process)
    finally:
        process.terminate()
        process.wait()
