"""Adds to an error which right is missing, and which role has it."""

from __future__ import annotations

import re

#: The API server's words on a missing right (k8s.io/apiserver,
#: pkg/endpoints/handlers/responsewriters/errors.go).
_FORBIDDEN = re.compile(r'is forbidden: .* cannot (\S+) resource "([^"]+)" in API group "([^"]*)"')
#: The API groups on whose objects Kubernetes' role edit has the rights that people need.
_GROUPS = frozenset({"", "twinhull.dev"})


def with_right(message: str, page: str = "") -> str:
    """The message, followed by the missing right and the role that has it if the API server forbade the
    request. `page` is the page of docs/ that lists the rights; a message that names it already isn't changed.
    """
    match = _FORBIDDEN.search(message)
    if not match or match[3] not in _GROUPS or (page and page in message):
        return message
    return (
        f"{message}. You need the right to {match[1]} {match[2]}, which Kubernetes' role edit has: an "
        f"administrator can give it to you{f' ({page}, Rights)' if page else ''}"
    )
