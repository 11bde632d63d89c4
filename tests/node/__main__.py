"""python -m tests.node [pytest's arguments]: the tests on real KubeVirt nodes, in namespaces of their own.

python -m tests.node measure [how many times] measures one machine; ... lock pins the Debian packages anew.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tests.node import measure, namespaces, packages
from tests.node.cluster import Files

_TESTS = Path(__file__).parent


def main() -> None:
    """Runs pytest on this folder."""
    if sys.argv[1:] == ["lock"]:
        packages.write_lock(click.echo)
        return
    if sys.argv[1:2] == ["measure"] and namespaces.entered():
        measure.main()
        return
    command = [sys.executable, "-m", "pytest", str(_TESTS), *sys.argv[1:]]
    if sys.argv[1:2] == ["measure"]:
        command = [sys.executable, "-m", "tests.node", *sys.argv[1:]]
    if namespaces.obstacle():
        os.execv(command[0], command)  # noqa: S606 - each test then skips, and says why
    Files.ready(older="--older-kubevirt" in sys.argv)  # there is no way out to download anything from then on
    namespaces.enter(command)


main()
