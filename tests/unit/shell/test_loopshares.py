"""Who has had much of the event loop, by a clock of the test's."""

from __future__ import annotations

from twinhull.shell.loopshares import LoopShares


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_much_is_more_than_a_burst_and_is_made_up_for_by_time() -> None:
    clock = Clock()
    shares = LoopShares(clock)
    shares.charge("flood", 0.09)
    assert not shares.is_heavy("flood")
    shares.charge("flood", 0.03)
    assert (shares.is_heavy("flood"), shares.is_heavy("shop")) == (True, False)
    clock.now += 2
    assert not shares.is_heavy("flood")


def test_a_fiftieth_for_good_is_not_much_and_more_is() -> None:
    clock = Clock()
    shares = LoopShares(clock)
    for _ in range(600):
        clock.now += 1
        shares.charge("shop", 0.02)
        shares.charge("flood", 0.03)
    assert (shares.is_heavy("flood"), shares.is_heavy("shop")) == (True, False)


def test_however_much_it_was_it_is_forgotten_within_a_minute() -> None:
    clock = Clock()
    shares = LoopShares(clock)
    shares.charge("flood", 1e6)
    clock.now += 60
    assert not shares.is_heavy("flood")


def test_namespaces_that_are_even_take_no_memory() -> None:
    clock = Clock()
    shares = LoopShares(clock)
    for number in range(5000):
        clock.now += 1
        shares.charge(f"n{number}", 0.01)
    assert len(shares._even_at) <= 1001  # noqa: SLF001
