"""What is remembered of what somebody undoes takes the same memory, however much that is."""

from __future__ import annotations

import asyncio
import pickle
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Change
from twinhull.shell.controller import ReconciledObject
from twinhull.shell.refusals import Refusals
from twinhull.shell.undone_writes import UndoneWrites

OWNER = ReconciledObject("shop", "web", "uid", 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def noticed(patches: list[Raw], live: Raw) -> tuple[list[str], Refusals]:
    """What is told of changes that ask for this, one after the other, and what is remembered."""

    async def managed_fields(*_: object) -> list[Raw]:
        return []

    cluster = cast("Any", SimpleNamespace(managed_fields=managed_fields))
    store = cast("Any", SimpleNamespace(get=lambda *_: live))
    refusals = Refusals()
    rivals = UndoneWrites(cluster, store, refusals, lambda: NOW)
    messages = []
    for patch in patches:
        change = Change("ConfigMap", "web", "u", patch, is_upkeep=True)
        cause = asyncio.run(rivals.of_change(OWNER, change))
        messages.append(cause.message if cause else "")
    return messages, refusals


def keys(count: int, value: str | None = None) -> Raw:
    return {"data": {f"key-{number}": value for number in range(count)}}


@pytest.mark.slow
def test_what_is_remembered_is_as_small_for_very_many_fields() -> None:
    few, many = (len(pickle.dumps(noticed([keys(count)] * 3, keys(count, "x"))[1])) for count in (10, 45_000))
    assert many <= few + 16


def test_the_same_fields_in_a_row_have_a_rival_and_others_none() -> None:
    live = keys(100, "x")
    assert [bool(message) for message in noticed([keys(100)] * 4, live)[0]] == [False, False, True, True]
    other_values = [keys(100, value) for value in "abcd"]
    other_fields = [keys(count) for count in (97, 98, 99, 100)]
    for changes in (other_values, other_fields):
        assert noticed(changes, live)[0] == [""] * 4
