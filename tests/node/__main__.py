"""python -m tests.node [pytest's arguments]: the tests on real KubeVirt nodes, in namespaces of their own.

python -m tests.node lock pins the node's Debian packages anew.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tests.node import namespaces, packages

_TESTS = Path(__file__).parent


def main() -> None:
    """Runs pytest on this folder."""
    if sys.argv[1:] == ["lock"]:
        packages.write_lock(click.echo)
        return
    command = [sys.executable, "-m", "pytest", str(_TESTS), *sys.argv[1:]]
    if namespaces.obstacle():
        os.execv(command[0], command)  # noqa: S606 - each test then skips, and says why
    namespaces.enter(command)


main()
