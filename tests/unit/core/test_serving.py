"""Which of several hulls serves, in the two orders that there are."""

from __future__ import annotations

from itertools import permutations

from twinhull.core.serving import serving_first, serving_or_newest
from twinhull.hulls import pod
from twinhull.hulls.hull import Hull

from .objects import at, ended, hull, running


def made(name: str, seconds: float, *, deleting: bool = False, **status: object) -> Hull:
    """A Pod that was created that many seconds after everything else."""
    obj = hull("Pod", name, status=dict(status), deleting=deleting)
    metadata = {"creationTimestamp": at(seconds), "uid": name, **obj["metadata"]}
    return pod.read(obj | {"metadata": metadata})


#: From the one that is kept first to the one that goes first.
SERVES = made("web-serves", 9, **running())
STARTS = made("web-starts", 2, **running(ready=False))
STARTS_LATER = made("web-later", 5, **running(ready=False))
ENDED = made("web-ended", 1, **ended("Failed"))
GOES = made("web-goes", 0, deleting=True, **running())
ALL = [SERVES, STARTS, STARTS_LATER, ENDED, GOES]


def test_the_hull_that_serves_is_first_and_then_the_one_that_was_there_first() -> None:
    assert all(serving_first(hulls) == ALL for hulls in permutations(ALL))


def test_of_two_that_are_alike_the_one_that_is_to_be_last_is_last() -> None:
    twin = made("web-twin", 2, **running(ready=False))
    assert serving_first([twin, STARTS], last=twin) == [STARTS, twin]
    assert serving_first([twin, STARTS], last=STARTS) == [twin, STARTS]


def test_while_none_serves_the_newest_is_what_was_wanted_last() -> None:
    assert serving_or_newest(ALL) is SERVES
    assert serving_or_newest([STARTS, STARTS_LATER, ENDED, GOES]) is STARTS_LATER
    assert serving_or_newest([ENDED, GOES]) is ENDED
