"""Findings: what is wrong with an object, where, and which check found it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from twinhull.api.group import Raw
from twinhull.validation import mounts
from twinhull.validation.document import refusals
from twinhull.validation.rules import Unchecked


class Level(StrEnum):
    """How bad a finding is. Only an error makes a check fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Source(StrEnum):
    """The check that found something."""

    SCHEMA = "schema"
    CEL = "cel"
    PARITY = "parity"
    POLICY = "policy"
    EVASION = "evasion"
    OPERATOR = "operator"
    UNCHECKED = "unchecked"


#: What a finding of each source means, for reports.
MEANINGS: Mapping[Source, str] = {
    Source.SCHEMA: "The API server refuses the object by the schema of its kind.",
    Source.CEL: "The API server refuses the object by a CEL rule of its kind.",
    Source.PARITY: "The isolation can't honour the field.",
    Source.POLICY: "IsolationPolicies reject the Workload.",
    Source.EVASION: "The field reaches past the isolation.",
    Source.OPERATOR: "The operator would make no hull for the Workload.",
    Source.UNCHECKED: "This rule wasn't checked.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about an object that a person should know."""

    level: Level
    source: Source
    #: The path of the field, such as `spec.template.spec.hostNetwork`; empty if it is about the whole object.
    path: str
    #: What is wrong, and what to do about it.
    message: str


def of_object(kind: str, document: Raw) -> Iterator[Finding]:
    """Why the API server would refuse an object of one of our kinds, and which rules weren't checked."""
    by_schema = False
    for issue in refusals(kind, document):
        if isinstance(issue, Unchecked):
            yield Finding(Level.NOTE, Source.UNCHECKED, issue.path, f"not checked, {issue.why}: {issue.rule}")
        else:
            by_schema |= issue.by == "schema"
            for problem in mounts.one_by_one(issue.problem, document):
                yield Finding(Level.ERROR, Source(issue.by), problem.path, problem.message)
    if by_schema:
        yield Finding(
            Level.NOTE, Source.UNCHECKED, "", "the CEL rules aren't checked until the errors are gone"
        )
