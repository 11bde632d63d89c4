"""Reasons as a label: of those that guests, webhooks and plugins may make up there is no end."""

from __future__ import annotations

from twinhull.core.reasons import KNOWN


def bounded(reason: str) -> str:
    """The reason as a label: those that aren't known are one, Other."""
    return reason if reason in KNOWN else "Other"
