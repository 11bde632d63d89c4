"""How a process ends that is told to, while it waits for what can't be cancelled."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.controlplane.polling import PATIENCE
from tests.terminal import HEARING_SIGHUP
from twinhull.cli import ending
from twinhull.cli.ending import _Told

#: Each starts a process.
pytestmark = pytest.mark.slow
_SCRIPT = """\
import asyncio, atexit, pathlib, sys, time
from twinhull.cli.ending import run
file, until_ended = pathlib.Path(sys.argv[1]), sys.argv[2] == "True"
file.touch()
atexit.register(file.unlink)
async def verb():
    print("begun", flush=True)
    try:
        await asyncio.to_thread(time.sleep, 600)
    finally:
        print("cancelled", flush=True)
run(verb(), until_ended=until_ended)
"""


@pytest.mark.parametrize(
    ("number", "until_ended", "code"),
    [
        (signal.SIGINT, False, 130),
        (signal.SIGTERM, False, 143),
        (signal.SIGHUP, False, 129),
        (signal.SIGINT, True, 0),
        (signal.SIGTERM, True, 0),
        (signal.SIGHUP, True, 129),
    ],
)
def test_a_thread_that_hangs_keeps_no_process(
    tmp_path: Path, *, number: signal.Signals, until_ended: bool, code: int
) -> None:
    file = tmp_path / "key"
    process = subprocess.Popen(
        [*HEARING_SIGHUP, sys.executable, "-c", _SCRIPT, str(file), str(until_ended)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    assert file.exists()
    process.send_signal(number)
    process.send_signal(number)  # the second one changes nothing
    try:
        streams = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert (process.returncode, *streams) == (code, "cancelled\n", "")
    assert not file.exists(), "what Python calls at the end is called"


def test_a_signal_that_comes_while_another_is_handled_keeps_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Interrupted(list[int]):
        def append(self, code: int) -> None:
            if not self:
                super().append(code)  # as the other signal's handler has
            super().append(code)

    arguments: list[list[int]] = []

    class Timer:
        def __init__(self, _: float, __: object, codes: list[int]) -> None:
            arguments.append(codes)

        def start(self) -> None:
            pass

    async def verb() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(1)

    monkeypatch.setattr(threading, "Timer", Timer)
    monkeypatch.setattr(ending, "_Told", lambda until_ended: _Told(until_ended, Interrupted()))
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as end:
            ending.run(verb())
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    assert (end.value.code, arguments) == (130, [[130]])


def test_a_process_that_ignores_sighup_goes_on_ignoring_it() -> None:
    script = (
        "import asyncio, os, signal\n"
        "from twinhull.cli.ending import end_with\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "async def verb():\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    await asyncio.sleep(0)\n"
        "    return 7\n"
        "end_with(verb())\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=PATIENCE).returncode == 7
