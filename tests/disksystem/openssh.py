"""OpenSSH's programs that people log in with, of Debian's packages: the same wherever the tests run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.disksystem import packages

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class SshKey:
    """Somebody's key."""

    #: The private key's file.
    file: Path
    #: The public key, as a line of authorized_keys.
    public: str

    @classmethod
    def made(cls, file: Path) -> SshKey:
        """A new one, in a file that isn't there yet."""
        packages.tools().run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", file.name, "-f", file)
        return cls(file, file.with_name(f"{file.name}.pub").read_text(encoding="ascii"))


def install_client(folder: Path) -> None:
    """Writes the program `ssh` into a folder, for a PATH. It has no configuration and no agent of whoever
    runs the tests.
    """
    program = folder / "ssh"
    command = packages.tools().command("ssh", "-F", "none", "-o", "IdentityAgent=none")
    program.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
