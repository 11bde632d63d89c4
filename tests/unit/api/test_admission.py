"""The admission policies: what of the product's isolations is filled into their CEL, and how they are bound.

What they decide is tested on a real API server (tests/e2e/operator/test_admission.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from twinhull.api.admission import admission, workload_images
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation, strengths
from twinhull.hulls.types import machine_isolations

ISOLATION, IMAGES = (obj["spec"] for obj in admission(machine_isolations())[::2])


def variables(spec: Raw) -> dict[str, str]:
    return {variable["name"]: variable["expression"] for variable in spec["variables"]}


def texts(value: Any) -> Iterator[str]:
    """The CEL in a part of a policy."""
    for element in value if isinstance(value, list) else [value]:
        yield from (element[key] for key in ("expression", "messageExpression") if key in element)


def test_the_order_of_isolations_is_the_products() -> None:
    assert variables(ISOLATION)["strengths"] == strengths()
    assert "params.spec.minimum == 'VirtualMachine' ? '' : ' or stronger'" in variables(ISOLATION)["required"]


def test_rules_for_images_are_for_those_isolations_that_a_machine_gives() -> None:
    assert machine_isolations() == (Isolation.VIRTUAL_MACHINE,)
    assert variables(IMAGES)["ruled"].startswith("object.spec.isolationPolicy in ['VirtualMachine'] && ")
    *_, others, _ = admission([Isolation.SANDBOX, Isolation.VIRTUAL_MACHINE])
    assert "isolationPolicy in ['Sandbox', 'VirtualMachine'] && " in variables(others["spec"])["ruled"]


@pytest.mark.parametrize("spec", [ISOLATION, IMAGES], ids=["isolation", "images"])
def test_every_refusal_depends_on_whom_the_policy_concerns(spec: Raw) -> None:
    guards = {"variables.concerned", "variables.ruled"}
    assert "variables.concerned" in variables(IMAGES)["ruled"]
    for validation in spec["validations"]:
        refused = re.fullmatch(r"!\((.*)\)", validation["expression"])
        assert refused is not None
        assert "||" not in refused[1]
        assert guards & set(refused[1].split(" && "))


@pytest.mark.parametrize("spec", [ISOLATION, IMAGES], ids=["isolation", "images"])
def test_no_macro_is_left_and_each_text_is_one_line_without_comments(spec: Raw) -> None:
    for part in ("matchConditions", "variables", "validations"):
        for text in texts(spec[part]):
            assert not re.search(r"\$\w", text)
            assert "//" not in text
            assert "\n" not in text


def test_tools_get_the_images_without_variables() -> None:
    assert "variables." not in workload_images()
