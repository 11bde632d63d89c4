"""Parity: what each hull does with each field of a template, and which fields it can't honour."""

from __future__ import annotations

from twinhull.hulls.parity.filesystem_claims import VIRTIOFS_STORAGE
from twinhull.hulls.parity.live_objects import MOST_LIVE, mounted_whole
from twinhull.hulls.parity.objections import ParityContext, in_machines, in_pods
from twinhull.hulls.parity.row import FIRST_GUEST, ChangeEffect, Fate, ParityRow
from twinhull.hulls.parity.table import TABLE, speaking_for
from twinhull.hulls.parity.walk import claim_templates, containers

__all__ = [
    "FIRST_GUEST",
    "MOST_LIVE",
    "TABLE",
    "VIRTIOFS_STORAGE",
    "ChangeEffect",
    "Fate",
    "ParityContext",
    "ParityRow",
    "claim_templates",
    "containers",
    "in_machines",
    "in_pods",
    "mounted_whole",
    "speaking_for",
]
