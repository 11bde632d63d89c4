"""The objections of hull types to a template, for tests."""

from __future__ import annotations

from typing import Any

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls.parity import ParityContext
from twinhull.hulls.types import type_giving


def unsupported(
    template: Raw, isolation: Isolation = Isolation.VIRTUAL_MACHINE, **context: Any
) -> tuple[UnsupportedField, ...]:
    """The fields of a template that the first type of an isolation can't honour, under a ParityContext."""
    return type_giving(isolation).unsupported(template, ParityContext(**context))
