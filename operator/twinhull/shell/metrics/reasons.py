"""Reasons as a label of a metric. Guests, webhooks and plugins may invent any number of reasons."""

from __future__ import annotations

from twinhull.core.reasons import KNOWN


def bounded(reason: str) -> str:
    """The reason as a label: Other for any that the operator doesn't know."""
    return reason if reason in KNOWN else "Other"
