"""Pydantic's JSON schema of a model → the structural schema that a CustomResourceDefinition needs.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from pydantic import BaseModel

from twinhull.api.base import Raw
from twinhull.api.celrule import pattern_of

#: The keywords that both kinds of schema have, in the order in which a person reads them.
_SHARED = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
)
#: The keywords that are converted below, and `title`, which only repeats the field's name.
_OTHER = ("$defs", "$ref", "additionalProperties", "anyOf", "const", "items", "properties", "title")


def structural(model: type[BaseModel]) -> Raw:
    """The structural schema of `model`: without references, with absent fields in place of nulls, and with
    CEL rules and list types.
    """
    schema = model.model_json_schema()
    return _structural(schema, schema.get("$defs", {}))


def _structural(node: Raw, definitions: Raw) -> Raw:
    node = _resolved(node, definitions)
    if "const" in node:
        node = node | {"enum": [node["const"]]}
    if unknown := [
        key for key in node if not key.startswith("x-kubernetes-") and key not in _SHARED + _OTHER
    ]:
        raise ValueError(f"a structural schema can't say {', '.join(unknown)}: {node}")

    schema = {key: node[key] for key in _SHARED if key in node}
    if any(pattern_of(rule) for rule in node.get("x-kubernetes-validations", ())):
        schema.pop("pattern", None)  # the rule is as strict, and says what to write
    if isinstance(node.get("additionalProperties"), dict):
        schema["additionalProperties"] = _structural(node["additionalProperties"], definitions)
    if "items" in node:
        schema["items"] = _without_defaults(_structural(node["items"], definitions))
    if node.get("properties"):  # the API server stores no empty map (JSONSchemaProps, `omitempty`)
        fields = node["properties"].items()
        schema["properties"] = {name: _structural(field, definitions) for name, field in fields}
    return schema | {key: value for key, value in node.items() if key.startswith("x-kubernetes-")}


def _without_defaults(schema: Raw) -> Raw:
    """A schema without defaults, for the elements of a list. A merge patch replaces a whole list, so that a
    second `kubectl apply` of the same file would remove the API server's defaults each time. The models have
    the same defaults.
    """
    kept = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in kept:
        fields = kept["properties"].items()
        kept["properties"] = {name: _without_defaults(field) for name, field in fields}
    return kept


def _resolved(node: Raw, definitions: Raw) -> Raw:
    """The schema of the model to which a field refers. Keywords of the field itself come before those of the
    model.

    An Optional becomes a field that may be absent: the API server prunes a null given for such a field.
    """
    if "anyOf" in node:
        (kind,) = (kind for kind in node["anyOf"] if kind != {"type": "null"})
        own = {key: value for key, value in node.items() if key != "anyOf" and value is not None}
        return _resolved(kind | own, definitions)
    if "$ref" in node:
        model: Raw = definitions[node["$ref"].rpartition("/")[2]]
        return model | {key: value for key, value in node.items() if key != "$ref"}
    return node
