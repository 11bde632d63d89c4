"""An isolation on the command line, by its short name or by the value that spec.isolationPolicy has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from twinhull.verbs.isolationnames import policy_of


class IsolationChoice(click.Choice[str]):
    """A choice of isolations by any of their names: `VirtualMachine`, `machine` and `vm` are the same. The
    help shows the names in `choices`. The value is that of spec.isolationPolicy.
    """

    def __init__(self, choices: Sequence[str]) -> None:
        super().__init__(choices)
        self._policies = {policy_of(choice) for choice in choices}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  click's
        """The value of spec.isolationPolicy."""
        policy = policy_of(str(value))
        if policy is None or policy not in self._policies:
            return super().convert(value, param, ctx)  # it fails, and lists the choices
        return policy
