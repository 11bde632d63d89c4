"""Processes in the background: told apart by pid and start time, stopped for sure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.controlplane.polling import eventually, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
_LOG_LINES = 15
_PANICS = ("panic: ", "fatal error: ")
_GRACE = 3.0  # seconds between SIGTERM and SIGKILL


class ComponentDied(Exception):
    """A process that should run is gone; the message has the end of its log."""


@dataclass(frozen=True)
class Process:
    """A started process.

    A pid alone may by now be another's; `started` (clock ticks since boot) makes it certain.
    """

    name: str
    pid: int
    started: int
    log: Path

    def alive(self) -> bool:
        """Whether it still runs. A zombie doesn't; a zombie of ours is buried."""
        state = _stat(self.pid)
        if state == ("dead", self.started):
            with suppress(ChildProcessError):  # another's child
                os.waitpid(self.pid, os.WNOHANG)
        return state == ("runs", self.started)

    def signal(self, number: signal.Signals) -> None:
        """Sends the signal, if the process is still this one."""
        if self.alive():
            with suppress(ProcessLookupError):  # ended just now
                os.kill(self.pid, number)

    def processor_seconds(self) -> float:
        """How much of a processor it has used so far, which other work on this machine doesn't change; 0 once
        it has ended. proc_pid_stat(5), utime and stime.
        """
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return 0
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_memory(self) -> float:
        """How many MiB of memory it has had at most, as long as it is alive. proc_pid_status(5), VmHWM."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8", errors="replace")
        peak = next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM:"))
        return int(peak) / 1024

    def obituary(self) -> str:
        """That it died, and its last words."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        panics = [number for number, line in enumerate(lines) if line.startswith(_PANICS)]
        # What follows a panic's first lines are the stacks of all goroutines.
        lines = lines[panics[-1] :][:_LOG_LINES] if panics else lines[-_LOG_LINES:]
        words = "\n".join(f"  | {line}" for line in lines) or "  | (it said nothing)"
        return f"{self.name} died; the end of {self.log}:\n{words}"


def start(  # noqa: PLR0913 - what a process consists of
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    folder: Path,
    environment: Mapping[str, str],
    tied: bool,
    inherited: tuple[int, ...] = (),
) -> Process:
    """Starts the command in a session of its own, its output appended to `log`. It keeps the `inherited`
    file descriptors.

    A tied process dies with this one. The kernel ties it to the thread that starts it, so that must be the
    main one.
    """
    arguments = [str(argument) for argument in command]
    if tied:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"{name} would die with this thread: start it from the main thread")
        arguments = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *arguments]
    with log.open("ab") as output:
        child = subprocess.Popen(
            arguments,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=inherited,
        )
    # From here on it is known by pid and start time alone, as it is to a later `down`, and Process.alive()
    # buries it; an exit code in the handle keeps Popen from warning that it still runs.
    child.returncode = 0
    return just_started(name, child.pid, log)


def just_started(name: str, pid: int, log: Path) -> Process:
    """A process that has been started just now. Raises ComponentDied if there is none any more."""
    state = _stat(pid)
    if state is None:
        raise ComponentDied(f"{name} died at once; its log is {log}")
    return Process(name, pid, state[1], log)


def check(processes: Iterable[Process]) -> None:
    """Raises ComponentDied for the first of these that is dead."""
    for process in processes:
        if not process.alive():
            raise ComponentDied(process.obituary())


def stop(processes: Sequence[Process]) -> None:
    """Ends them, the last started first, and waits until all are gone.

    An apiserver with open watches takes up to a minute to end on SIGTERM: after a few seconds it is SIGKILL.
    """
    backwards = list(reversed(processes))
    for process in backwards:
        process.signal(signal.SIGTERM)
    if not within(_GRACE, lambda: not any(p.alive() for p in backwards)):
        for process in backwards:
            process.signal(signal.SIGKILL)
        eventually(lambda: not any(p.alive() for p in backwards), 30, "the processes end on SIGKILL")


def _stat(pid: int) -> tuple[str, int] | None:
    """("runs" or "dead", start time in clock ticks since boot) of a process; None when there is none.

    Dead is a zombie without threads: the first thread can be a zombie while others still hold the ports.

    proc_pid_stat(5): field 3 is the state, field 22 the start time; field 2, the name, is in parentheses
    and may itself hold spaces and parentheses.
    """
    folder = Path(f"/proc/{pid}")
    try:
        fields = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        dead = fields[0] in {"Z", "X"} and len(list((folder / "task").iterdir())) == 1
    except (FileNotFoundError, ProcessLookupError):
        return None
    return ("dead" if dead else "runs"), int(fields[19])
