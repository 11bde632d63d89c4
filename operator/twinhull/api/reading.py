"""Reading a Workload that the API server let in, by whatever CustomResourceDefinition it has."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import ValidationError

from twinhull.api.base import Raw
from twinhull.api.workload import Workload


class Unreadable(Exception):
    """An object says what this version's models don't know; the text names the field."""


class Reading(NamedTuple):
    """A Workload, and whether the whole of its status could be read."""

    workload: Workload
    whole: bool


def read(obj: Raw) -> Reading:
    """The Workload. Raises Unreadable for a spec that a newer or edited definition let in.

    A part of the status that a newer operator wrote is left out, to be told anew: all but `exit`, as a run to
    completion mustn't be repeated.
    """
    try:
        return Reading(Workload.model_validate(obj), whole=True)
    except ValidationError as error:
        problems = {tuple(map(str, found["loc"])): found["msg"] for found in error.errors()}
    told = {place[1] for place in problems if place[0] == "status" and len(place) > 1}
    if told and "exit" not in told and all(place[0] == "status" for place in problems):
        kept = {key: value for key, value in obj["status"].items() if key not in told}
        return Reading(Workload.model_validate({**obj, "status": kept}), whole=False)
    place, message = next(iter(problems.items()))
    raise Unreadable(f"{'.'.join(place)}: {message}")
