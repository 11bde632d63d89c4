"""What is said of a request that has no answer."""

from __future__ import annotations

import pytest

from twinhull.shell.errors import Unreachable
from twinhull.shell.transport import Request, unreachable


@pytest.mark.parametrize(
    ("error", "text"), [(TimeoutError(), "TimeoutError"), (OSError("no route to host"), "no route to host")]
)
def test_an_error_without_words_is_named(error: Exception, text: str) -> None:
    with pytest.raises(Unreachable) as raised, unreachable(Request("GET", "/api/v1/pods")):
        raise error
    assert str(raised.value) == f"GET /api/v1/pods: {text}"
