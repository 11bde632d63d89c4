"""Tables for people: each column is as wide as its longest cell."""

from __future__ import annotations

from twinhull.view.screen import layout as columns

__all__ = ["columns"]
