"""What can go wrong on the way into a hull."""

from __future__ import annotations

import re

#: What runtimes say of a program that isn't there.
_MISSING_PROGRAM = re.compile(
    r"executable file .*not found|exec: \S+ stat .*no such file|error finding executable"
    r"|No such file or directory \(os error 2\)"
)


class ReachError(Exception):
    """There is no way in, or what was asked for there failed. The message says why, and what to do."""


class EntryError(ReachError):
    """There is no way in, or what was asked for is refused. `status` is HTTP's, 0 if there was no answer."""

    def __init__(self, message: str, status: int = 0, *, of_api_server: bool = False) -> None:
        super().__init__(message)
        self.status = status
        #: Whether the API server says it. What a guest says may imitate that.
        self.of_api_server = of_api_server


class NoContainersError(EntryError):
    """The Workload runs in a machine without containers."""


class PortForwardError(ReachError):
    """The other end couldn't connect to the port. The message is its own."""


class RemoteCommandError(ReachError):
    """The command couldn't be run, or the connection to it was lost."""

    @property
    def is_missing_program(self) -> bool:
        """Whether the container has no such program, by what runc, crun, runsc and Kata say."""
        return bool(_MISSING_PROGRAM.search(str(self)))
