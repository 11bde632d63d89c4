"""The scenarios, in the order in which they boot: the quick quarter, then the others."""

from __future__ import annotations

from tests.guest.cases import (
    batch,
    changes,
    claims,
    contract,
    database,
    downward,
    ends,
    probes,
    security,
    shared,
    troubles,
    web,
)

SCENARIOS = (
    web.WEB,
    database.DATABASE,
    batch.SUCCESS,
    downward.DOWNWARD,
    troubles.TROUBLES,
    changes.CHANGES,
    changes.RESTARTED,
    probes.PROBES,
    batch.FAILURE,
    security.SECURITY,
    shared.SHARED,
    claims.CLAIMS,
    claims.NEXT,
    batch.ON_FAILURE,
    batch.INIT_FAILURE,
    ends.DEADLINE,
    ends.DRAIN,
    contract.NEWER,
    contract.MISSING,
)
