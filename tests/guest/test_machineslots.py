"""Slots are given by rank, and never more than there are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.controlplane.polling import PATIENCE, eventually
from tests.guest.machineslots import FIRST, MachineSlots, SlotsClosed

pytestmark = pytest.mark.guest_quick


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask for slots while the test holds them."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def ask(threads: ThreadPoolExecutor, slots: MachineSlots, name: str, rank: int) -> Future[None]:
    """Has a thread ask for a slot, and release it at once. Returns once the thread waits."""

    def use() -> None:
        with slots.slot(name, rank):
            pass

    waiting = len(slots.queue)
    coming = threads.submit(use)
    eventually(lambda: len(slots.queue) > waiting, 10, f"{name} waits")
    return coming


def test_the_lowest_rank_is_first_and_of_one_rank_who_came_first(threads: ThreadPoolExecutor) -> None:
    slots = MachineSlots(1)
    with slots.slot("early", 5):
        ask(threads, slots, "late", 4)
        ask(threads, slots, "later", 4)
        ask(threads, slots, "first", FIRST)
    threads.shutdown()
    assert [use.name for use in slots.uses] == ["early", "first", "late", "later"]


def test_no_more_slots_are_given_than_there_are(threads: ThreadPoolExecutor) -> None:
    slots = MachineSlots(2)
    with slots.slot("one", 1), slots.slot("two", 1):
        third = ask(threads, slots, "three", 1)
        assert [use.name for use in slots.uses] == ["one", "two"]
    third.result(PATIENCE)
    assert all(use.ended is not None for use in slots.uses)


def test_a_slot_that_is_released_early_goes_to_the_next(threads: ThreadPoolExecutor) -> None:
    slots = MachineSlots(1)
    with slots.slot("one", 1) as use:
        second = ask(threads, slots, "two", 1)
        slots.release(use)
        second.result(PATIENCE)
        released = use.ended
    assert use.ended == released, "it isn't released a second time"


def test_a_thread_that_waits_when_the_run_is_over_gets_an_error(threads: ThreadPoolExecutor) -> None:
    slots = MachineSlots(1)
    with slots.slot("one", 1):
        second = ask(threads, slots, "two", 1)
        slots.close()
        with pytest.raises(SlotsClosed, match="two"):
            second.result(PATIENCE)
