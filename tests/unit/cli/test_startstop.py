"""What start and stop say beside the state, by what the status says."""

from __future__ import annotations

import pytest

from twinhull.cli.startstop import beside_state


@pytest.mark.parametrize(
    ("reason", "state", "expected"),
    [
        (
            "Completed",
            "Running",
            "It has run to its end, and this doesn't run it again: use twinhull restart web -n shop",
        ),
        (
            "Failed",
            "Running",
            "It has run to its end, and this doesn't run it again: use twinhull restart web -n shop",
        ),
        (
            "Halted",
            "Running",
            (
                "Somebody stopped its VirtualMachine itself, and this doesn't start it: use twinhull restart "
                "web -n shop"
            ),
        ),
        ("Halted", "Stopped", ""),
        ("Ready", "Running", ""),
    ],
)
def test_what_a_state_does_not_start_is_told_with_what_does(reason: str, state: str, expected: str) -> None:
    ready = {
        "type": "Ready",
        "status": "False",
        "reason": reason,
        "message": "it is so",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    }
    metadata = {"name": "web", "namespace": "shop", "generation": 1}
    workload = {
        "metadata": metadata,
        "spec": {"state": state},
        "status": {"observedGeneration": 1, "conditions": [ready]},
    }
    found = beside_state(workload, state)
    assert expected in found
    assert bool(expected) == bool(found)
