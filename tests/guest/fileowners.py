"""The owners of files that virtiofsd shows: root, or the user of KubeVirt's processes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROGRAM = Path(__file__).with_name("user_namespace.py")
#: The user and group of KubeVirt's own processes (kubevirt.io/kubevirt/pkg/util, NonRootUID).
VIRTIOFSD = 107
_ROOT = 0
#: How many users and groups a user namespace has at most here; a container's own often has no more.
_NUMBER = 65536


@dataclass(frozen=True)
class Owners:
    """The users and groups of this machine that stand for the node's root and for KubeVirt's.

    virtiofsd runs in a user namespace (user_namespaces(7)) in which the tests' own user is number 107, so it
    can read what the tests have made. As root these can also give files to another user, who is root in
    there: 107 and 0 have changed places, and all other numbers mean what they mean outside. Anybody else has
    only himself, so all files are 107's, and no link is another user's than its folder.
    """

    root: int
    launcher: int

    @property
    def apart(self) -> bool:
        """Whether root and KubeVirt's user are two users here."""
        return self.root != self.launcher

    def give(self, path: Path, *, user: int, mode: int | None = None) -> None:
        """Gives a file or a link, as virtiofsd sees it, to user 0 or 107, and to group 107, the fsGroup of
        the launcher Pod.
        """
        if self.apart:
            os.lchown(path, self.root if user == _ROOT else self.launcher, self.launcher)
        if mode is not None:
            path.chmod(mode)

    def command(self, command: list[str]) -> list[str]:
        """A command as virtiofsd's user and group, without capabilities, under the same pid."""
        if self.apart:
            return [sys.executable, "-I", "-S", str(_PROGRAM), _SWAPPED, *command]
        return ["/usr/bin/unshare", "--user", f"--map-user={VIRTIOFSD}", f"--map-group={VIRTIOFSD}", *command]


def _swapped() -> str:
    """The map of a user namespace in which users 0 and 107 have changed places."""
    between, after = VIRTIOFSD - 1, VIRTIOFSD + 1
    lines = (
        (_ROOT, VIRTIOFSD, 1),
        (1, 1, between),
        (VIRTIOFSD, _ROOT, 1),
        (after, after, _NUMBER - after),
    )
    return ",".join(" ".join(map(str, line)) for line in lines)


_SWAPPED = _swapped()


@cache
def owners() -> Owners:
    """The owners that the tests can have here: two users if the tests are root and may map enough users."""
    two = Owners(VIRTIOFSD, _ROOT)
    if os.geteuid() == _ROOT:
        tried = subprocess.run(two.command(["/bin/true"]), capture_output=True, check=False)
        if tried.returncode == 0:
            return two
    return Owners(os.geteuid(), os.geteuid())
