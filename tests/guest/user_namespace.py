"""Runs a program in a user namespace of its own.

    python -I -S user_namespace.py <ids> <program> [argument …]

`ids` are the lines of /proc/<pid>/uid_map, and of gid_map, separated by commas: `<first inside> <first
outside> <number>`. More than one line takes CAP_SETUID and CAP_SETGID outside (user_namespaces(7)), and a
process that stays there to write them. unshare(1) leaves that to newuidmap, which most machines don't have.
"""

import ctypes
import os
import sys

_CLONE_NEWUSER = 0x10000000


def main() -> None:
    """Moves this process into a new user namespace and becomes the program."""
    ids, *command = sys.argv[1:]
    lines = ids.replace(",", "\n")
    entered, has_entered = os.pipe()
    writer = os.fork()
    if writer == 0:
        os.close(has_entered)
        os.read(entered, 1)  # nothing, once the other end is closed
        _write_maps(os.getppid(), lines)
        os._exit(0)
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    os.close(has_entered)
    _, status = os.waitpid(writer, 0)
    if status:
        sys.exit(f"{command[0]}: the users {ids} can't be mapped")
    # A user other than root has no capabilities after this, inside or outside (capabilities(7)).
    os.execv(command[0], command)  # noqa: S606 - becoming the program is the point


def _write_maps(pid: int, lines: str) -> None:
    for kind in ("uid_map", "gid_map"):
        # By one write(2) each: the kernel takes no second one.
        file = os.open(f"/proc/{pid}/{kind}", os.O_WRONLY)
        os.write(file, lines.encode())
        os.close(file)


if __name__ == "__main__":
    main()
