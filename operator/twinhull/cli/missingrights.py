"""What to do about a right that is missing."""

from __future__ import annotations

import re

#: What the API server says of somebody who may not (k8s.io/apiserver,
#: pkg/endpoints/handlers/responsewriters/errors.go).
_FORBIDDEN = re.compile(r'is forbidden: .* cannot (\S+) resource "([^"]+)" in API group "([^"]*)"')
#: The API groups on whose objects Kubernetes' role edit has the rights that people need.
_GROUPS = frozenset({"", "twinhull.dev"})


def with_right(message: str, page: str = "") -> str:
    """What was refused, with the right that is needed and which role has it, if that is why. `page` is the
    page of docs/ that lists the rights, if one does; a message that names it already stays as it is.
    """
    match = _FORBIDDEN.search(message)
    if not match or match[3] not in _GROUPS or (page and page in message):
        return message
    return (
        f"{message}. You need the right to {match[1]} {match[2]}, which Kubernetes' role edit has: an "
        f"administrator can give it to you{f' ({page}, Rights)' if page else ''}"
    )
