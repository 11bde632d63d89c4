"""What can go wrong on the way into a hull."""

from __future__ import annotations


class ReachError(Exception):
    """There is no way in, or what was asked for there failed. The message says why, and what to do."""


class EntryError(ReachError):
    """There is no way in, or what was asked for is refused. `status` is HTTP's, 0 if there was no answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class PortForwardError(ReachError):
    """The other end couldn't connect to the port. The message is its own."""


class RemoteCommandError(ReachError):
    """The command couldn't be run, or the connection to it was lost."""
