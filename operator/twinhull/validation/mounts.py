"""Finds which mount names no volume: the rule in CEL only says that one of a list of containers does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from twinhull.api.group import Raw
from twinhull.api.validation import Problem

#: The message of that rule (tools/podtemplate/mistakes).
_NO_VOLUME = re.compile(r"one of the (volumeMounts|volumeDevices) names no volume: (.*)")


def one_by_one(problem: Problem, document: Raw) -> Iterator[Problem]:
    """A problem; if it is that a mount names no volume, one problem for each such mount. The document is
    valid by its schema.
    """
    match = _NO_VOLUME.fullmatch(problem.message)
    mounts = list(_without_volume(problem.path, match[1], document)) if match else []
    if not match or not mounts:
        yield problem
        return
    for path, name in mounts:
        yield Problem(path, f"{name} is no volume of the template: {match[2]}")


def _without_volume(path: str, used: str, document: Raw) -> Iterator[tuple[str, str]]:
    """The path and the name of each mount or device whose volume doesn't exist."""
    pod_spec: Any = document["spec"]["template"]["spec"]
    volumes = {volume["name"] for volume in pod_spec.get("volumes") or ()}
    for at, container in enumerate(pod_spec.get(path.rpartition(".")[2]) or ()):
        for index, mount in enumerate(container.get(used) or ()):
            if mount["name"] not in volumes:
                yield f"{path}[{at}].{used}[{index}].name", mount["name"]
