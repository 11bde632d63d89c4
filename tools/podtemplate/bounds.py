"""How large a template may be: Kubernetes' document says of hardly any field. Where the numbers come from is
said in api/templatebounds, which measures by them what was stored before they were.
"""

from __future__ import annotations

from tools.podtemplate.upstream import Schema
from twinhull.api.templatebounds import (
    LONGEST_ANNOTATION,
    LONGEST_IMAGE,
    LONGEST_TEXT,
    MOST_CONTAINERS,
    MOST_ELEMENTS,
    MOST_VOLUMES,
)

#: Fields with a bound of their own, by their paths from the template on (`[]` for list elements).
_BOUNDS: dict[str, Schema] = {
    "metadata.annotations.*": {"maxLength": LONGEST_ANNOTATION},
    **{f"spec.{kind}": {"maxItems": MOST_CONTAINERS} for kind in ("containers", "initContainers")},
    **{f"spec.{kind}[].image": {"maxLength": LONGEST_IMAGE} for kind in ("containers", "initContainers")},
    "spec.volumes": {"maxItems": MOST_VOLUMES},
    "spec.volumes[].image.reference": {"maxLength": LONGEST_IMAGE},
}


def bounded(schema: Schema, path: str = "") -> Schema:
    """A structural schema in which every list, map and text has a bound, its own if it has one."""
    result = {**schema, **_general(schema), **_BOUNDS.get(path, {})}
    if "items" in schema:
        result["items"] = bounded(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        result["additionalProperties"] = bounded(schema["additionalProperties"], f"{path}.*".lstrip("."))
    if "properties" in schema:
        result["properties"] = {
            name: bounded(field, f"{path}.{name}".lstrip(".")) for name, field in schema["properties"].items()
        }
    return result


def _general(schema: Schema) -> Schema:
    match schema.get("type"):
        case "array" if "maxItems" not in schema:
            return {"maxItems": MOST_ELEMENTS}
        case "object" if "additionalProperties" in schema and "maxProperties" not in schema:
            return {"maxProperties": MOST_ELEMENTS}
        case "string" if not {"enum", "format", "maxLength"} & schema.keys():
            return {"maxLength": LONGEST_TEXT}
    return {}
