from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.hulls.fidelity import dropped

EVERYTHING = yaml.safe_load((Path(__file__).parents[2] / "podtemplate/everything.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("asked", "found", "paths"),
    [
        ({}, {"more": 1}, []),
        ({"hostUsers": False}, {}, ["hostUsers"]),
        ({"hostPID": False, "tolerations": [], "affinity": {}}, {}, []),
        ({"priority": 1}, {"priority": 2}, []),
        (
            {"securityContext": {"procMount": "Unmasked"}},
            {"securityContext": {}},
            ["securityContext.procMount"],
        ),
        (
            {"containers": [{"name": "a", "tty": True}]},
            {"containers": [{"name": "a"}]},
            ["containers[a].tty"],
        ),
        ({"containers": [{"name": "a"}]}, {"containers": [{"name": "b"}]}, ["containers[a]"]),
        ({"containers": [{"name": "a"}]}, {"containers": [{"name": "injected"}, {"name": "a"}]}, []),
        ({"schedulingGates": [{"name": "quota"}]}, {}, []),
        (
            {"mounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b", "subPath": "b"}]},
            {"mounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b", "subPath": "b"}]},
            [],
        ),
        (
            {"ports": [{"containerPort": 53}, {"containerPort": 53, "hostIP": "::1"}]},
            {"ports": [{"containerPort": 53}, {"containerPort": 53, "hostIP": "::1"}]},
            [],
        ),
    ],
)
def test_what_was_dropped(asked: Raw, found: Raw, paths: list[str]) -> None:
    assert list(dropped(asked, found)) == paths


def test_nothing_is_dropped_from_the_same() -> None:
    assert list(dropped(EVERYTHING["spec"], copy.deepcopy(EVERYTHING["spec"]))) == []
