"""What is said of one reason."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """What a reason means, what to do, and whether the Workload itself has to be changed."""

    #: When it is given.
    means: str
    #: What to do, empty if it goes on by itself.
    remedy: str = ""
    #: Whether a Stalled Workload stays so until it is changed itself, or is allowed. Otherwise it goes on by
    #: itself once something comes that it lacks, is freed, or works again: waiting for it isn't in vain.
    needs_edit: bool = False
