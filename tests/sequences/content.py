"""What a Workload's template says that a Pod may be given while it runs, and what a Pod has of that."""

from __future__ import annotations

from typing import Any

Raw = dict[str, Any]


def content(pod: Raw) -> Raw:
    """The part of a template, or of a Pod, that the changes touch and that may change in place."""
    metadata, (container,) = pod.get("metadata") or {}, pod["spec"]["containers"]
    return {
        "version": (metadata.get("labels") or {}).get("version"),
        "note": (metadata.get("annotations") or {}).get("note"),
        "image": container["image"],
        "resources": container.get("resources") or {},
        "command": container.get("command"),
    }
