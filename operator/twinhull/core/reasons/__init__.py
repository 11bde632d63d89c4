"""Every reason: when it is given, and what to do. What divides the files is where a reason is given.

The page docs/troubleshooting.md is made from it, metrics count by it, and a test holds it to api/reasons.
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

#: All tables, in the order of the page, each by its title.
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
#: Those that the Ready condition is known to have.
KNOWN: frozenset[str] = frozenset(_READY.keys() | OTHERS.keys())


def row_of(reason: str) -> ReasonRow | None:
    """What is said of a reason, None if it is none of ours, nor one of others' that are known."""
    tables: Iterator[dict[str, ReasonRow]] = (
        {str(key): row for key, row in table.items()} for _, table in SECTIONS
    )
    return next((table[reason] for table in tables if reason in table), None)
