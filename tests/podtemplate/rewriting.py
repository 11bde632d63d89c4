"""Other ways to write the same Pod template, as charts, kubectl and people do."""

from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from twinhull.api.templatetypes import QUANTITY, TEMPLATE, types
from twinhull.hulls import quantity

#: What `kubectl` and charts write where nothing is said, by how a field is declared.
_EMPTY: dict[str, tuple[Any, ...]] = {
    "list": (None, []),
    "map": (None, {}),
    "struct": (None, {}),
    "value": (None,),
    "pointer": (None,),
    "pointer to struct": (None,),
}
#: Fields that a rewriting leaves alone: their default depends on another field, or on what is beside them.
_LEFT = {"emptyDir", "serviceAccount", "serviceAccountName", "ephemeralContainers", "managedFields"}


@st.composite
def rewritings(draw: st.DrawFn, template: Any) -> Any:
    """The template, written in another way."""
    return draw(_spec(draw(_struct(deepcopy(template), TEMPLATE))))


@st.composite
def _struct(draw: st.DrawFn, value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return value
    known = types().get(name, {})
    struct = {}
    for key, below in value.items():
        field = known.get(key)
        if field is None or below is None:
            struct[key] = below
        elif field.type == QUANTITY and field.kind == "map":
            struct[key] = {name: draw(_quantity(amount)) for name, amount in below.items()}
        elif field.type == QUANTITY:
            struct[key] = draw(_quantity(below))
        elif isinstance(below, list):
            struct[key] = [draw(_struct(one, field.type)) for one in below]
        elif field.kind != "map" and field.default is not None and below == field.default:
            if draw(st.booleans()):
                struct[key] = below
        else:
            struct[key] = draw(_struct(below, field.type)) if field.type else below
    absent = sorted(key for key in known if key not in value and key not in _LEFT)
    for key in draw(st.lists(st.sampled_from(absent), max_size=5, unique=True)) if absent else ():
        field = known[key]
        default = () if field.default is None else (field.default,)
        struct[key] = draw(st.sampled_from((*_EMPTY[field.kind], *default)))
    return struct


@st.composite
def _quantity(draw: st.DrawFn, amount: Any) -> Any:
    """The same amount in other units, such as 1 and 1000m, or 1Gi and 1024Mi."""
    value = quantity.parse(amount)
    ways: list[Any] = [amount, f"{value:f}", f"{value * 1000:f}m"]
    if value == value.to_integral_value():
        ways += [int(value), f"{int(value)}e0"]
    ways += [
        f"{int(value / unit)}{suffix}"
        for suffix, unit in (("Ki", Decimal(2**10)), ("Mi", Decimal(2**20)), ("k", Decimal(1000)))
        if value and value % unit == 0
    ]
    return draw(st.sampled_from(ways))


@st.composite
def _spec(draw: st.DrawFn, template: Any) -> Any:
    """What depends on more than one field."""
    spec = template["spec"]
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        both = {"serviceAccountName": account, "serviceAccount": account}
        kept = draw(st.sampled_from([*([one] for one in both), list(both)]))
        spec = {key: below for key, below in spec.items() if key not in both}
        spec |= {key: both[key] for key in kept}
    for kind in ("initContainers", "containers"):
        if spec.get(kind):
            spec = {**spec, kind: [draw(_container(one, spec)) for one in spec[kind]]}
    return {**template, "spec": spec}


@st.composite
def _container(draw: st.DrawFn, container: Any, spec: Any) -> Any:
    made = dict(container)
    if not made.get("imagePullPolicy") and draw(st.booleans()):
        made["imagePullPolicy"] = implied_pull_policy(made["image"])
    resources = made.get("resources") or {}
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    implied = {name: amount for name, amount in limits.items() if name not in requests}
    if draw(st.booleans()) and implied:
        made["resources"] = {**resources, "requests": {**requests, **implied}}
    if spec.get("hostNetwork") and draw(st.booleans()):
        made["ports"] = [{"hostPort": port["containerPort"], **port} for port in made.get("ports") or ()]
    return made


def implied_pull_policy(image: str) -> str:
    """As Kubernetes' documentation says it, for the images of tests."""
    name, digest = image.rpartition("/")[2], "@" in image
    tagged = ":" in name.partition("@")[0]
    latest = name.partition("@")[0].endswith(":latest") or not (tagged or digest)
    return "Always" if latest else "IfNotPresent"
