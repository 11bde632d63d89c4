"""Parity: what each hull makes of each field of a template, and what it can't honour."""

from __future__ import annotations

from twinhull.hulls.parity.filesystem_claims import VIRTIOFS_STORAGE
from twinhull.hulls.parity.objections import unsupported
from twinhull.hulls.parity.row import FIRST_GUEST, Fate, Row
from twinhull.hulls.parity.table import TABLE, speaking_for
from twinhull.hulls.parity.walk import containers

__all__ = [
    "FIRST_GUEST",
    "TABLE",
    "VIRTIOFS_STORAGE",
    "Fate",
    "Row",
    "containers",
    "speaking_for",
    "unsupported",
]
