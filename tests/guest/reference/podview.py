"""What the containers of a Pod see, in a form that can be compared with another Pod's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

from tests.guest.reference.comparedscenarios import REPORTS_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.guest.scenario import Scenario

Raw = dict[str, Any]
#: What is seen, by container and by place: "main", "files./etc/hosts.text".
PodView = dict[tuple[str, str], object]

_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
#: Numbers and times that are others at every start, wherever it is.
_FLEETING = (
    (re.compile(r"\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+"), "..<time>"),
    (re.compile(r"\b(shared|master):\d+"), r"\1:<number>"),
    (re.compile(r"/snapshots/\d+/"), "/snapshots/<number>/"),
    (re.compile(r"/pods/[0-9a-f-]{32,36}/"), "/pods/<uid>/"),
    (re.compile(r"\([0-9a-f-]{32,36}\)"), "(<uid>)"),  # of a Pod, in the kubelet's messages
)


class Hull(Protocol):
    """A Pod that can be asked from outside, in either hull."""

    def get(self, port: int, path: str = "/", /, **query: str) -> bytes:
        """What the container that serves on a port answers."""

    def report(self, port: int, *paths: str) -> Raw:
        """What it can see, these paths among it."""


def view_of(hull: Hull, scenario: Scenario, names: Mapping[str, str]) -> PodView:
    """What all containers see. `names` are the hull's own names and addresses, with what stands for each."""
    view: PodView = {}
    for name, report in _reports(hull, scenario):
        view |= {(name, place): value for place, value in flat(named(_clean(report), names))}
    return view


def _reports(hull: Hull, scenario: Scenario) -> Iterator[tuple[str, Raw]]:
    """The reports of containers, and those that init containers have left with one of them."""
    spec = scenario.template["spec"]
    for container in (*spec.get("initContainers", ()), *spec["containers"]):
        if ports := container.get("ports"):
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", ())]
            yield container["name"], hull.report(ports[0]["containerPort"], _ACCOUNT, *paths)
        for argument in container.get("args", ()):
            option, _, path = argument.partition("=")
            if option == "--report":
                yield container["name"], json.loads(hull.get(REPORTS_PORT, "/file", path=path))


def _clean(report: Raw) -> Raw:
    """A report without what differs at each look, and without what it has twice."""
    kept = {key: value for key, value in report.items() if key not in {"env", "mounts", "groups", "devices"}}
    mounts: dict[str, list[Raw]] = {}
    for mount in report["mounts"]:
        mounts.setdefault(mount["at"], []).append({key: mount[key] for key in mount if key != "at"})
    files = {
        path: {key: file[key] for key in file if key != "size" and path != "/reports"}
        for path, file in report["files"].items()
        if not path.startswith("/reports/")
    }
    resolver = files.get("/etc/resolv.conf", {})
    if "text" in resolver:
        resolver["text"] = "".join(map(_options_in_order, resolver["text"].splitlines(keepends=True)))
    return kept | {
        # With a PID namespace that is shared, by how many programs the runtime has run in it.
        "pid": "first" if report["pid"] == 1 else "later",
        "env": dict(entry.split("=", 1) for entry in report["env"]),
        "mounts": {at: found[0] if len(found) == 1 else found for at, found in mounts.items()},
        "groups": sorted(report["groups"]),
        "devices": sorted(report["devices"]),
        # By their numbers, which in a PID namespace that is shared are as containers happen to start.
        "processes": sorted(report["processes"]),
        "files": files,
    }


def _options_in_order(line: str) -> str:
    """The kubelet merges options by a map (pkg/kubelet/network/dns/dns.go), so their order is any."""
    word, *options = line.split()
    return f"options {' '.join(sorted(options))}\n" if word == "options" else line


def named(value: Any, names: Mapping[str, str]) -> Any:
    """Replaces own names by what stands for them, the longest first, in keys, too."""
    if isinstance(value, str):
        for name in sorted(names, key=len, reverse=True):
            value = value.replace(name, names[name])
        for pattern, instead in _FLEETING:
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, dict):
        return {named(key, names): named(below, names) for key, below in value.items()}
    if isinstance(value, list):
        return [named(below, names) for below in value]
    return value


def flat(value: Any, place: str = "") -> Iterator[tuple[str, object]]:
    """The values in nested objects, each with its path. A list is a value."""
    if not isinstance(value, dict) or not value:
        yield place, value
        return
    for key, below in value.items():
        yield from flat(below, f"{place}.{key}" if place else key)
