"""The errors on the way into a hull."""

from __future__ import annotations

import re

#: The words of runtimes for a program that doesn't exist.
_MISSING_PROGRAM = re.compile(
    r"executable file .*not found|exec: \S+ stat .*no such file|error finding executable"
    r"|No such file or directory \(os error 2\)"
)


class ReachError(Exception):
    """There is no way into the hull, or a request there failed. The message says why, and what to do."""


class EntryError(ReachError):
    """There is no way into the hull, or a request is refused. `status` is the HTTP code, 0 if there was no
    answer.
    """

    def __init__(self, message: str, status: int = 0, *, of_api_server: bool = False) -> None:
        super().__init__(message)
        self.status = status
        #: Whether the message is the API server's. A guest's message may imitate one.
        self.of_api_server = of_api_server


class NoContainersError(EntryError):
    """The Workload runs in a machine without containers."""


class PortForwardError(ReachError):
    """The other end couldn't connect to the port. The message is its own."""


class RemoteCommandError(ReachError):
    """The command couldn't be run, or the connection to it was lost."""

    @property
    def is_missing_program(self) -> bool:
        """Whether the container has no such program, by the words of runc, crun, runsc and Kata."""
        return bool(_MISSING_PROGRAM.search(str(self)))
