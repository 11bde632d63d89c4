"""Completes an object as the API server does before it evaluates CEL rules: with defaults, without idle
nulls.
"""

from __future__ import annotations

from typing import Any

from twinhull.api.group import Raw


def defaulted(schema: Raw, value: Any) -> Any:  # noqa: ANN401  JSON
    """A copy of a value with its schema's defaults, and without nulls where the schema allows none
    (k8s.io/apiextensions-apiserver, pkg/apiserver/schema/defaulting).
    """
    if isinstance(value, list):
        items = schema.get("items", {})
        return [defaulted(items, element) for element in value]
    if not isinstance(value, dict):
        return value
    known, additional = schema.get("properties", {}), schema.get("additionalProperties", {})
    result = {}
    for key, below in value.items():
        part = known.get(key, additional)
        if below is not None or part.get("nullable") or not part:
            result[key] = defaulted(part, below)
    for key, part in known.items():
        if "default" in part and key not in result:
            result[key] = defaulted(part, part["default"])
    return result
