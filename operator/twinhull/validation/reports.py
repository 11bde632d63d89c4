"""Reports of findings: as text and JSON, for people and programs, and as GitHub and GitLab show them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from twinhull.api.group import Raw
from twinhull.api.printable import printable
from twinhull.validation.findings import MEANINGS, Finding, Level, Source
from twinhull.validation.positions import Position

_DOCS = "https://github.com/twinhull/twinhull/blob/main/docs/validate.md"
#: SARIF 2.1.0, section 3.27.10 (docs.oasis-open.org/sarif/sarif/v2.1.0).
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: What GitLab and GitHub call each level.
_SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTE: "info"}
_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


@dataclass(frozen=True, slots=True)
class Located:
    """A finding, and where it is."""

    file: str
    position: Position
    #: The object, such as `Workload web`.
    title: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found."""

    findings: tuple[Located, ...]
    #: How many objects of each kind were checked.
    checked: Mapping[str, int]
    #: How many objects of other kinds were passed over.
    others: int
    #: Why files couldn't be read, one a file.
    unreadable: tuple[str, ...]
    #: The version of this program.
    version: str

    def count(self, level: Level) -> int:
        """How many findings there are of a level."""
        return sum(one.finding.level is level for one in self.findings)

    @property
    def summary(self) -> str:
        """What was done, as a sentence."""
        checked = (
            " and ".join(
                _counted(number, kind) for kind, number in sorted(self.checked.items(), reverse=True)
            )
            or "no object of twinhull.dev"
        )
        passed = f", {_counted(self.others, 'other object')} passed over" if self.others else ""
        broken = f", {_counted(len(self.unreadable), 'file')} not read" if self.unreadable else ""
        found = ", ".join(_counted(self.count(level), level) for level in Level if self.count(level))
        done = f"{checked} checked{passed}{broken}"
        if not found and broken:
            return done  # nobody knows what is wrong in a file that can't be read
        return f"{done}: {found or 'nothing is wrong'}"


def text(report: Report) -> str:
    """A line a finding: file:line:column: level: field: message [source]. The last line is the summary."""
    return "".join(f"{line}\n" for line in (*map(_line, report.findings), report.summary))


def as_json(report: Report) -> str:
    """One JSON object."""
    return _dumped(
        {
            "findings": [_raw(one) for one in report.findings],
            "checked": dict(report.checked),
            "passedOver": report.others,
            "unreadable": list(report.unreadable),
        }
    )


def github(report: Report) -> str:
    """GitHub's workflow commands, a line a finding, and the summary (docs.github.com, "Workflow commands for
    GitHub Actions", and its toolkit's packages/core/src/command.ts for what is escaped).
    """
    return "".join(f"{line}\n" for line in (*map(_command, report.findings), report.summary))


def sarif(report: Report) -> str:
    """A log in SARIF 2.1.0, which GitHub's code scanning and many editors read."""
    sources = list(Source)
    driver = {
        "name": "twinhull",
        "version": report.version,
        "informationUri": _DOCS,
        "rules": [
            {"id": source, "shortDescription": {"text": MEANINGS[source]}, "helpUri": _DOCS}
            for source in sources
        ],
    }
    notifications = [{"level": "error", "message": {"text": why}} for why in report.unreadable]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.unreadable,
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [_result(one, sources) for one in report.findings],
    }
    return _dumped({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def gitlab(report: Report) -> str:
    """GitLab's Code Quality report (docs.gitlab.com/ci/testing/code_quality, "Code Quality report format"). A
    file that can't be read isn't in it.
    """
    return _dumped([_issue(one) for one in report.findings])


#: Each format's name, and what makes it.
FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "github": github,
    "gitlab": gitlab,
}


def _line(one: Located) -> str:
    found = one.finding
    where = f"{found.path}: " if found.path else ""
    place = f"{one.file}:{one.position.line}:{one.position.column}"
    return printable(f"{place}: {found.level}: {one.title}: {where}{found.message} [{found.source}]")


def _raw(one: Located) -> Raw:
    found = one.finding
    return {
        "file": one.file,
        "line": one.position.line,
        "column": one.position.column,
        "object": one.title,
        "level": found.level,
        "source": found.source,
        "path": found.path,
        "message": found.message,
    }


def _command(one: Located) -> str:
    found = one.finding
    properties = {
        "file": one.file,
        "line": str(one.position.line),
        "col": str(one.position.column),
        "title": f"{one.title}: {found.source}",
    }
    said = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    where = f"{found.path}: " if found.path else ""
    return f"::{_COMMANDS[found.level]} {said}::{_escaped(where + found.message)}"


def _escaped(said: str, also: str = "") -> str:
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{also}" else sign for sign in said)


def _result(one: Located, sources: list[Source]) -> Raw:
    found = one.finding
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(one.file)},
            "region": {"startLine": one.position.line, "startColumn": one.position.column},
        },
        "logicalLocations": [{"fullyQualifiedName": f"{one.title}: {found.path}"}],
    }
    where = f"{found.path}: " if found.path else ""
    return {
        "ruleId": found.source,
        "ruleIndex": sources.index(found.source),
        "level": found.level,
        "message": {"text": f"{one.title}: {where}{found.message}"},
        "locations": [place],
    }


def _issue(one: Located) -> Raw:
    found = one.finding
    said = f"{one.title}: {found.path}: {found.message}" if found.path else f"{one.title}: {found.message}"
    # GitLab tells a finding of two reports by it. Lines move, so they aren't in it.
    same = sha256(f"{one.file}\0{found.source}\0{said}".encode())
    return {
        "description": said,
        "check_name": f"twinhull-{found.source}",
        "fingerprint": same.hexdigest(),
        "severity": _SEVERITIES[found.level],
        "location": {"path": one.file, "lines": {"begin": one.position.line}},
    }


def _counted(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def located(file: str, title: str, findings: Iterable[tuple[Position, Finding]]) -> Iterator[Located]:
    """The findings of an object in the order of their places, and after them what wasn't checked."""

    def order(found: tuple[Position, Finding]) -> tuple[bool, Position, str]:
        return found[1].source is Source.UNCHECKED, found[0], found[1].path

    for position, finding in sorted(findings, key=order):
        yield Located(file, position, title, finding)
