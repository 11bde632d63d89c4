from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml

from twinhull.api.base import Raw
from twinhull.hulls.fidelity import dropped

EVERYTHING = yaml.load(
    (Path(__file__).parents[2] / "podtemplate/everything.yaml").read_text("utf-8"), yaml.CSafeLoader
)


@pytest.mark.parametrize(
    ("wanted", "actual", "paths"),
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
def test_what_was_dropped(wanted: Raw, actual: Raw, paths: list[str]) -> None:
    assert list(dropped(wanted, actual)) == paths


def test_nothing_is_dropped_from_the_same() -> None:
    assert list(dropped(EVERYTHING["spec"], copy.deepcopy(EVERYTHING["spec"]))) == []


class Counted(dict[str, object]):
    """A map that counts the look-ups of its fields."""

    looks = 0

    def __contains__(self, key: object) -> bool:
        self.looks += 1
        return super().__contains__(key)


def looks(wanted: list[Raw], actual: list[Raw], lacks: int = 0) -> int:
    """The number of look-ups of fields in elements that were found."""
    counted = [Counted(element) for element in actual]
    assert len(list(dropped({"list": wanted}, {"list": counted}))) == lacks
    return sum(element.looks for element in counted)


def test_long_lists_are_compared_in_one_go() -> None:
    """In whatever order a webhook has put the elements."""
    env = [{"name": f"E{number}", "value": "1"} for number in range(1000)]
    assert looks(env, env[::-1]) <= 2 * len(env)


def terms(count: int, **more: object) -> list[Raw]:
    """The elements have the same key and different content."""
    return [{"topologyKey": "zone", **more, "labelSelector": {f"k{n}": "v"}} for n in range(count)]


@pytest.mark.parametrize(
    ("wanted", "actual", "lacks"),
    [
        (terms(1000), terms(1000), 0),
        (terms(1000), [{"topologyKey": "zone", "defaulted": 1}, *terms(1000)], 0),
        (terms(1000, feature=1), terms(1000), 1000),
        (terms(1000), terms(500), 500),
    ],
    ids=["the same", "one more", "a dropped field", "fewer"],
)
def test_so_are_those_whose_elements_share_a_key(wanted: list[Raw], actual: list[Raw], lacks: int) -> None:
    assert looks(wanted, actual, lacks) < 100 * len(wanted)


@pytest.mark.parametrize("moved", [-7, -1, 1, 7])
def test_elements_of_one_key_may_have_moved_a_little(moved: int) -> None:
    wanted = terms(100)
    actual = wanted[-moved:] if moved < 0 else [{"topologyKey": "zone"}] * moved + wanted
    lost = wanted[:-moved] if moved < 0 else []
    assert len(list(dropped({"list": wanted}, {"list": actual}))) == len(lost)


def test_few_of_one_key_may_stand_anywhere() -> None:
    wanted = terms(8)
    assert list(dropped({"list": wanted}, {"list": wanted[::-1]})) == []
    actual = wanted[4:] + wanted[:3]
    assert list(dropped({"list": wanted}, {"list": actual})) == ["list[zone].labelSelector.k3"]
