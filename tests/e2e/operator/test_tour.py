"""docs/tour.md, as a reader follows it: every command is run, and prints what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.operator_process import OperatorProcess
from tests.pages import Shell, read, steps

pytestmark = pytest.mark.simulated

PAGE = read("docs/tour.md").partition("## Make one")[2]


@pytest.fixture
def shell(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Shell]:
    yield Shell.opened(cluster, namespace, tmp_path, PAGE)
    for made in ("isolationpolicy/untrusted", "runtimeclass/gvisor"):
        cluster.kubectl("delete", made, "--ignore-not-found")


def test_the_tour(shell: Shell, operator: OperatorProcess) -> None:
    shell.follow(steps(PAGE), operator.check)
