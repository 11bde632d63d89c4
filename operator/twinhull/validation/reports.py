"""Reports of findings: as text for people, as JSON for programs, and in the formats of GitHub and GitLab."""

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
#: The names of the levels at GitLab, and at GitHub.
_SEVERITIES = {Level.ERROR: "major", Level.WARNING: "minor", Level.NOTE: "info"}
_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


@dataclass(frozen=True, slots=True)
class Located:
    """A finding, and its place in a file."""

    file: str
    position: Position
    #: The object, such as `Workload web`.
    title: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about files, and what was checked."""

    findings: tuple[Located, ...]
    #: How many objects of each kind were checked.
    checked: Mapping[str, int]
    #: How many objects of other kinds were passed over.
    others: int
    #: Why files couldn't be read, one sentence for each file.
    unreadable: tuple[str, ...]
    #: The version of this program.
    version: str
    #: The error if no object was checked, empty if that is no error.
    nothing: str = ""

    @property
    def failures(self) -> tuple[str, ...]:
        """Why not everything was checked."""
        return (*self.unreadable, *([self.nothing] if self.nothing else ()))

    def count(self, level: Level) -> int:
        """How many findings have a level."""
        return sum(one.finding.level is level for one in self.findings)

    @property
    def summary(self) -> str:
        """What was checked and found, as a sentence."""
        checked = (
            " and ".join(
                _counted(number, kind) for kind, number in sorted(self.checked.items(), reverse=True)
            )
            or "no object of twinhull.dev"
        )
        passed = f", {_counted(self.others, 'other object')} passed over" if self.others else ""
        broken = f", {_counted(len(self.unreadable), 'file')} not read" if self.unreadable else ""
        by_level = ", ".join(_counted(self.count(level), level) for level in Level if self.count(level))
        done = f"{checked} checked{passed}{broken}"
        if not by_level and (broken or not self.checked):
            return done  # a file that can't be read may have any errors
        return f"{done}: {by_level or 'nothing is wrong'}"


def text(report: Report) -> str:
    """One line for each finding: file:line:column: level: field: message [source]. The last line is the
    summary.
    """
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
    """GitHub's workflow commands, one line for each finding, and the summary (docs.github.com, "Workflow
    commands for GitHub Actions"; packages/core/src/command.ts of its toolkit says which characters are
    escaped).
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
    notifications = [{"level": "error", "message": {"text": why}} for why in report.failures]
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not report.failures,
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [_result(one, sources) for one in report.findings],
    }
    return _dumped({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def gitlab(report: Report) -> str:
    """GitLab's Code Quality report (docs.gitlab.com/ci/testing/code_quality, "Code Quality report format").
    Files that can't be read aren't in it.
    """
    return _dumped([_issue(one) for one in report.findings])


#: The function that makes each format, by the format's name.
FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "github": github,
    "gitlab": gitlab,
}


def _line(entry: Located) -> str:
    finding = entry.finding
    where = f"{finding.path}: " if finding.path else ""
    place = f"{entry.file}:{entry.position.line}:{entry.position.column}"
    return printable(f"{place}: {finding.level}: {entry.title}: {where}{finding.message} [{finding.source}]")


def _raw(entry: Located) -> Raw:
    finding = entry.finding
    return {
        "file": entry.file,
        "line": entry.position.line,
        "column": entry.position.column,
        "object": entry.title,
        "level": finding.level,
        "source": finding.source,
        "path": finding.path,
        "message": finding.message,
    }


def _command(entry: Located) -> str:
    finding = entry.finding
    properties = {
        "file": entry.file,
        "line": str(entry.position.line),
        "col": str(entry.position.column),
        "title": f"{entry.title}: {finding.source}",
    }
    joined = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    where = f"{finding.path}: " if finding.path else ""
    return f"::{_COMMANDS[finding.level]} {joined}::{_escaped(where + finding.message)}"


def _escaped(value: str, also: str = "") -> str:
    return "".join(f"%{ord(sign):02X}" if sign in f"%\r\n{also}" else sign for sign in value)


def _result(entry: Located, sources: list[Source]) -> Raw:
    finding = entry.finding
    place = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(entry.file)},
            "region": {"startLine": entry.position.line, "startColumn": entry.position.column},
        },
        "logicalLocations": [{"fullyQualifiedName": f"{entry.title}: {finding.path}"}],
    }
    where = f"{finding.path}: " if finding.path else ""
    return {
        "ruleId": finding.source,
        "ruleIndex": sources.index(finding.source),
        "level": finding.level,
        "message": {"text": f"{entry.title}: {where}{finding.message}"},
        "locations": [place],
    }


def _issue(entry: Located) -> Raw:
    finding = entry.finding
    sentence = (
        f"{entry.title}: {finding.path}: {finding.message}"
        if finding.path
        else f"{entry.title}: {finding.message}"
    )
    # GitLab recognizes a finding in another report by its fingerprint. Lines move, so they aren't part of it.
    same = sha256(f"{entry.file}\0{finding.source}\0{sentence}".encode())
    return {
        "description": sentence,
        "check_name": f"twinhull-{finding.source}",
        "fingerprint": same.hexdigest(),
        "severity": _SEVERITIES[finding.level],
        "location": {"path": entry.file, "lines": {"begin": entry.position.line}},
    }


def _counted(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def located(file: str, title: str, findings: Iterable[tuple[Position, Finding]]) -> Iterator[Located]:
    """The findings of an object in the order of their places, and last the rules that weren't checked."""

    def order(pair: tuple[Position, Finding]) -> tuple[bool, Position, str]:
        return pair[1].source is Source.UNCHECKED, pair[0], pair[1].path

    for position, finding in sorted(findings, key=order):
        yield Located(file, position, title, finding)
