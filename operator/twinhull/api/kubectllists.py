"""Lists of objects, as `kubectl get` prints them."""

from __future__ import annotations

from collections.abc import Iterator


def items_of(document: object) -> Iterator[object] | None:
    """The objects of a List, or of a typed list such as a WorkloadList. None if the document is no list.

    A List whose items are null or missing has no objects, as in kubectl. In typed lists of its own, such as a
    PodList, the API server prints the objects without apiVersion and kind: they are added.
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
