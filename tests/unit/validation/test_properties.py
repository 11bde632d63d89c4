"""Whatever a file has, it is told what is wrong with it, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.test_disk_api import BOOTED
from tests.e2e.test_workload_api import EVERYTHING, workload_of
from twinhull.api.base import Raw
from twinhull.cli import main

_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
_VALUES = st.recursive(
    _SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=8,
)
_WHOLE = [BOOTED, workload_of(EVERYTHING)]


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each value in another."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, element in below for path in paths(element, (*at, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], new)
    return copied


@st.composite
def mutants(draw: st.DrawFn) -> Raw:
    """A Workload with a value put in place of another."""
    whole = draw(st.sampled_from(_WHOLE))
    path = draw(st.sampled_from(paths(whole)))
    new = draw(_VALUES)
    found = replaced(whole, path, new)
    return found if isinstance(found, dict) else {"kind": "Workload", "metadata": found}


@pytest.mark.slow
@settings(max_examples=150)
@given(mutants())
def test_any_value_anywhere_is_told(mutant: Raw) -> None:
    text = yaml.safe_dump(mutant)
    result = CliRunner().invoke(main, ["validate", "-", "-o", "json", "--all-isolations"], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), text
    assert result.exit_code in {0, 1, 2}
    report = json.loads(result.stdout)
    lines = text.count("\n")
    assert all(1 <= one["line"] <= lines for one in report["findings"])
    assert (result.exit_code == 1) == (
        not report["unreadable"] and any(one["level"] == "error" for one in report["findings"])
    )
