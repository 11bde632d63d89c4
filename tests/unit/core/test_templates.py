"""Whatever template the CRD lets in, there is an answer to it: an error would leave the status silent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.podtemplate import podtemplate
from twinhull.core.plan import plan

from .objects import GVISOR, KUBEVIRT, case, companion, workload

_AMOUNTS = st.sampled_from([1, 0.5, "500m", "1e3", "1e1.5", ".5", "9Ei", "-1", 2e9, "1e-9", "0"])


@st.composite
def matching(draw: st.DrawFn, schema: Raw, depth: int = 0) -> Any:  # noqa: PLR0911  one exit a type
    """A value that a structural schema admits, small."""
    if schema.get("x-kubernetes-int-or-string"):
        return draw(st.sampled_from([80, "http", ""]))
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        return draw(_AMOUNTS)
    for part in (schema, *schema.get("allOf", ())):
        if "enum" in part:
            return draw(st.sampled_from(part["enum"]))
    match schema["type"]:
        case "boolean":
            return draw(st.booleans())
        case "integer":
            return draw(
                st.integers(max(0, schema.get("minimum", 0)), min(65535, schema.get("maximum", 65535)))
            )
        case "array":
            return draw(st.lists(matching(schema["items"], depth + 1), min_size=1, max_size=2))
        case "object" if "properties" in schema:
            return draw(_fields(schema, depth))
        case "object":
            values = matching(schema.get("additionalProperties", {"type": "string"}), depth + 1)
            return draw(
                st.dictionaries(st.sampled_from(["cpu", "memory", "example.com/x"]), values, max_size=2)
            )
    return draw(st.sampled_from(["", "a", "web"]))


@st.composite
def _fields(draw: st.DrawFn, schema: Raw, depth: int) -> Raw:
    required = schema.get("required", [])
    optional = sorted(schema["properties"].keys() - set(required))
    chosen = (
        draw(st.lists(st.sampled_from(optional), max_size=4 if depth < 4 else 1, unique=True))
        if optional
        else []
    )
    fields = {name: schema["properties"][name] for name in [*required, *chosen]}
    return {name: draw(_or_null(field, depth + 1)) for name, field in fields.items()}


def _or_null(schema: Raw, depth: int) -> st.SearchStrategy[Any]:
    """Charts print keys with nothing behind them."""
    value = matching(schema, depth)
    return st.one_of(value, value, st.none()) if schema.get("nullable") else value


def _specs() -> st.SearchStrategy[Raw]:
    found: st.SearchStrategy[Raw] = matching(podtemplate()["properties"]["spec"])
    return found


@pytest.mark.slow
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(spec=_specs(), isolation=st.sampled_from(list(Isolation)))
def test_every_template_has_an_answer(spec: Raw, isolation: Isolation) -> None:
    fields = {"isolationPolicy": isolation.value, "sandbox": {"runtimeClassName": "gvisor"}}
    raw = workload(fields, pod=spec)
    manifest = companion("ConfigMap", case(raw).hull_name)
    for objects in ([KUBEVIRT, GVISOR], [KUBEVIRT, GVISOR, manifest]):
        found = plan(case(raw, *objects))
        assert found.actions or found.status
        assert isolation is not Isolation.VIRTUAL_MACHINE or "Pod/" not in {a.key[:4] for a in found.actions}
        paths = [field.path for field in (found.status and found.status.unsupported_fields) or ()]
        assert len(paths) == len(set(paths))
