"""Reasons: when the operator gives each, and what a person does about it.

Each file has the reasons of one place, such as the Ready condition or Events. The page
docs/troubleshooting.md is made from these tables, and metrics count by them. A test compares them with
api/reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from twinhull.api.reasons import Reason
from twinhull.core.reasons.elsewhere import ACCESS, EVENTS, EXITS, ISOLATION, LOG, SETTLED
from twinhull.core.reasons.hulls import HULLS
from twinhull.core.reasons.others import OTHERS
from twinhull.core.reasons.progress import PROGRESS
from twinhull.core.reasons.row import ReasonRow
from twinhull.core.reasons.stalled import STALLED
from twinhull.core.reasons.writes import WRITES

__all__ = ["KNOWN", "SECTIONS", "ReasonRow", "row_of"]

_READY: Mapping[Reason, ReasonRow] = MappingProxyType(PROGRESS | STALLED | WRITES | HULLS)

#: The title of each table, and the table, in the order of the page.
SECTIONS: tuple[tuple[str, Mapping[Reason, ReasonRow] | Mapping[str, ReasonRow]], ...] = (
    ("Ready: our own reasons", _READY),
    ("Ready: what containers, nodes and KubeVirt say", OTHERS),
    ("Where it runs", ISOLATION),
    ("Reconciling, Stalled, and policies", SETTLED),
    ("AccessRequests", ACCESS),
    ("Events", EVENTS),
    ("How a run ended", EXITS),
    ("In the operator's log alone", LOG),
)
#: The reasons of the Ready condition that have a row.
KNOWN: frozenset[str] = frozenset(_READY.keys() | OTHERS.keys())


def row_of(reason: str) -> ReasonRow | None:
    """The row of a reason, None if no table has one: other components make up reasons, too."""
    tables: Iterator[dict[str, ReasonRow]] = (
        {str(key): row for key, row in table.items()} for _, table in SECTIONS
    )
    return next((table[reason] for table in tables if reason in table), None)
