"""python -m tests.node [pytest's arguments]: the tests on real KubeVirt nodes, in namespaces of their own.

python -m tests.node measure [how many times] measures one machine; ... lock pins the Debian packages anew.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from tests.controlplane import build
from tests.node import measure, namespaces, packages
from tests.node.cluster import Files

_TESTS = Path(__file__).parent
#: The mark of the tests that `make test` has, which takes less to build.
_QUICK = "node_quick"


def main() -> None:
    """Runs pytest on this folder."""
    if sys.argv[1:] == ["lock"]:
        packages.write_lock(click.echo)
        return
    measures, problem = sys.argv[1:2] == ["measure"], namespaces.obstacle()
    if measures and namespaces.entered():
        measure.main()
        return
    if measures and problem:
        sys.exit(f"error: {problem}")
    what = ["tests.node"] if measures else ["pytest", str(_TESTS)]
    command = [sys.executable, "-m", *what, *sys.argv[1:]]
    if problem:
        os.execv(command[0], command)  # noqa: S606 - each test then skips, and says why
    # There is no way out to download anything from then on.
    Files.ready(older="--older-kubevirt" in sys.argv)
    if not measures and _QUICK not in sys.argv:
        build.programs(build.METRICS_SERVER)
    namespaces.enter(command)


main()
