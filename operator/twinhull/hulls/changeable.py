"""The fields of a container that can change while it runs. Revisions, the notes on hulls and the parity table
use them.
"""

from __future__ import annotations

from collections.abc import Mapping

from twinhull.api.base import Raw

#: The fields of a container that can change while it runs, by their paths in the parity table; the value is
#: True for amounts of CPU and memory. No field of an init container can: it has run by then.
CHANGEABLE: Mapping[str, bool] = {"image": False, "resources.limits": True, "resources.requests": True}
#: The resources of which a running container can be given more or less.
RESIZABLE = ("cpu", "memory")


def resizable(container: Raw) -> Raw:
    """The requests and limits of a container that can change while it runs: those of CPU and memory."""
    resources = container.get("resources") or {}
    return {
        kind: amounts
        for kind in ("requests", "limits")
        if (
            amounts := {
                name: value for name, value in (resources.get(kind) or {}).items() if name in RESIZABLE
            }
        )
    }


def without_changeable(container: Raw, *, grows: bool) -> Raw:
    """A container without the fields that can change while it runs. With `grows`, its CPU and memory are left
    out as well.
    """
    kept = {key: value for key, value in container.items() if key not in {"image", "resources"}}
    resources = container.get("resources") or {}
    if grows:
        amounts = resizable(container)
        fixed = {
            kind: {name: value for name, value in entries.items() if name not in amounts.get(kind, {})}
            if isinstance(entries, dict)
            else entries
            for kind, entries in resources.items()
        }
        resources = {kind: entries for kind, entries in fixed.items() if entries}
    return {**kept, **({"resources": resources} if resources else {})}


def without_values(container: Raw) -> Raw:
    """A container without its image and the amounts of its CPU and memory. Which amounts are set, and which
    requests equal their limits, stays in it (`shape`): these determine the Pod's QoS class, which the kubelet
    can't change while the Pod runs.
    """
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    shape = {
        name: [name in requests, name in limits, requests.get(name) == limits.get(name)] for name in RESIZABLE
    }
    return {**without_changeable(container, grows=True), "shape": shape}
