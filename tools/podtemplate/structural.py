"""OpenAPI as Kubernetes publishes it → the structural schema that a CustomResourceDefinition needs.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema
"""

from __future__ import annotations

from tools.podtemplate.upstream import Schema, Schemas, short_name

#: What is taken over as it is. Descriptions aren't, they would be two thirds of the CRD; nor are defaults,
#: which would turn up in stored objects; nor the keys of strategic merge patch, which CRDs don't have.
_KEPT = (
    "type",
    "format",
    "enum",
    "pattern",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "maxProperties",
    "minimum",
    "maximum",
    "not",
    "nullable",
    "required",
    "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-validations",
)


def structural(node: Schema, types: Schemas) -> Schema:
    """`node` with every reference to one of `types` inlined, and nothing that a structural schema forbids."""
    target = _resolved(node, types)
    result = {key: target[key] for key in _KEPT if target.get(key, []) != []}
    if "items" in target:
        result["items"] = structural(target["items"], types)
        _add_key_defaults(result, _resolved(target["items"], types))
    if "additionalProperties" in target:
        result["additionalProperties"] = structural(target["additionalProperties"], types)
    if target.get("properties"):  # the API server stores no empty map
        fields = sorted(target["properties"].items())
        result["properties"] = {name: structural(field, types) for name, field in fields}
    return result


def _add_key_defaults(array: Schema, item: Schema) -> None:
    """The keys of a list map must always be there: one that may be left out needs its default."""
    for key in array.get("x-kubernetes-list-map-keys", []):
        if key not in item.get("required", []):
            array["items"]["properties"][key]["default"] = item["properties"][key]["default"]


def _resolved(node: Schema, types: Schemas) -> Schema:
    """The type that a node stands for; a reference with a default beside it is wrapped in an allOf."""
    pointer = node.get("$ref") or node.get("allOf", [{}])[0].get("$ref")
    return types[short_name(pointer.rpartition("/")[2])] if pointer else node
