"""Finds the fields of its own Pod that a container reads, and that the Workload's Pod doesn't have.

Fields: k8s.io/api/core/v1, types.go, ObjectFieldSelector.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from twinhull.convert.conversion import Left
from twinhull.convert.kubernetes.source import POD_INDEX, POD_NAME, SET_LABELS, Draft

#: The path of one label or annotation.
_KEY = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
#: The annotation with the index of a Pod of an indexed Job.
_COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"


def pod_of_statefulset(name: str, ordinal: int) -> dict[str, str]:
    """The fields that only a StatefulSet gives its Pod, by their paths, with their values."""
    return {
        "metadata.name": f"{name}-{ordinal}",
        f"metadata.labels['{POD_NAME}']": f"{name}-{ordinal}",
        f"metadata.labels['{POD_INDEX}']": str(ordinal),
    }


def tell_lost_fields(drafts: Iterable[Draft], left: list[Left]) -> None:
    """Name each reference to a field of the Pod that has another value in the Workload's Pod, or none."""
    for made in drafts:
        template = made.spec.get("template") or {}
        at = f"{made.template_path}." if made.template_path else ""
        for path, field in _references(template.get("spec"), f"{at}spec"):
            if why := _lost(field, made):
                left.append(Left(f"{made.source.title}: {path}", why))


def _references(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401  JSON
    """Each fieldRef, with the path of the field that it names."""
    if isinstance(value, list):
        for index, below in enumerate(value):
            name = below.get("name", index) if isinstance(below, dict) else index
            yield from _references(below, f"{path}[{name}]")
    elif isinstance(value, dict):
        for key, below in value.items():
            if key == "fieldRef" and isinstance(below, dict):
                yield f"{path}.{key}", str(below.get("fieldPath"))
            else:
                yield from _references(below, f"{path}.{key}")


def _lost(field: str, made: Draft) -> str:
    """Why a field of the Pod has another value, and what to do; empty if it has the same."""
    was = made.pod_fields.get(field)
    instead = f"{was!r} in its place" if was else "the value itself in its place"
    if field == "metadata.name":
        name = f"the Pod's name is {made.name}- and a revision, and no longer {was}"
        return f"{name}: if a program needs that name, write {instead}" if was else ""
    match = _KEY.fullmatch(field)
    kind, key = (match[1], match[2]) if match else ("", "")
    if not _is_set_by_controller(kind, key, made):
        return ""
    return (
        f"only the controller of a {made.source.kind} sets {key}, so it is empty in a Workload's Pod: write "
        f"{instead}, or give the template this {kind.removesuffix('s')}"
    )


def _is_set_by_controller(kind: str, key: str, made: Draft) -> bool:
    """Whether a controller sets a label or an annotation that the template doesn't have itself."""
    if kind == "annotations":
        annotations = (made.spec["template"].get("metadata") or {}).get("annotations") or {}
        return key == _COMPLETION_INDEX and key not in annotations
    return key in SET_LABELS and key not in made.pod_labels
