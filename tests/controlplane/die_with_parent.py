"""Runs a program that the kernel kills when the parent of this process ends, in whatever way that ends.

    python -I -S die_with_parent.py <pid of the parent> <program> [argument …]

The kernel's own tie (prctl(2), PR_SET_PDEATHSIG) outlives exec, and needs nobody to be alive to act on it.
It is set here, in a process of its own, because Python code between fork and exec isn't safe beside
threads.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie(parent: int, what: str) -> None:
    """Ties this process, which does `what`, to its parent. Ends it if that has another pid by now."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have ended before the tie was made; then nothing would end this process.
    if os.getppid() != parent:
        sys.exit(f"{what}: the process that wanted it is gone")


def main() -> None:
    """Ties this process to its parent and becomes the program."""
    parent, *command = sys.argv[1:]
    tie(int(parent), command[0])
    os.execv(command[0], command)  # noqa: S606 - becoming the program is the point


if __name__ == "__main__":
    main()
