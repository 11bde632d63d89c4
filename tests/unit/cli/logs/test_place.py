"""Where a log goes on that was cut off anywhere: no line is lost, and none is shown twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.cli.kubeletlog import SECOND, START, KubeletLog
from twinhull.cli.logs import place, stamps
from twinhull.cli.logs.place import LogPlace
from twinhull.reach.entry import Query

FOLLOW = (("follow", "true"),)
STAMPED = ("timestamps", "true")
#: Of few times and texts many are alike. Some pieces end no line.
TIMES = st.sampled_from([0, 0, 1, 1000, SECOND // 2, SECOND - 1, SECOND, 2 * SECOND, 90 * SECOND])
TEXTS = st.sampled_from(
    [
        *(b"a\n", b"a\n", b"b\n", b"\n", b" x\r\n", b"part", b"2026-01-01T00:00:00Z b\n"),
        *(b"\x00\xff\x1b\r", b"y" * 5000),
    ]
)
#: How many bytes come of an answer before it is cut off, and how many at a time.
LENGTHS, AT_A_TIME = st.integers(0, 400), st.sampled_from([1, 7, 64, 1 << 20])


class Reader:
    """Shows a log, as often cut off as one likes. Its own clock stands still until it is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log: KubeletLog, *query: tuple[str, str]) -> None:
        self.log, self.clock = log, 0.0
        self.place = LogPlace((*FOLLOW, *query))
        self.shown = b""
        self.queries: list[dict[str, str]] = []
        monkeypatch.setattr(place, "uptime", lambda: self.clock)

    def read(self, length: int | None = None, at_a_time: int = 1 << 20, lasting: float = 0) -> None:
        """Show so many bytes of the next answer, or all."""
        self.queries.append(dict(self.place.ask()))
        asked_at = self.clock
        answer = self.log.answer(self.queries[-1])[:length]
        for at in range(0, len(answer), at_a_time):
            self.shown += self.place.take(answer[at : at + at_a_time])
        self.clock += lasting
        self.place.has_ended(asked_at)

    def end(self) -> bytes:
        """All that was shown, once no more comes."""
        self.read()
        self.shown += self.place.end()
        return self.shown


def log_of(*pieces: tuple[int, bytes]) -> KubeletLog:
    log = KubeletLog()
    for time, text in pieces:
        log.write(time, text)
    return log


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.tuples(TIMES, TEXTS), max_size=8), LENGTHS), max_size=6),
    AT_A_TIME,
    st.sampled_from([timedelta(), timedelta(hours=5, minutes=45)]),
    st.sampled_from(["true", "false"]),
)
def test_a_log_that_is_cut_off_anywhere_is_shown_once_and_whole(
    parts: list[tuple[list[tuple[int, bytes]], int]], at_a_time: int, zone: timedelta, stamps: str
) -> None:
    log, now = KubeletLog(zone), 0
    with pytest.MonkeyPatch.context() as monkeypatch:
        reader = Reader(monkeypatch, log, *([STAMPED] if stamps == "true" else []))
        for pieces, length in parts:
            for time, text in pieces:
                now += time
                # The rest of a line has no timestamp, and is taken for a line with one if it looks like that.
                is_rest = bool(log.pieces) and not log.pieces[-1][1].endswith(b"\n")
                log.write(now, text.replace(b"2026-", b"") if is_rest else text)
            reader.read(length, at_a_time)
        assert reader.end() == log.answer({"timestamps": stamps})


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.lists(TIMES, max_size=8), LENGTHS), max_size=6),
    st.integers(1, 10),
    AT_A_TIME,
)
def test_a_log_that_was_begun_at_its_last_lines_has_none_before_them(
    parts: list[tuple[list[int], int]], tail: int, at_a_time: int
) -> None:
    log, now, begun = KubeletLog(), 0, 0
    with pytest.MonkeyPatch.context() as monkeypatch:
        reader = Reader(monkeypatch, log, ("tailLines", str(tail)))
        for times, length in [*parts, ([], 1 << 20)]:
            for time in times:
                now += time
                log.write(now, b"%c line\n" % (ord("0") + len(log.pieces)))
            if not reader.shown:
                begun = max(0, len(log.pieces) - tail)
            reader.read(length, at_a_time)
        assert reader.end() == b"".join(text for _, text in log.pieces[begun:])


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-SECOND // 2, SECOND // 2), LENGTHS), min_size=1, max_size=12),
    st.integers(1, 20),
    AT_A_TIME,
)
def test_lines_of_two_streams_that_are_out_of_order_are_shown_once(
    lines: list[tuple[int, int]], tail: int, at_a_time: int
) -> None:
    log, begun = KubeletLog(), 0
    with pytest.MonkeyPatch.context() as monkeypatch:
        reader = Reader(monkeypatch, log, *([("tailLines", str(tail))] if tail < len(lines) else []))
        for number, (time, length) in enumerate(lines):
            log.write(number * SECOND // 2 + time, b"%c line\n" % (ord("0") + number))
            if not reader.shown and tail < len(lines):
                begun = max(0, number + 1 - tail)
            reader.read(length, at_a_time)
        shown = reader.end()
    # A line before those that were asked for may be shown, too, but none is shown twice.
    listed = shown.splitlines(keepends=True)
    assert [listed.count(text) for _, text in log.pieces[begun:]] == [1] * len(log.pieces[begun:])
    assert [listed.count(text) for _, text in log.pieces[:begun] if listed.count(text) > 1] == []
    assert begun or shown == log.text


def test_a_log_is_asked_for_from_a_second_before_its_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of((0, b"one\n"), (90 * SECOND + 7, b"two\n"))
    reader = Reader(monkeypatch, log, ("tailLines", "5"), ("sinceSeconds", "3600"))
    reader.read()
    reader.clock += 1e9  # whatever it says
    reader.read()
    assert reader.queries == [
        {"follow": "true", "timestamps": "true", "tailLines": "5", "sinceSeconds": "3600"},
        {"follow": "true", "timestamps": "true", "sinceTime": "2023-11-14T22:14:49Z"},
    ]
    assert reader.shown == b"one\ntwo\n"


def test_what_was_rotated_away_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of((0, b"one\n"), (0, b"two\n"), (1, b"half"))
    reader = Reader(monkeypatch, log)
    reader.read()
    log.pieces = [(0, b"two\n"), (2, b"three\n")]
    reader.read()
    assert reader.shown == b"one\ntwo\nhalf\nthree\n"
    log.pieces = [(2, b"new\n"), (SECOND, b"next\n")]
    assert reader.end() == b"one\ntwo\nhalf\nthree\nnext\n"


def test_lines_that_are_alike_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of(*[(5, b"y\n")] * 100)
    reader = Reader(monkeypatch, log)
    reader.read(len(log.answer(dict([STAMPED]))) // 2)
    assert reader.shown == b"y\n" * 50
    assert reader.end() == b"y\n" * 100


def test_lines_that_are_like_the_one_that_a_log_was_begun_at_stand_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = log_of(*[(5, b"y\n"), (5, b"n\n")] * 50)
    reader = Reader(monkeypatch, log, ("tailLines", "3"))
    reader.read()
    log.write(6, b"new\n")
    log.write(6, b"new\n")
    assert reader.end() == b"n\ny\nn\nnew\nnew\n"


@pytest.mark.parametrize("at_a_time", [512, 1 << 20])
def test_more_than_can_be_remembered_is_shown_once(monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    monkeypatch.setattr(place, "_REMEMBERED", 1000)
    log = log_of(*((number, b"%d\n" % number) for number in range(1000)), (1000, b"x" * 20_000))
    reader = Reader(monkeypatch, log)
    for length in (None, 40_000, None, 50_000):
        reader.read(length, at_a_time)
        log.write(1000, b"x" * 10_000)
    log.write(1001, b"\nlast\n")
    assert reader.end() == log.text
    assert len(reader.place._shown) < 4  # noqa: SLF001  what it remembers


def test_a_line_that_hasnt_ended_is_shown_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    log = log_of((0, b"Pass"))
    reader = Reader(monkeypatch, log)
    reader.read()
    assert reader.shown == b"Pass"
    log.write(SECOND, b"word: ")
    reader.read()
    assert reader.shown == b"Password: "


@pytest.mark.parametrize(
    "query", [(), (("tailLines", "3"),), (("tailLines", "0"),), (("sinceSeconds", "2"),)]
)
def test_what_is_written_while_nothing_was_shown_yet_is_shown(
    monkeypatch: pytest.MonkeyPatch, query: Query
) -> None:
    log = log_of(*([(0, b"old\n")] if dict(query).get("tailLines") == "0" else []))
    log.now = 60 * SECOND
    reader = Reader(monkeypatch, log, *query)
    reader.read(lasting=600)
    reader.clock += 3000
    for number in range(5):
        log.write((3600 + number) * SECOND, b"%d\n" % number)
    log.now = 3660 * SECOND
    assert reader.end() == b"0\n1\n2\n3\n4\n"


def test_an_answer_that_is_cut_off_at_once_doesnt_say_that_the_log_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = log_of((0, b"one\n"), (0, b"two\n"))
    reader = Reader(monkeypatch, log, ("tailLines", "1"))
    reader.read(0)
    reader.read(10)
    assert reader.end() == b"two\n"


def test_a_log_without_timestamps_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(monkeypatch, KubeletLog())
    reader.place.ask()
    for piece in (b"one\n", b"Pass", b"word\n", b"unable to retrieve container logs for containerd://1"):
        reader.shown += reader.place.take(piece)
    reader.place.has_ended(0)
    assert reader.shown == b"one\nPassword\nunable to retrieve container logs for containerd://1"
    reader.clock += 9.5
    assert dict(reader.place.ask())["sinceSeconds"] == "11"
    assert reader.place.take(b"12") + reader.place.end() == b"12"


@pytest.mark.parametrize(
    ("stamp", "time"),
    [
        (b"2023-11-14T22:13:20Z x", START),
        (b"2023-11-14T22:13:20.5Z x", START + SECOND // 2),
        (b"2023-11-15T03:58:20.000000001+05:45 x", START + 1),
        (b"2023-02-30T22:13:20Z x", None),
        (b"2023-11-14T22:13:20Zx", None),
        (b"x", None),
    ],
)
def test_when_a_line_was_written_is_read(stamp: bytes, time: int | None) -> None:
    assert stamps.time_of(stamp) == time


@pytest.mark.parametrize("stamp", [b"0001-01-01T00:00:00Z ", b"9999-12-31T23:59:59.999999999-23:59 "])
def test_a_guest_may_say_any_time(monkeypatch: pytest.MonkeyPatch, stamp: bytes) -> None:
    reader = Reader(monkeypatch, KubeletLog())
    reader.place.ask()
    assert reader.place.take(stamp + b"x\n") == b"x\n"
    reader.place.has_ended(0)
    assert dict(reader.place.ask())["sinceTime"].endswith("Z")
    assert reader.place.take(stamp + b"x\n") == b""
