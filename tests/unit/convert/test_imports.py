"""What conversions import: a command line that converts isn't to wait for models that it doesn't need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from twinhull.api import templatebounds
from twinhull.convert.docker import bounds


@pytest.mark.parametrize("module", ["twinhull.convert.compose", "twinhull.convert.dockerrun"])
def test_a_conversion_makes_no_models(module: str) -> None:
    script = f"import sys, {module}; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"


def test_bounds_are_those_of_the_crd() -> None:
    for name in ("MOST_VOLUMES", "MOST_ELEMENTS", "MOST_VALUES", "LONGEST_TEXT"):
        assert getattr(bounds, name) == getattr(templatebounds, name)
