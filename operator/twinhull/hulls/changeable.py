"""What of a container can change while it runs. Revisions, notes on hulls, and the parity table follow it."""

from __future__ import annotations

from collections.abc import Mapping

from twinhull.api.base import Raw

#: The fields of a container that can be given to it while it runs, by their rows in the parity table, and
#: whether more or less of an amount can. None of an init container's, which has run by then.
CHANGEABLE: Mapping[str, bool] = {"image": False, "resources.limits": True, "resources.requests": True}
#: The resources that a running container can be given more or less of.
RESIZABLE = ("cpu", "memory")


def resizable(container: Raw) -> Raw:
    """The part of a container's resources that it can be given while it runs."""
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
    """A container without what can change while it runs. `grows` is whether its resources can."""
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
    """A container without its image and the amounts of its CPU and memory, but with what is said of them and
    what of it is the same: the kubelet can't make another QoS class of a Pod that runs.
    """
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    shape = {
        name: [name in requests, name in limits, requests.get(name) == limits.get(name)] for name in RESIZABLE
    }
    return {**without_changeable(container, grows=True), "shape": shape}
