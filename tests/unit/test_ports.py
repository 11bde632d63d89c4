"""The ports of the harness: what is given to one test run is given to no other beside it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.controlplane.ports import free_ports

_ROOT = Path(__file__).parents[2]
_TAKES_FIVE = """
import json
from tests.controlplane.ports import free_ports
print(json.dumps(free_ports(5)), flush=True)
input()
"""


@pytest.mark.slow
def test_a_port_is_given_once_though_nobody_listens_on_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-c", _TAKES_FIVE]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = json.loads(other.stdout.readline())
        sample = random.sample
        monkeypatch.setattr(random, "sample", lambda every, count: [*theirs, *sample(every, count)])
        ours = free_ports(5)
        assert len({*theirs, *ours}) == 10
        assert set(free_ports(5)).isdisjoint({*theirs, *ours})
        other.communicate("\n")
    assert free_ports(5) == theirs, "they are free again at the end of who had them"
