"""Berths are given by rank, and never more than there are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.controlplane.polling import eventually
from tests.guest.berths import FIRST, Berths, BerthsClosed

pytestmark = pytest.mark.guest_quick


@pytest.fixture
def crew() -> Iterator[ThreadPoolExecutor]:
    """Who asks for berths while the test has them."""
    with ThreadPoolExecutor(8) as crew:
        yield crew


def come(crew: ThreadPoolExecutor, berths: Berths, name: str, rank: int) -> Future[None]:
    """Somebody who comes for a berth, and leaves it at once. Gives back once they wait for it."""

    def stay() -> None:
        with berths.berth(name, rank):
            pass

    waiting = len(berths.queue)
    coming = crew.submit(stay)
    eventually(lambda: len(berths.queue) > waiting, 10, f"{name} waits")
    return coming


def test_the_lowest_rank_is_first_and_of_one_rank_who_came_first(crew: ThreadPoolExecutor) -> None:
    berths = Berths(1)
    with berths.berth("early", 5):
        come(crew, berths, "late", 4)
        come(crew, berths, "later", 4)
        come(crew, berths, "first", FIRST)
    crew.shutdown()
    assert [stay.name for stay in berths.stays] == ["early", "first", "late", "later"]


def test_there_are_no_more_than_so_many(crew: ThreadPoolExecutor) -> None:
    berths = Berths(2)
    with berths.berth("one", 1), berths.berth("two", 1):
        third = come(crew, berths, "three", 1)
        assert [stay.name for stay in berths.stays] == ["one", "two"]
    third.result(10)
    assert all(stay.ended is not None for stay in berths.stays)


def test_a_berth_that_is_left_early_is_the_nexts(crew: ThreadPoolExecutor) -> None:
    berths = Berths(1)
    with berths.berth("one", 1) as stay:
        second = come(crew, berths, "two", 1)
        berths.leave(stay)
        second.result(10)
        left = stay.ended
    assert stay.ended == left, "it isn't left a second time"


def test_who_waits_when_the_run_is_over_is_told(crew: ThreadPoolExecutor) -> None:
    berths = Berths(1)
    with berths.berth("one", 1):
        second = come(crew, berths, "two", 1)
        berths.close()
        with pytest.raises(BerthsClosed, match="two"):
            second.result(10)
