"""Nulls: charts print keys with nothing behind them, which the API server takes for absent in its own kinds.

In a custom resource it prunes them on a create or update, but keeps and validates them on server-side apply.
So whatever may be left out may be null, too.
"""

from __future__ import annotations

from collections.abc import Collection

from tools.podtemplate.upstream import Schema


def nullable(schema: Schema, keys: Collection[str] = ()) -> Schema:
    """A structural schema in which every field that isn't required takes null. `keys` tell the elements of a
    list apart: server-side apply merges by them, and an API server refuses a schema in which one may be null.
    """
    result = dict(schema)
    if "items" in schema:
        result["items"] = nullable(schema["items"], schema.get("x-kubernetes-list-map-keys", ()))
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _or_null(nullable(schema["additionalProperties"]))
    if "properties" in schema:
        needed = {*schema.get("required", ()), *keys}
        result["properties"] = {
            name: nullable(field) if name in needed else _or_null(nullable(field))
            for name, field in schema["properties"].items()
        }
    return result


def _or_null(schema: Schema) -> Schema:
    """Where values are listed, an API server never finds null among them, even if it is there
    (k8s.io/kube-openapi, pkg/validation/validate/values.go, Enum). What is in an allOf isn't asked of null.
    """
    if "enum" not in schema:
        return {**schema, "nullable": True}
    others = {key: value for key, value in schema.items() if key != "enum"}
    longest = max(len(value) for value in schema["enum"])
    return {**others, "allOf": [{"enum": schema["enum"]}], "maxLength": longest, "nullable": True}
