"""Names of objects and ports, as Kubernetes has them (RFC 1123; k8s.io/apimachinery, pkg/util/validation)."""

from __future__ import annotations

import re

#: The pattern of a DNS label, such as a namespace's name.
LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#: The pattern of a DNS subdomain, such as most other names: labels with dots between them.
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
#: The most characters of each.
LONGEST_LABEL, LONGEST_SUBDOMAIN = 63, 253

_LABEL, _SUBDOMAIN = re.compile(LABEL), re.compile(SUBDOMAIN)
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
#: Characters that end a segment of a URL's path, or escape another character in it.
_NOT_IN_PATHS = frozenset("/?#%\\")


def is_label(text: str) -> bool:
    """Whether a text is a DNS label."""
    return len(text) <= LONGEST_LABEL and bool(_LABEL.fullmatch(text))


def is_subdomain(text: str) -> bool:
    """Whether a text is a DNS subdomain."""
    return len(text) <= LONGEST_SUBDOMAIN and bool(_SUBDOMAIN.fullmatch(text))


def is_port_name(text: str) -> bool:
    """Whether a text names a port of a container (RFC 6335, 5.1; IsValidPortName)."""
    return bool(_PORT_NAME.fullmatch(text))


def is_path_segment(text: str) -> bool:
    """Whether a text stays one segment of a URL's path, as the API server requires of each name
    (k8s.io/apimachinery, pkg/api/validation/path, IsValidPathSegmentName).
    """
    return text not in {"", ".", ".."} and _NOT_IN_PATHS.isdisjoint(text) and text.isprintable()
