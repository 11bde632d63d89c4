r"""Patterns mean the same to the API server (Go's RE2), to the operator (Rust's regex, by pydantic) and to
`twinhull render` (Python's re): otherwise one admits a Workload that another can't read.

The engines differ in what `\s`, `\d`, `\w`, `\b` and `.` stand for, in what folds to what, and in whether `$`
is also before a last line feed. So no pattern has any of these but `$`, which means the end to all three.
tests/e2e/hostile/test_floors.py asks a real API server about the same values.
"""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from tests.patterns import FIELDS, Field
from tests.unit.api.test_crd import nodes
from twinhull.api.base import Model, Raw
from twinhull.api.crd import crds
from twinhull.api.policy import IsolationPolicySpec
from twinhull.api.validation import problems
from twinhull.api.workload import WorkloadSpec

SCHEMAS: dict[str, Raw] = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] for crd in crds()
}
MODELS: dict[str, type[Model]] = {"Workload": WorkloadSpec, "IsolationPolicy": IsolationPolicySpec}
PATTERNS = sorted(
    {node["pattern"] for schema in SCHEMAS.values() for _, node in nodes(schema) if "pattern" in node}
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_leaves_anything_to_the_engine(pattern: str) -> None:
    bare = re.sub(r"\[[^\]]*\]", "", pattern)  # what is in a class says a dot as it is
    assert not re.search(r"\\[a-zA-Z]|\(\?|(?<!\\)\.", bare)
    assert not re.search(r"\\[^tnfr\\\]-]", "".join(re.findall(r"\[[^\]]*\]", pattern)))
    assert (pattern[0], pattern[-1]) == ("^", "$")


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.kind} {field.name}")
def test_operator_and_render_read_what_the_other_does(field: Field) -> None:
    for value in (field.value, *field.odd()):
        spec = field.spec(value)
        wrong = list(problems(SCHEMAS[field.kind]["properties"]["spec"], spec, "spec"))
        assert _is_read(field.kind, spec) == (not wrong), repr(value)
    assert _is_read(field.kind, field.spec(field.value))


def _is_read(kind: str, spec: Raw) -> bool:
    try:
        MODELS[kind].model_validate(spec)
    except ValidationError:
        return False
    return True
