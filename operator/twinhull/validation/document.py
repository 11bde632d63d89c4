"""Finds the fields of an object because of which the API server would refuse it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from twinhull.api.group import API_VERSION, Raw
from twinhull.api.validation import Problem, problems
from twinhull.validation.defaults import defaulted
from twinhull.validation.definitions import schemas
from twinhull.validation.objectmeta import wrong_metadata
from twinhull.validation.rules import Unchecked, broken


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field because of which the API server would refuse an object."""

    problem: Problem
    #: What refuses it: the schema, or a rule for all objects; or a rule in CEL.
    by: Literal["schema", "cel"]


def refusals(kind: str, document: Raw) -> Iterator[Refusal | Unchecked]:
    """Why the API server would refuse to create an object of one of our kinds, and which rules can't be
    checked. The document is within the bounds of `bounds.excess`.

    Rules in CEL are evaluated only if nothing else is wrong, as in the API server: they assume that fields
    have their types.
    """
    schema = schemas()[kind]
    if mistakes := [*_wrong_type(document), *_wrong_fields(schema, document)]:
        yield from (Refusal(problem, "schema") for problem in mistakes)
        return
    for rule in broken(schema, defaulted(schema, document)):
        yield rule if isinstance(rule, Unchecked) else Refusal(rule, "cel")


def _wrong_type(document: Raw) -> Iterator[Problem]:
    if document.get("apiVersion") != API_VERSION:
        given = document.get("apiVersion")
        what = "is required: add it" if given is None else f"is {given!r}: use"
        yield Problem("apiVersion", f"{what}{', with ' if given is None else ' '}{API_VERSION}")


def _wrong_fields(schema: Raw, document: Raw) -> Iterator[Problem]:
    text = {"type": "string"}
    # The status belongs to the operator: the API server drops it from what a person writes.
    written = {key: value for key, value in document.items() if key not in {"metadata", "status"}}
    properties = {**schema["properties"], "apiVersion": text, "kind": text}
    yield from wrong_metadata(document.get("metadata"), str(document.get("kind")))
    yield from problems({**schema, "properties": properties}, written)
