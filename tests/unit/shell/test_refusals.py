from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twinhull.api.reasons import Reason
from twinhull.shell.refusals import RefusalCause, Refusals

WEB, POD = ("shop", "web"), "Pod/web-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CAUSE = RefusalCause(Reason.POD_REFUSED, "exceeded quota", final=True)


def seconds(refusals: Refusals, generation: int = 1) -> float:
    return (refusals.of(WEB, generation)[POD].retry_at - NOW).total_seconds()


def test_refusal_is_remembered() -> None:
    refusals = Refusals()
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    (found,) = refusals.of(WEB, 1).values()
    assert (found.reason, found.message, found.final) == ("PodRefused", "exceeded quota", True)
    assert refusals.of(("shop", "other"), 1) == {}


def test_each_further_one_lasts_twice_as_long_up_to_five_minutes() -> None:
    refusals, waits = Refusals(), []
    for _ in range(100):
        refusals.add(WEB, 1, POD, CAUSE, NOW)
        waits.append(seconds(refusals))
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == 300


def test_another_object_starts_at_the_first_wait() -> None:
    refusals = Refusals()
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    refusals.add(WEB, 1, "Service/web", CAUSE, NOW)
    assert refusals.of(WEB, 1)["Service/web"].retry_at == NOW + timedelta(seconds=2)


def test_changed_spec_is_asked_for_at_once() -> None:
    refusals = Refusals()
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    assert refusals.of(WEB, 2) == {}
    refusals.add(WEB, 2, POD, CAUSE, NOW)
    assert seconds(refusals, 2) == 2
    assert refusals.of(WEB, 1) == {}


def test_what_was_done_after_all_is_forgotten() -> None:
    refusals = Refusals()
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    refusals.settle(WEB, POD)
    assert refusals.of(WEB, 1) == {}
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    assert seconds(refusals) == 2


def test_workload_that_is_gone_is_forgotten() -> None:
    refusals = Refusals()
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    refusals.forget(WEB)
    assert refusals.of(WEB, 1) == {}


def test_those_in_a_row_tell_since_when_until_nobody_asks_any_more() -> None:
    refusals = Refusals()
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    refusals.add(WEB, 1, POD, CAUSE, NOW + timedelta(seconds=2))
    refusal = refusals.of(WEB, 1)[POD]
    assert (refusal.since, refusal.retry_at) == (NOW, NOW + timedelta(seconds=6))
    assert not refusal.is_old(NOW + timedelta(seconds=65))
    assert refusal.is_old(NOW + timedelta(seconds=66))
    later = NOW + timedelta(hours=1)
    refusals.add(WEB, 1, POD, CAUSE, later)
    refusal = refusals.of(WEB, 1)[POD]
    assert (refusal.since, refusal.retry_at) == (later, later + timedelta(seconds=2))


def test_what_is_put_off_keeps_since_when_it_is_refused() -> None:
    refusals, later = Refusals(), NOW + timedelta(seconds=30)
    refusals.add(WEB, 1, POD, CAUSE, NOW)
    refusals.put_off(WEB, 1, POD, CAUSE, later + timedelta(seconds=60), later)
    found = refusals.of(WEB, 1)[POD]
    assert (found.since, found.retry_at) == (NOW, later + timedelta(seconds=60))


def test_one_that_lies_ahead_since_the_clock_was_set_back_is_none() -> None:
    refusals, before = Refusals(), NOW - timedelta(hours=1)
    for _ in range(9):
        refusals.add(WEB, 1, POD, CAUSE, NOW)
    refusal = refusals.of(WEB, 1)[POD]
    assert (refusal.stands(NOW), refusal.is_old(NOW)) == (True, False)
    assert (refusal.stands(before), refusal.is_old(before)) == (False, True)
    refusals.add(WEB, 1, POD, CAUSE, before)
    refusal = refusals.of(WEB, 1)[POD]
    assert (refusal.since, refusal.retry_at) == (before, before + timedelta(seconds=2))
    refusals.put_off(WEB, 1, POD, CAUSE, before, before - timedelta(seconds=9))
    assert refusals.of(WEB, 1)[POD].since == before - timedelta(seconds=9)


def test_what_is_restored_again_soon_counts() -> None:
    refusals, now = Refusals(), NOW
    assert [refusals.record_restoration(WEB, 1, POD, hash("spec.type"), now) for _ in range(3)] == [1, 2, 3]
    assert refusals.record_restoration(WEB, 1, POD, hash("spec.ports"), now) == 1, "it is another thing"
    assert refusals.record_restoration(WEB, 2, POD, hash("spec.ports"), now) == 1, "of another spec"
    later = now + timedelta(minutes=10)
    assert refusals.record_restoration(WEB, 2, POD, hash("spec.ports"), later) == 1, "later"
