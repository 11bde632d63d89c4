"""Qualified names: the keys of labels and annotations."""

from __future__ import annotations

import re

from twinhull.api.objectnames import is_subdomain

_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LONGEST_NAME = 63


def is_qualified_name(text: str) -> bool:
    """Whether Kubernetes takes a text for a qualified name (k8s.io/apimachinery, pkg/api/validate/content,
    IsLabelKey): a name, and before it perhaps a DNS subdomain with a slash.
    """
    prefix, slash, name = text.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= _LONGEST_NAME and bool(_NAME.fullmatch(name))


def is_label_value(text: str) -> bool:
    """Whether Kubernetes takes a text for a label's value (the same file, IsLabelValue)."""
    return len(text) <= _LONGEST_NAME and (not text or bool(_NAME.fullmatch(text)))
