"""The canonical template: of all the ways to write the same Pod, one. Revisions are made from it.

Left out is what Kubernetes takes for absent, and what it would put in itself. Most of that is said by
templatetypes.json, field by field; what depends on other fields is said here
(k8s.io/kubernetes/pkg/apis/core/v1/defaults.go). It is no template to make a Pod from.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import Any

from twinhull.api.base import Raw
from twinhull.api.templatetypes import QUANTITY, TEMPLATE, Field, types
from twinhull.core.isolation import images
from twinhull.hulls import quantity

#: Of a template's metadata, what its Pod gets.
_METADATA = ("annotations", "finalizers", "labels")
#: The API server rounds amounts of resources up to thousandths, and any other quantity to billionths.
_OF_RESOURCE, _OF_OTHER = Decimal(1000), Decimal(10**9)


def canonical(template: Raw) -> Raw:
    """A template without nulls, in the one way that all its ways of writing have in common."""
    kept: Raw = _struct(template, TEMPLATE)
    metadata = {key: value for key, value in kept.get("metadata", {}).items() if key in _METADATA}
    return {"metadata": metadata, "spec": _spec(kept.get("spec", {}))}


def resources_by_value(resources: Raw) -> Raw:
    """A container's resources in the one way that all ways of writing them have in common."""
    kept: Raw = _struct(resources, "ResourceRequirements")
    return dict(_resources(kept))


def _struct(value: Any, name: str) -> Any:  # noqa: ANN401  JSON
    """A value of a type, without the fields that are as good as absent."""
    if not isinstance(value, dict):
        return value
    known = types().get(name, {})
    fields = {key: _field(below, known.get(key)) for key, below in value.items() if below is not None}
    return {key: below for key, below in fields.items() if not _is_absent(below, known.get(key))}


def _field(value: Any, field: Field | None) -> Any:  # noqa: ANN401  JSON
    if field is None:
        return value
    if field.kind == "list" and isinstance(value, list):
        return [_struct(element, field.type) for element in value]
    if field.kind == "map" and isinstance(value, dict) and field.type == QUANTITY:
        return {key: _quantity(amount, _OF_RESOURCE) for key, amount in value.items()}
    if field.type == QUANTITY:
        return _quantity(value, _OF_OTHER)
    return _struct(value, field.type) if field.type else value


def _is_absent(value: Any, field: Field | None) -> bool:  # noqa: ANN401  JSON
    if field is None:
        return False
    if field.kind not in {"pointer", "pointer to struct"} and (not value or value == _zero(field)):
        return True
    return field.default is not None and type(value) is type(field.default) and bool(value == field.default)


def _zero(field: Field) -> str | None:
    return "0" if field.type == QUANTITY else None


def _quantity(value: Any, parts: Decimal) -> Any:  # noqa: ANN401  JSON
    """A quantity by its value. What is none, which the API server would refuse, is as it was written."""
    try:
        amount = quantity.parse(value)
    except (TypeError, ValueError, ArithmeticError):
        return value
    rounded = (amount * parts).to_integral_value(ROUND_CEILING) / parts
    return f"{rounded.normalize():f}"


def _spec(spec: Raw) -> Raw:
    """A Pod's spec without what Kubernetes puts in according to other fields."""
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    kept = {key: value for key, value in spec.items() if key not in {"serviceAccountName", "serviceAccount"}}
    if account:
        kept["serviceAccountName"] = account
    if _is_negative(spec.get("terminationGracePeriodSeconds")):
        kept["terminationGracePeriodSeconds"] = 1
    shared = bool(spec.get("hostNetwork"))
    for kind in ("initContainers", "containers"):
        if isinstance(spec.get(kind), list):
            kept[kind] = [_container(container, shared_network=shared) for container in spec[kind]]
    if isinstance(spec.get("volumes"), list):
        kept["volumes"] = [_volume(volume) for volume in spec["volumes"]]
    return kept


def _is_negative(seconds: object) -> bool:
    return isinstance(seconds, int) and seconds < 0


def _container(container: Raw, *, shared_network: bool) -> Raw:
    kept = dict(container)
    if kept.get("imagePullPolicy") == _pull_policy(kept.get("image", "")):
        del kept["imagePullPolicy"]
    if resources := dict(_resources(container.get("resources", {}))):
        kept["resources"] = resources
    if shared_network and "ports" in container:
        kept["ports"] = [_port(port) for port in container["ports"]]
    return kept


def _resources(resources: Raw) -> Iterator[tuple[str, Any]]:
    """Resources without the requests that are what is limited: they are that anyway."""
    limits = resources.get("limits", {})
    for key, value in resources.items():
        if key != "requests":
            yield key, value
        elif own := {name: amount for name, amount in value.items() if limits.get(name) != amount}:
            yield key, own


def _port(port: Raw) -> Raw:
    """A port in the node's network, which is the node's port of the same number."""
    return {
        key: value for key, value in port.items() if key != "hostPort" or value != port.get("containerPort")
    }


def _volume(volume: Raw) -> Raw:
    image = volume.get("image") or {}
    if image.get("pullPolicy") != _pull_policy(image.get("reference", "")):
        return volume
    return {**volume, "image": {key: value for key, value in image.items() if key != "pullPolicy"}}


def _pull_policy(image: str) -> str:
    """The policy of an image of which none is said."""
    return "Always" if images.parse(image).tag == "latest" else "IfNotPresent"
