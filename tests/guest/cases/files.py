"""Many ConfigMaps and Secrets: as many as a machine can show with their changes, and others as disks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import Raw, Scenario, config_map, container, secret
from twinhull.hulls.parity import MOST_LIVE

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

#: All objects of the template; of those that are mounted as a whole half are Secrets, and so of the others.
COUNT = 36
_NAMES = [f"file-{number}" for number in range(COUNT)]
_WHOLE, _SINGLE = _NAMES[:MOST_LIVE], _NAMES[MOST_LIVE:]


def _is_secret(name: str) -> bool:
    return bool(_NAMES.index(name) % 2)


def _object(name: str, text: str) -> Raw:
    return secret(name, {"text": text}) if _is_secret(name) else config_map(name, {"text": text})


def _volume(name: str) -> Raw:
    source: Raw = {"secret": {"secretName": name}} if _is_secret(name) else {"configMap": {"name": name}}
    return {"name": name, **source}


def _at(name: str) -> str:
    return f"/whole/{name}/text" if name in _WHOLE else f"/single/{name}"


def _mount(name: str) -> Raw:
    if name in _WHOLE:
        return {"name": name, "mountPath": f"/whole/{name}"}
    return {"name": name, "mountPath": _at(name), "subPath": "text"}


FILES = Scenario(
    "files",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "containers": [container("main", port=8080, volumeMounts=[_mount(name) for name in _NAMES])],
            "volumes": [_volume(name) for name in _NAMES],
        }
    },
    objects=tuple(_object(name, f"{name} at first") for name in _NAMES),
)


@FILES.case(f"{COUNT} ConfigMaps and Secrets, {MOST_LIVE} of them by virtiofs", docs.CONFIG_MAP)
def all_are_there(run: ScenarioRun) -> None:
    files = run.report(8080, *map(_at, _NAMES))["files"]
    assert {name: files[_at(name)]["text"] for name in _NAMES} == {
        name: f"{name} at first" for name in _NAMES
    }
    assert {device.source.name for device in run.machine.spec.file_systems} == {*_WHOLE}


@FILES.case("what is mounted as a whole shows changes, what is mounted by subPath doesn't", docs.CONFIG_MAP)
def changes(run: ScenarioRun) -> None:
    for name in (*_WHOLE[:2], *_SINGLE[:2]):
        run.change(_object(name, f"{name} later"))
    for name in _WHOLE[:2]:
        run.eventually(partial(_shows, run, name, f"{name} later"), f"{name} shows its change")
    for name in _SINGLE[:2]:
        assert _shows(run, name, f"{name} at first")


def _shows(run: ScenarioRun, name: str, text: str) -> bool:
    return bool(run.file(8080, _at(name))["text"] == text)
