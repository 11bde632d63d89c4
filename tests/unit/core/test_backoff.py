"""When hulls that were lost make a Workload Stalled, and when they don't."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from twinhull.api.base import Raw
from twinhull.core.backoff import back_off, to_remember
from twinhull.core.decision import decide

from .objects import CREATED, at, case, hull, running, workload

ALONE: Raw = {"isolationPolicy": "Container", "service": {"enabled": False}}
REVISION = case(workload(ALONE)).revision


def lost(**spec: object) -> Raw:
    """A Workload whose first hull was lost when it began."""
    record = {"revision": REVISION, "losses": 1, "since": at(0), "lostAt": at(0), "retryAt": at(0)}
    status = {"observedGeneration": 1, "backOff": {**record, "hull": "old", "reason": "Evicted"}}
    return workload({**ALONE, **spec}) | {"status": status}


def made(status: Raw, uid: str = "u2", created: int = 5) -> Raw:
    (found,) = case(workload(ALONE)).desired.hull_objects
    about = {"uid": uid, "creationTimestamp": at(created)}
    return {**found, "metadata": {**found["metadata"], **about}, "status": status}


def ahead(losses: int) -> Raw:
    """A Workload whose hulls were lost a day ahead, by the clock of then."""
    record = {"revision": REVISION, "losses": losses, "hull": "old"}
    times = {"since": at(86_400), "lostAt": at(86_500), "retryAt": at(86_800)}
    return workload(ALONE) | {"status": {"observedGeneration": 1, "backOff": {**record, **times}}}


@pytest.mark.parametrize(("losses", "wait"), [(1, 10), (2, 10), (3, 20), (9, 300)])
def test_no_loss_lies_ahead_whatever_the_clock_said(losses: int, wait: int) -> None:
    now = CREATED + timedelta(seconds=5)
    found = back_off(case(ahead(losses), now=now))
    assert found is not None
    assert (found.since, found.lost_at, found.retry_at) == (now, now, now + timedelta(seconds=wait))
    step = decide(case(ahead(losses), now=now))
    assert (step.reason, step.requeue_after) == ("Restarting", timedelta(seconds=wait))


@pytest.mark.parametrize(("unready_since", "stalled"), [(659, False), (6, True)])
def test_a_hull_that_was_ready_since_has_its_time_again(unready_since: int, stalled: bool) -> None:  # noqa: FBT001
    unready = made(running(ready=False, since=unready_since))
    step = decide(case(lost(), unready, now=CREATED + timedelta(seconds=660)))
    assert (step.ready, step.stalled) == ("False", stalled)


def test_a_loss_says_nothing_against_what_serves_while_the_old_hull_leaves() -> None:
    old = hull("Pod", "web-2aaaaaaaaa", status=running())
    old["metadata"]["deletionTimestamp"] = at(650)
    serving = made(running(ready=True, since=600))
    spec = lost(replacement={"strategy": "StartFirst"})
    step = decide(case(spec, serving, old, now=CREATED + timedelta(seconds=660)))
    assert (step.ready, step.stalled) == ("True", False)


def test_a_replacement_that_was_given_up_is_no_loss() -> None:
    first = {**ALONE, "replacement": {"strategy": "StartFirst"}}
    failed = {"revision": REVISION, "generation": 1, "startedAt": at(5), "failedAt": at(605), "message": "m"}
    raw = workload(first) | {"status": {"replacement": failed}}
    new, old = made({"phase": "Pending"}), hull("Pod", "web-2aaaaaaaaa", status=running())
    seen = case(raw, new, old, now=CREATED + timedelta(seconds=606))
    assert back_off(seen) is None
    leaving = {**new["metadata"], "deletionTimestamp": at(640), "deletionGracePeriodSeconds": 30}
    for pods in ([{**new, "metadata": leaving}, old], [old]):
        after = case(raw, *pods, now=CREATED + timedelta(seconds=611))
        after = replace(after, observed=replace(after.observed, remembered=to_remember(seen)))
        assert back_off(after) is None
        seen = after
