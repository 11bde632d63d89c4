"""The options for the operator's settings know each isolation, though they don't import the enumeration."""

from __future__ import annotations

import click

from twinhull.api.isolation import Isolation
from twinhull.cli.operatoroptions import ISOLATIONS
from twinhull.cli.run import run
from twinhull.shell.kopf_process.loglines import FORMATS


def test_the_options_have_each_isolation_the_weakest_first() -> None:
    assert tuple(isolation.value for isolation in Isolation) == ISOLATIONS


def test_the_formats_of_the_log_are_those_of_the_option() -> None:
    (option,) = [parameter for parameter in run.params if parameter.name == "log_format"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(FORMATS)
