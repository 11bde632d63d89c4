"""Quotas: whether a new hull that exceeds a quota, by the API server's sentence, fits once others have ended.

Source of the sentence: k8s.io/apiserver, pkg/admission/plugin/resourcequota/controller.go, CheckRequest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from twinhull.hulls import quantity
from twinhull.hulls.hull import Hull
from twinhull.hulls.resources import held
from twinhull.hulls.types import type_that_made

_SENTENCE = re.compile(r"exceeded quota: \S+, requested: (\S+), used: (\S+), limited: (\S+)")
#: How many exceeded resources of one quota are summed up.
_MOST_RESOURCES = 16


def fits_without(sentence: str, hulls: Iterable[Hull]) -> bool:
    """Whether an object that exceeds a quota now would fit once these hulls are gone; True in doubt.

    Doubt remains for launcher Pods, whose usage isn't known, and for a quota with scopes that the hulls
    aren't in: for both, more may count as freed than is. A sentence with very many resources is in doubt,
    too, since each of them is summed over all containers of all hulls.
    """
    match = _SENTENCE.search(sentence)
    if match is None:
        return True
    try:
        requested, used, limited = (dict(_amounts(text)) for text in match.groups())
    except ValueError:  # the sentence was cut, or is of a kind that isn't known
        return True
    if len(requested) > _MOST_RESOURCES:
        return True
    gone = [hull for hull in hulls if not hull.ended]
    for resource, amount in requested.items():
        if resource not in used or resource not in limited:
            return True
        free = _freed(resource, gone)
        stays = Decimal(0) if free is None else max(used[resource] - free, Decimal(0))
        if amount + stays > limited[resource]:
            return False
    return True


def _amounts(text: str) -> Iterator[tuple[str, Decimal]]:
    """The amounts in a list such as `pods=1,requests.cpu=500m`. Raises ValueError."""
    for part in text.split(","):
        resource, _, amount = part.rpartition("=")
        yield resource, quantity.parse(amount)


def _freed(resource: str, hulls: Iterable[Hull]) -> Decimal | None:
    """How much of a quota's resource hulls hold at most, None if that isn't known."""
    total = Decimal(0)
    for hull in hulls:
        holds = _held(resource, hull)
        if holds is None:
            return None
        total += holds
    return total


def _held(resource: str, hull: Hull) -> Decimal | None:
    if resource in type_that_made(hull).quota:
        return Decimal(1)
    if resource.startswith("count/") or resource in {"configmaps", "services", "secrets"}:
        return Decimal(0)
    return None if type_that_made(hull).run_by_kubevirt else held(hull.obj["spec"], resource)
