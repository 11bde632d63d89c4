"""Lists of objects, as `kubectl get` prints them."""

from __future__ import annotations

from collections.abc import Iterator


def items_of(document: object) -> Iterator[object] | None:
    """The objects of a List, or of a typed list such as a WorkloadList; None for what is no list.
    A List whose items are null or missing has no object. kubectl takes null so, too.

    The API server prints the objects of its own typed lists, such as a PodList, without apiVersion and kind.
    """
    kind = document.get("kind") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(kind, str) or not kind.endswith("List"):
        return None
    items = document.get("items")
    if not isinstance(items, list):
        return iter(()) if kind == "List" and not items else None
    inner = kind.removesuffix("List")
    named = {"apiVersion": document.get("apiVersion"), "kind": inner} if inner else {}
    return ({**named, **item} if isinstance(item, dict) else item for item in items)
