"""What was told is remembered of each namespace, however much is told of others."""

from __future__ import annotations

from twinhull.shell.event_series import EventSeries


def repeats() -> EventSeries:
    return EventSeries(lambda: 0.0)


def test_the_same_is_told_three_times_and_then_counted() -> None:
    series, now = repeats(), 0.0
    assert [series.count("shop", "a") for _ in range(5)] == [1, 1, 1, 0, 0]
    later = EventSeries(lambda: now)
    assert [later.count("shop", "a") for _ in range(5)] == [1, 1, 1, 0, 0]
    now = 600.0
    assert later.count("shop", "a") == 3


def test_the_same_of_another_namespace_is_another() -> None:
    series = repeats()
    assert [series.count(namespace, "a") for namespace in "abcd"] == [1, 1, 1, 1]


def test_a_namespace_of_which_much_is_told_loses_its_own() -> None:
    series = repeats()
    for number in range(100):
        for _ in range(4):
            series.count("shop", number)
    for number in range(10_000):
        series.count("flood", number)
    assert {series.count("shop", number) for number in range(100)} == {0}
    assert series.count("flood", 9_999) == 1
    assert [series.count("flood", 0) for _ in range(3)] == [1, 1, 1], "that was forgotten"


def test_no_more_is_remembered_however_many_namespaces_there_are() -> None:
    series = repeats()
    for number in range(5_000):
        series.count(f"n{number}", "a")
    assert sum(map(len, series._series.values())) == len(series._series) == 4_096  # noqa: SLF001
