"""How QEMU was really started on a node, beside what the harness in tests/guest is held to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guest.qemu_arguments import differences
from tests.guest.recording import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from tests.node.machine import Machine
    from tests.node.node import Node


def unlike_recording(machine: Machine, node: Node, folder: Path, config: pytest.Config) -> list[str]:
    """In what a machine's QEMU wasn't started as the golden files in a folder say, a sentence each.

    tests/guest starts QEMU by these: `make test-node` with --update records them anew.
    """
    if config.getoption("--older-kubevirt"):
        pytest.skip("the newest KubeVirt's is the one that is recorded")
    name = machine.get()["status"]["hull"]["name"]
    (pid,) = node.run("pgrep", "-f", f"^/usr/bin/qemu.*guest={machine.namespace}_{name},").split()
    argv = node.run("cat", f"/proc/{pid}/cmdline").rstrip("\0").split("\0")
    recording = Recording.of(machine.instance(), argv)
    if config.getoption("--update"):
        recording.write(folder)
    golden = Recording.read(folder).lines
    return differences(recording.lines, golden, ())
