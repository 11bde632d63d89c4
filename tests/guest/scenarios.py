"""All scenarios, in the order in which they boot: the longest first, so that none runs alone at the end."""

from __future__ import annotations

from tests.guest.cases import (
    access,
    batch,
    changes,
    claims,
    contract,
    database,
    disks,
    downward,
    ends,
    failures,
    files,
    probes,
    security,
    shared,
    web,
)

assert access  # its cases are of web.WEB

SCENARIOS = (
    probes.PROBES,
    failures.FAILURES,
    changes.CHANGES,
    changes.RESTARTED,
    claims.CLAIMS,
    disks.DISK,
    batch.FAILURE,
    security.SECURITY,
    files.FILES,
    shared.SHARED,
    web.WEB,
    database.DATABASE,
    ends.DRAIN,
    ends.DEADLINE,
    batch.SUCCESS,
    downward.DOWNWARD,
    batch.ON_FAILURE,
    batch.INIT_FAILURE,
    claims.NEXT,
    disks.NEXT,
    disks.REFUSED,
    disks.KILLED,
    disks.MENDED,
    contract.NEWER,
    contract.FORGED,
    contract.UNKEYED,
    contract.MISSING,
)
