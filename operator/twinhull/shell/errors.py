"""What can go wrong between the operator and the API server.

ApiError
├── Unreachable      no answer, or none in time
├── Unauthorized     401, even with fresh credentials
├── NotFound         404: the object, its namespace, or its kind
├── AlreadyExists    409 on creation
├── Conflict         409 otherwise: a precondition doesn't hold
├── Gone             410: the version is too old to go on from
├── Refused          400, 403, 422: asking again in the same way is of no use
├── NotLeading       not sent: another operator may act by now
├── Busy             not sent: enough writes of that kind are under way
├── Open             not sent: writes of that kind time out
└── ServerError      429, 5xx, and whatever else: it may pass
    └── TimedOut     a webhook, or the server itself, hasn't answered in time
"""

from __future__ import annotations

import re
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.brevity import shortened

#: What a time-out sounds like, in Go's words: of a context, an HTTP client, a connection; the API server's
#: own sentence is the last (k8s.io/apimachinery, pkg/api/errors, NewTimeoutError). The webhook's URL, which
#: is in the same message, has `?timeout=` in any case.
_TIMED_OUT = re.compile(
    r"deadline exceeded|Client\.Timeout|i/o timeout|handshake timeout|did not complete within"
)


class ApiError(Exception):
    """The API server didn't do what it was asked to; the message is its own."""


class Unreachable(ApiError):
    """No answer, or none in time: it may or may not have been done."""


class Unauthorized(ApiError):
    """The credentials aren't accepted."""


class NotFound(ApiError):
    """The object, its namespace or its kind isn't there."""


class AlreadyExists(ApiError):
    """There is an object of that name."""


class Conflict(ApiError):
    """A precondition doesn't hold, such as the uid."""


class Gone(ApiError):
    """The version that was to be gone on from is too old."""


class Refused(ApiError):
    """The request is wrong, forbidden or invalid."""


class NotLeading(ApiError):
    """Nothing was asked for, since another operator may lead by now."""


class Busy(ApiError):
    """Nothing was asked for yet, since enough writes of the kind are under way. It is told when to try."""


class CircuitOpen(ApiError):
    """Nothing was asked for, since writes of the kind time out: the message is the last such one's. `until`
    is when to ask again, unless it is told before.
    """

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class ServerError(ApiError):
    """The server or one of its webhooks failed, or is too busy."""


class TimedOut(ServerError):
    """The server or one of its webhooks hasn't answered in time."""


def from_status(code: int, status: Raw) -> ApiError:
    """The error that a response's code and Status object (meta/v1) stand for."""
    message = shortened(str(status.get("message") or f"the API server answered {code}"))
    if code == 409:  # noqa: PLR2004
        return AlreadyExists(message) if status.get("reason") == "AlreadyExists" else Conflict(message)
    kinds: dict[int, type[ApiError]] = {
        400: Refused,
        401: Unauthorized,
        403: Refused,
        404: NotFound,
        410: Gone,
        422: Refused,
    }
    failed = TimedOut if code >= 500 and _TIMED_OUT.search(message) else ServerError  # noqa: PLR2004
    return kinds.get(code, failed)(message)
