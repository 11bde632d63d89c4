"""Slots are given by rank, and never more than there are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.controlplane.polling import eventually
from tests.guest.boot_slots import FIRST, BootSlots, BootSlotsClosed

pytestmark = pytest.mark.guest_quick


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that ask for slots while the test has them."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def ask_for_slot(threads: ThreadPoolExecutor, boot_slots: BootSlots, name: str, rank: int) -> Future[None]:
    """Asks for a slot and leaves it at once. Gives back when that is in the queue."""

    def use() -> None:
        with boot_slots.slot(name, rank):
            pass

    waiting = len(boot_slots.queue)
    asking = threads.submit(use)
    eventually(lambda: len(boot_slots.queue) > waiting, 10, f"{name} waits")
    return asking


def test_the_lowest_rank_is_first_and_of_one_rank_who_came_first(threads: ThreadPoolExecutor) -> None:
    boot_slots = BootSlots(1)
    with boot_slots.slot("early", 5):
        ask_for_slot(threads, boot_slots, "late", 4)
        ask_for_slot(threads, boot_slots, "later", 4)
        ask_for_slot(threads, boot_slots, "first", FIRST)
    threads.shutdown()
    assert [slot_use.name for slot_use in boot_slots.slot_uses] == ["early", "first", "late", "later"]


def test_there_are_no_more_than_so_many(threads: ThreadPoolExecutor) -> None:
    boot_slots = BootSlots(2)
    with boot_slots.slot("one", 1), boot_slots.slot("two", 1):
        third = ask_for_slot(threads, boot_slots, "three", 1)
        assert [slot_use.name for slot_use in boot_slots.slot_uses] == ["one", "two"]
    third.result(10)
    assert all(slot_use.ended is not None for slot_use in boot_slots.slot_uses)


def test_a_slot_that_is_left_early_goes_to_the_next_machine(threads: ThreadPoolExecutor) -> None:
    boot_slots = BootSlots(1)
    with boot_slots.slot("one", 1) as slot_use:
        second = ask_for_slot(threads, boot_slots, "two", 1)
        boot_slots.leave(slot_use)
        second.result(10)
        left = slot_use.ended
    assert slot_use.ended == left, "it isn't left a second time"


def test_who_waits_when_the_run_is_over_is_told(threads: ThreadPoolExecutor) -> None:
    boot_slots = BootSlots(1)
    with boot_slots.slot("one", 1):
        second = ask_for_slot(threads, boot_slots, "two", 1)
        boot_slots.close()
        with pytest.raises(BootSlotsClosed, match="two"):
            second.result(10)
