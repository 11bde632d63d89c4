"""Every field of an input is carried over, named, or refused; but for those that a cluster sets."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.convert.kubernetes.examples import EXAMPLES, converted, read
from twinhull.convert.conversion import CannotConvert, Conversion

Path = tuple[str | int, ...]

#: What a cluster sets in objects, and what says nothing for one Pod: docs/convert.md has the same list.
UNNAMED = tuple(
    re.compile(pattern)
    for pattern in (
        r"\w+\.status\..*",
        r".*metadata\.(uid|resourceVersion|generation|creationTimestamp|managedFields)\b.*",
        r".*metadata\.annotations\.kubectl\.kubernetes\.io/last-applied-configuration",
        r".*metadata\.annotations\.deployment\.kubernetes\.io/revision",
        r".*metadata\.annotations\.batch\.kubernetes\.io/job-tracking",
        r".*metadata\.annotations\.kubevirt\.io/(latest|storage)-observed-api-version",
        r"Job\..*metadata\.labels\.(batch\.kubernetes\.io/)?(controller-uid|job-name)",
        r"\w+\.apiVersion",  # all versions of a group have the same fields
        r"(?!Service\b)\w+\.spec\.selector\..*",
        r"Job\.spec\.(manualSelector|suspend)",
        r"CronJob\.spec\.suspend",
        r"StatefulSet\.spec\.podManagementPolicy",
        r"StatefulSet\.spec\.updateStrategy\.(type|rollingUpdate\.maxUnavailable)",
        r"DaemonSet\.spec\.updateStrategy\.(type|rollingUpdate\.(maxSurge|maxUnavailable))",
        r"Deployment\.spec\.strategy\.rollingUpdate\.max(Surge|Unavailable)",
        r"StatefulSet\.spec\.volumeClaimTemplates\.\d+\.(apiVersion|kind|status.*)",
        # Of the Pod in a cluster: what admission controllers add, here the volume of the API server's token.
        r"Pod\.spec\.(priority|preemptionPolicy)",
        r"Pod\.spec\.(containers\.0\.volumeMounts\.0|volumes\.1)\..*",
        r"Pod\.spec\.tolerations\.[01]\.(operator|effect)",
        # The only disk that has one: the number says nothing.
        r"VirtualMachine\.spec\.template\.spec\.domain\.devices\.disks\.0\.bootOrder",
    )
)
#: Kinds that are passed over whole, and named so.
OTHERS = {"HorizontalPodAutoscaler", "PodDisruptionBudget"}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The values of an object that are no maps or lists, with their paths."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from leaves(below, (*path, index))
    elif value is not None:
        yield path, value


def maps(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all maps in an object."""
    if isinstance(value, dict):
        yield path
        for key, below in value.items():
            yield from maps(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from maps(below, (*path, index))


def at(objects: Any, path: Path) -> Any:
    for key in path:
        objects = objects[key]
    return objects


def changed(value: Any, number: int) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 100 + number
    return f"{value}x{number}" if isinstance(value, str) else value


def text(objects: list[Any], path: Path) -> str:
    """A path as a pattern of UNNAMED has it, with the kind of the object in front."""
    return ".".join(map(str, (objects[path[0]].get("kind"), *path[1:])))  # type: ignore[index]


def covers(conversion: Conversion, objects: list[Any], path: Path) -> bool:
    """Whether what is left names that path, or one above it."""
    obj = objects[path[0]]  # type: ignore[index]
    namespace = obj["metadata"].get("namespace")
    title = f"{obj['kind']} {f'{namespace}/' if namespace else ''}{obj['metadata'].get('name') or ''}"
    paths = {one.path for one in conversion.left}
    if title in paths:
        return True
    where, below = "", obj
    for key in path[1:]:
        below = below[key]
        if isinstance(key, int):
            name = below.get("name", key) if isinstance(below, dict) else key
            # A list without names in its elements, such as dataVolumeTemplates, counts them.
            candidates = [f"{where}[{name}]", f"{where}[{key}]"]
        else:
            candidates = [f"{where}.{key}" if where else key]
        where = candidates[0]
        if any(f"{title}: {candidate}" in paths for candidate in candidates):
            return True
    return False


def result(objects: list[Any]) -> Conversion | None:
    """What is made of objects, None if they are refused by a message."""
    try:
        return converted(*objects)
    except CannotConvert as error:
        if not str(error):
            raise
        return None


def same(one: Conversion, other: Conversion) -> bool:
    return json.dumps(one.objects) == json.dumps(other.objects) and one.left == other.left


def all_leaves() -> list[tuple[str, Path]]:
    return [(name, path) for name in EXAMPLES for path, _ in leaves(read(name))]


def uncovered(objects: list[Any], conversion: Conversion) -> Iterator[tuple[Path, object, str]]:
    """The fields whose change has to show: each with its value, and how a text names it."""
    for path, value in leaves(objects):
        known = text(objects, path)
        if not covers(conversion, objects, path) and not any(one.fullmatch(known) for one in UNNAMED):
            yield path, value, known


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_value_of_an_example_is_ignored(name: str) -> None:
    """Another value in its place gives another result, another list of what is left, or is refused."""
    objects = read(name)
    before = converted(*objects)
    ignored = []
    for path, value, known in uncovered(objects, before):
        other = copy.deepcopy(objects)
        at(other, path[:-1])[path[-1]] = changed(value, 1)
        after = result(other)
        if after is not None and same(before, after):
            ignored.append(known)
    assert not ignored


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_field_of_an_example_vanishes_when_it_is_taken_away(name: str) -> None:
    """Without a field the result, or what is left, is another one; unless the field has its default."""
    objects = read(name)
    before = converted(*objects)
    ignored = []
    for path, value, known in uncovered(objects, before):
        other = copy.deepcopy(objects)
        at(other, path[:-1]).pop(path[-1])
        after = result(other)
        if after is not None and same(before, after):
            ignored.append((known, value))
    assert ignored == DEFAULTS.get(name, [])


#: Fields of the examples that say what is so without them.
DEFAULTS: dict[str, list[tuple[str, Any]]] = {
    "daemonset": [("DaemonSet.spec.revisionHistoryLimit", 10)],
    "deployment": [
        ("Deployment.spec.replicas", 1),
        ("Deployment.spec.strategy.type", "RollingUpdate"),
        ("Service.spec.ports.1.protocol", "TCP"),
    ],
    "deployment-in-a-cluster": [
        ("Deployment.spec.replicas", 1),
        ("Deployment.spec.revisionHistoryLimit", 10),
        ("Deployment.spec.strategy.type", "RollingUpdate"),
    ],
    "helm-chart": [
        ("Service.spec.ports.0.protocol", "TCP"),
        # With one of the two labels it selects the same Pod.
        ("Service.spec.selector.app.kubernetes.io/name", "web"),
        ("Service.spec.selector.app.kubernetes.io/instance", "release-name"),
        ("Deployment.spec.replicas", 1),
    ],
    "machine-of-an-instancetype": [("VirtualMachine.spec.running", False)],
    "statefulset": [("StatefulSet.spec.persistentVolumeClaimRetentionPolicy.whenScaled", "Retain")],
}


@pytest.mark.parametrize("key", ["unheardOf", "spec"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_field_that_nobody_knows_is_carried_over_or_named(name: str, key: str) -> None:
    objects = read(name)
    vanished = []
    for path in maps(objects):
        if not path or key in at(objects, path):
            continue
        other = copy.deepcopy(objects)
        at(other, path)[key] = "sentinel"
        known = text(other, (*path, key))
        conversion = result(other)
        if conversion is None or any(pattern.fullmatch(known) for pattern in UNNAMED):
            continue
        if "sentinel" not in json.dumps(conversion.objects) and not covers(conversion, other, (*path, key)):
            vanished.append(known)
    assert not vanished


@pytest.mark.slow
@settings(max_examples=200)
@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_several_fields_that_nobody_knows_are_carried_over_or_named(name: str, data: st.DataObject) -> None:
    """Wherever they stand, and whatever else of the input is gone."""
    objects = read(name)
    gone = data.draw(
        st.lists(st.sampled_from([path for path, _ in leaves(objects)]), max_size=3, unique=True)
    )
    for path in gone:
        parent = at(objects, path[:-1])
        if isinstance(parent, dict):
            parent.pop(path[-1], None)
    places = [path for path in maps(objects) if path]
    added = data.draw(st.lists(st.sampled_from(places), min_size=1, max_size=4, unique=True))
    for number, path in enumerate(added):
        at(objects, path)[f"unheardOf{number}"] = f"sentinel-{number}"
    conversion = result(objects)
    if conversion is None:
        return
    printed = json.dumps(conversion.objects)
    for number, path in enumerate(added):
        where = (*path, f"unheardOf{number}")
        known = text(objects, where)
        assert (
            f"sentinel-{number}" in printed
            or covers(conversion, objects, where)
            or any(pattern.fullmatch(known) for pattern in UNNAMED)
        ), known


@pytest.mark.slow
@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(all_leaves()), st.integers(0, 999)), min_size=1, max_size=4))
def test_changed_inputs_are_converted_or_refused_with_a_message(
    changes: list[tuple[tuple[str, Path], int]],
) -> None:
    """Whatever is changed, there is no other error, and what is made can be written as JSON."""
    name = changes[0][0][0]
    objects = read(name)
    for (other, path), number in changes:
        if other == name:
            parent = at(objects, path[:-1])
            parent[path[-1]] = [number, f"x{number}", None, {}, [], True, 1.5][number % 7]
    conversion = result(objects)
    if conversion is not None:
        json.dumps(conversion.objects)
