"""Starts the control plane's programs, waits for them, and knows which have died."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import urllib3

from tests.controlplane import process
from tests.controlplane.polling import eventually
from tests.controlplane.process import ComponentDied, Process
from tests.controlplane.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_READY = 600.0  # seconds; they take one to ten, unless the machine is busy with something else
_RESTARTS = 4


@dataclass(frozen=True)
class Launch:
    """How a process is started, and the words in its log that make it worth another try when it dies."""

    name: str
    program: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    retry_on: str = ""


@dataclass
class Supervisor:
    """The processes of one control plane, with their logs, in `folder`."""

    folder: Path
    programs: dict[str, Path]
    tied: bool
    say: Callable[[str], None]
    _began: float = field(default_factory=time.monotonic)
    _running: dict[str, tuple[Launch, Process]] = field(default_factory=dict)
    _restarts: int = 0
    _ready_at: float = 0.0

    @classmethod
    def of(cls, folder: Path, state: State, say: Callable[[str], None]) -> Supervisor:
        """That of a control plane which another process has started in `folder`."""
        running = {process.name: (Launch(process.name, "", ()), process) for process in state.processes}
        programs = {"kubectl": state.kubectl}
        return cls(folder, programs, tied=False, say=say, _running=running, _ready_at=state.ready_at)

    @property
    def ready_at(self) -> float:
        """When all was started that should be, in seconds since 1970; 0 until then."""
        return self._ready_at

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes, in the order of their start."""
        return tuple(process for _, process in self._running.values())

    def progress(self, what: str) -> None:
        """Says what has come to pass, and how long that is after the start of it all."""
        self.say(f"{time.monotonic() - self._began:6.1f} s  {what}")

    def start(self, launch: Launch) -> None:
        """Starts a program; `ready` must follow."""
        # A clean environment: what a user has there (proxies, a kwok.yaml at home, TMPDIR) is none of theirs.
        # GOGC at twice its default spares a fifth of the CPU time until all is ready, for 300 MB more memory.
        home = str(self.folder / "home")
        variables = {"PATH": os.defpath, "HOME": home, "TMPDIR": home, "GOGC": "200"}
        started = process.start(
            launch.name,
            [self.programs[launch.program], *launch.arguments],
            log=self.folder / "logs" / f"{launch.name}.log",
            folder=self.folder,
            environment={**variables, **launch.environment},
            tied=self.tied,
        )
        self._running[launch.name] = launch, started
        self._save()

    def ready(self, checks: Mapping[str, Callable[[], object]]) -> None:
        """Waits until every check gives something true, and says when each did."""
        waiting = dict(checks)

        def all_ready() -> bool:
            for name in [name for name, check in waiting.items() if check()]:
                del waiting[name]
                self.progress(f"{name} ready")
            assert not waiting, f"waiting for {', '.join(waiting)}"
            return True

        eventually(all_ready, _READY, f"{', '.join(checks)} ready", alive=self.check)

    def check(self) -> None:
        """Raises ComponentDied, with the end of its log, for a dead process that isn't worth another try."""
        for launch, started in list(self._running.values()):
            if started.alive():
                continue
            death = started.obituary()
            if not launch.retry_on or launch.retry_on not in death or self._restarts == _RESTARTS:
                raise ComponentDied(death)
            self._restarts += 1
            self.progress(f'{launch.name} died of "{launch.retry_on}": starting it again')
            self.start(launch)

    def stop(self) -> None:
        """Ends every process and waits until all are gone."""
        process.stop(self.processes)
        self._running.clear()
        self._save()

    def complete(self) -> None:
        """Notes that all has been started that should be."""
        self._ready_at = time.time()
        self._save()
        self.progress("all of it ready")

    def _save(self) -> None:
        ready, kubectl = bool(self._ready_at), self.programs["kubectl"]
        State(self.processes, kubectl, ready, self._ready_at).save(self.folder)


def answers(url: str, authority: Path | None = None) -> bool:
    """Whether the health endpoint at `url` says that all is well."""
    ca = str(authority) if authority else None
    try:
        with urllib3.PoolManager(ca_certs=ca, retries=False, timeout=30) as pool:
            return pool.request("GET", url).status == 200
    except urllib3.exceptions.HTTPError:
        return False
