"""The templates of tests/templates in a machine: how many run as they are."""

from __future__ import annotations

import pytest

from tests.templates import machine_refuses, templates

TEMPLATES = templates()


def test_most_templates_run_in_a_machine_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    taken = [name for name, template in TEMPLATES.items() if not machine_refuses(template)]
    with capsys.disabled():
        print(f" {len(taken)} of {len(TEMPLATES)} templates run in a machine as they are", end="")
    assert len(TEMPLATES) >= 80
    assert len(taken) / len(TEMPLATES) >= 0.62
