from __future__ import annotations

import pytest

from twinhull.shell import errors
from twinhull.shell.errors import ApiError, from_status


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", errors.Refused),
        (401, "Unauthorized", errors.Unauthorized),
        (403, "Forbidden", errors.Refused),
        (404, "NotFound", errors.NotFound),
        (409, "AlreadyExists", errors.AlreadyExists),
        (409, "Conflict", errors.Conflict),
        (409, "", errors.Conflict),
        (422, "Invalid", errors.Refused),
        (429, "TooManyRequests", errors.ServerError),
        (500, "InternalError", errors.ServerError),
        (503, "ServiceUnavailable", errors.ServerError),
        (504, "Timeout", errors.ServerError),
        (418, "", errors.ServerError),
    ],
)
def test_error_of_an_answer(code: int, reason: str, kind: type[ApiError]) -> None:
    found = from_status(code, {"reason": reason, "message": "no"})
    assert (type(found), str(found)) == (kind, "no")


def test_answer_that_says_nothing() -> None:
    assert str(from_status(502, {})) == "the API server answered 502"


_CALL = 'failed calling webhook "x": failed to call webhook: Post "https://10.0.0.1:443/mutate?timeout=10s": '


@pytest.mark.parametrize(
    ("message", "timed_out"),
    [
        (_CALL + "context deadline exceeded", True),
        (_CALL + "net/http: request canceled (Client.Timeout exceeded while awaiting headers)", True),
        (_CALL + "net/http: TLS handshake timeout", True),
        (_CALL + "dial tcp 10.0.0.1:443: i/o timeout", True),
        ("Timeout: request did not complete within the allotted timeout", True),
        (_CALL + "dial tcp 10.0.0.1:443: connect: connection refused", False),
        (_CALL + "no endpoints available for service", False),
    ],
)
def test_a_time_out_is_told_from_other_failures(message: str, timed_out: bool) -> None:  # noqa: FBT001
    assert isinstance(from_status(500, {"message": message}), errors.TimedOut) == timed_out
    assert not isinstance(from_status(403, {"message": message}), errors.ServerError), "a refusal is one"
