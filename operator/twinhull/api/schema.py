"""Pydantic's JSON schema of a model → the structural schema that a CustomResourceDefinition needs.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from pydantic import BaseModel

from twinhull.api.base import Raw
from twinhull.api.celrule import pattern_of

#: What both kinds of schema have, in the order in which a person reads it.
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
#: What is taken apart below or says nothing that the field's name doesn't.
_OTHER = ("$defs", "$ref", "additionalProperties", "anyOf", "const", "items", "properties", "title")


def structural(model: type[BaseModel]) -> Raw:
    """The schema of `model`: references inlined, absent for null, CEL rules and list types kept."""
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
        schema.pop("pattern", None)  # the rule lets no more in, and says in words what to write
    if isinstance(node.get("additionalProperties"), dict):
        schema["additionalProperties"] = _structural(node["additionalProperties"], definitions)
    if "items" in node:
        schema["items"] = _without_defaults(_structural(node["items"], definitions))
    if node.get("properties"):  # the API server stores no empty map (JSONSchemaProps, `omitempty`)
        fields = node["properties"].items()
        schema["properties"] = {name: _structural(field, definitions) for name, field in fields}
    return schema | {key: value for key, value in node.items() if key.startswith("x-kubernetes-")}


def _without_defaults(schema: Raw) -> Raw:
    """A schema that puts nothing into what was sent. A merge patch replaces a list as a whole, so that a
    second `kubectl apply` of the same file would change it back each time. The models put the same in.
    """
    kept = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in kept:
        fields = kept["properties"].items()
        kept["properties"] = {name: _without_defaults(field) for name, field in fields}
    return kept


def _resolved(node: Raw, definitions: Raw) -> Raw:
    """The model that a field refers to, and below it what the field says of it itself, which has precedence.

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
