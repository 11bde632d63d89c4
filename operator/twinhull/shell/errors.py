"""What can go wrong between the operator and the API server.

ApiError
├── Unreachable      no answer, or none in time
├── Unauthorized     401, even with fresh credentials
├── NotFound         404: the object, its namespace, or its kind
├── AlreadyExists    409 on creation
├── Conflict         409 otherwise: a precondition doesn't hold
├── Refused          400, 403, 422: asking again in the same way is of no use
├── NotLeading       not sent: another operator may act by now
└── ServerError      429, 5xx, and whatever else: it may pass
"""

from __future__ import annotations

from twinhull.api.base import Raw


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


class Refused(ApiError):
    """The request is wrong, forbidden or invalid."""


class NotLeading(ApiError):
    """Nothing was asked for, since another operator may be at work by now."""


class ServerError(ApiError):
    """The server or one of its webhooks failed, or is too busy."""


def from_status(code: int, status: Raw) -> ApiError:
    """The error that a response's code and Status object (meta/v1) stand for."""
    message = str(status.get("message") or f"the API server answered {code}")
    if code == 409:  # noqa: PLR2004
        return AlreadyExists(message) if status.get("reason") == "AlreadyExists" else Conflict(message)
    kinds: dict[int, type[ApiError]] = {
        400: Refused,
        401: Unauthorized,
        403: Refused,
        404: NotFound,
        422: Refused,
    }
    return kinds.get(code, ServerError)(message)
