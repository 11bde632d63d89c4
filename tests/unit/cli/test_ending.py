"""How a process ends that is told to, while it waits for what can't be cancelled."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.controlplane.polling import PATIENCE
from tests.terminal import HEARING_SIGHUP

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
