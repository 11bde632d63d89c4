"""Ids for failures of the operator itself. The status and the log name a failure by the same id."""

from __future__ import annotations

import hashlib
import traceback

_LENGTH = 8


def failure_id(error: BaseException) -> str:
    """An id for an exception. The same failure at the same lines has the same id, however deep it recursed,
    so that a status that names it doesn't change with each attempt.
    """
    lines = dict.fromkeys(
        f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_code.co_qualname}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    )
    text = "\n".join((type(error).__qualname__, *lines))
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
