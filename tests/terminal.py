"""A pseudo-terminal, with what a person types into it and sees on it."""

from __future__ import annotations

import os
import pty
import subprocess
import termios
import threading

from tests.controlplane.polling import PATIENCE

#: Has a command hear SIGHUP, which tests that `nohup` has started ignore, and so what they start. env(1).
HEARING_SIGHUP = ("env", "--default-signal=HUP")


class Terminal:
    """A pseudo-terminal with a command in it."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.ours, self.theirs = pty.openpty()
        #: Its settings before the command began.
        self.settings = termios.tcgetattr(self.theirs)
        self.process = subprocess.Popen(
            [*HEARING_SIGHUP, *command],
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        #: What the command has printed on the terminal, and on its standard error, which is none.
        self.seen, self.errors = b"", b""
        self._is_open = True
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._listen)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        try:
            while data := os.read(self.ours, 1 << 16):
                self.seen += data
        except OSError:  # the other end is closed
            return

    def _listen(self) -> None:
        assert self.process.stderr is not None
        while data := self.process.stderr.read1():  # type: ignore[attr-defined]
            self.errors += data

    def type(self, keys: bytes) -> None:
        """Types keys."""
        os.write(self.ours, keys)

    @property
    def is_raw(self) -> bool:
        """Whether the command gets each key as it is typed."""
        return not termios.tcgetattr(self.theirs)[3] & termios.ECHO

    def ends(self) -> int:
        """Its exit code; the terminal is as it was before."""
        code = self.process.wait(PATIENCE)
        assert termios.tcgetattr(self.theirs) == self.settings, "the terminal isn't as before"
        self.close()
        return code

    def close(self) -> None:
        """Ends the command, if it still runs, and the terminal; what it has printed is known then."""
        if not self._is_open:  # its descriptors may be others' by now
            return
        self._is_open = False
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.theirs)
        for thread in self._threads:
            thread.join(PATIENCE)
        os.close(self.ours)
        if self.process.stderr:
            self.process.stderr.close()
