"""Types of options' values that click lacks."""

from __future__ import annotations

import math
import re
from typing import Any

import click

from twinhull.api.objectnames import LABEL, LONGEST_LABEL, LONGEST_SUBDOMAIN, SUBDOMAIN

_SUBDOMAIN = ("a DNS subdomain (a-z, 0-9, and - or . between them)", SUBDOMAIN, LONGEST_SUBDOMAIN)


class Name(click.types.StringParamType):
    """A name that the API server accepts (k8s.io/apimachinery/pkg/util/validation)."""

    def __init__(self, what: str, pattern: str, longest: int) -> None:
        self._what = what
        self._pattern = re.compile(pattern)
        self._longest = longest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401
        name: str = super().convert(value, param, ctx)
        if len(name) > self._longest or not self._pattern.fullmatch(name):
            self.fail(f"{name!r} is not {self._what} of at most {self._longest} characters", param, ctx)
        return name


#: It can't be empty: in a path, the API server would take an empty namespace for all namespaces.
NAMESPACE = Name("a DNS label (a-z, 0-9 and - between them)", LABEL, LONGEST_LABEL)
OBJECT = Name(*_SUBDOMAIN)


class NameOrNone(Name):
    """A name, or None for an empty text, which a script gives if its variable isn't set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401  str or None
        return super().convert(value, param, ctx) if value else None


#: An object's name, or none.
OBJECT_OR_NONE = NameOrNone(*_SUBDOMAIN)
#: A part of what a reference to an image has to satisfy (github.com/distribution/reference, reference.go).
#: Its registry may be an IPv6 address in brackets.
IMAGE = Name(
    "an image (letters, digits and any of . _ : / @ -)",
    r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9])[A-Za-z0-9._:/@-]*",
    1024,
)


class Seconds(click.FloatRange):
    """A number of seconds in a range. click's own FloatRange accepts nan."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        seconds: float = super().convert(value, param, ctx)
        if not math.isfinite(seconds):
            self.fail(f"{value} is not a number of seconds", param, ctx)
        return seconds
