"""Prints notes and errors for people on the standard error, and tables of fields in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from twinhull.api.printable import printable

if TYPE_CHECKING:
    from twinhull.validation.findings import Finding


def note(text: str) -> None:
    """Print a note of one line on the standard error. Line ends and control characters in it are made
    visible: a CI system may take a line for a command.
    """
    click.echo(f"note: {printable(text)}", err=True)


def tell_error(text: str) -> None:
    """Print an error on the standard error. Control characters in it are made visible, but for line ends."""
    click.echo(printable(f"Error: {text}", keep="\n"), err=True)


def refusal(wrong: list[Finding]) -> str:
    """The findings for which the API server would refuse an object, as a sentence with a table."""
    rows = [(finding.path, finding.message) for finding in wrong]
    return f"the API server would refuse it because of {table(rows)}"


def table(rows: list[tuple[str, str]]) -> str:
    """A table of fields and reasons, below a line with their number. Line ends in texts are made visible."""
    titled = [("FIELD", "REASON"), *((_field(path), printable(reason)) for path, reason in rows)]
    width = max(len(path) for path, _ in titled)
    lines = [f"\n  {path:{width}}  {reason}" for path, reason in titled]
    return f"{len(rows)} field{'s' * (len(rows) > 1)}:{''.join(lines)}"


def _field(path: str) -> str:
    """A path at the beginning of a line, in quotes if it begins with `:`. GitHub takes `::` for a command,
    also behind spaces (github.com/actions/runner, src/Runner.Common/ActionCommand.cs, TryParseV2).
    """
    return f"'{printable(path)}'" if path.startswith(":") else printable(path)
