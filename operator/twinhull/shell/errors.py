"""The errors of requests to the API server.

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
├── CircuitOpen      not sent: writes of that kind time out
└── ServerError      429, 5xx, and whatever else: it may pass
    └── TimedOut     a webhook, or the server itself, hasn't answered in time
"""

from __future__ import annotations

import re
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.api.brevity import shortened

#: Go's words for a time-out: of a context, an HTTP client, a connection. The last ones are the API server's
#: own sentence (k8s.io/apimachinery, pkg/api/errors, NewTimeoutError). `timeout` alone isn't enough: the
#: webhook's URL, which is in the same message, always has `?timeout=`.
_TIMED_OUT = re.compile(
    r"deadline exceeded|Client\.Timeout|i/o timeout|handshake timeout|did not complete within"
)


class ApiError(Exception):
    """A request to the API server failed. The message is the API server's own, if it gave one."""


class Unreachable(ApiError):
    """No answer came, or none in time: the request may or may not have had its effect."""


class Unauthorized(ApiError):
    """The credentials aren't accepted."""


class NotFound(ApiError):
    """The object, its namespace or its kind doesn't exist."""


class AlreadyExists(ApiError):
    """An object of that name exists already."""


class Conflict(ApiError):
    """A precondition doesn't hold, such as the uid."""


class Gone(ApiError):
    """The resource version from which to go on is too old."""


class Refused(ApiError):
    """The request is wrong, forbidden or invalid."""


class NotLeading(ApiError):
    """Nothing was sent, since another operator may lead by now."""


class Busy(ApiError):
    """Nothing was sent, since enough writes of the kind are under way. The Workload is woken when there is a
    place.
    """


class CircuitOpen(ApiError):
    """Nothing was sent, since writes of the kind time out. The message is that of the last write that timed
    out. `until` is when to try again, unless the Workload is woken before.
    """

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class ServerError(ApiError):
    """The server or one of its webhooks failed, or is too busy."""


class TimedOut(ServerError):
    """The server or one of its webhooks hasn't answered in time."""


def from_status(code: int, status: Raw) -> ApiError:
    """The error for a response, by its code and its Status object (meta/v1)."""
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
