"""govulncheck: what Go's advisories say of the programs of the guest."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.audit.verdict import Advisory, Verdict, last_line

PROGRAM = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"


def modules(root: Path) -> Iterator[tuple[Path, bool]]:
    """The Go modules of what runs in a guest, and whether they are our own.

    Those of the tests are left out: other projects' programs, which run on one machine with made-up objects.
    """
    for file in sorted((root / "guest").rglob("go.mod")):
        yield file.parent, file.parent == root / "guest" / "agent"


def audit(module: Path, *, ours: bool) -> Verdict:
    """What is known against a module: against functions that our own code calls, against packages that
    somebody else's programs are made of.
    """
    scan = ("symbol", "./...") if ours else ("package", "tool")
    ran = subprocess.run(
        ["go", "run", PROGRAM, "-format", "json", "-scan", *scan],
        cwd=module,
        capture_output=True,
        text=True,
        check=False,
    )
    # In JSON what is known against a module is no failure.
    if ran.returncode:
        return Verdict(module.name, unknown=last_line(ran.stderr))
    return read(module.name, ran.stdout, "function" if ours else "package")


def read(what: str, stdout: str, level: str) -> Verdict:
    """The verdict in govulncheck's messages: those findings that come down to a function, or to a package.

    https://pkg.go.dev/golang.org/x/vuln/internal/govulncheck
    """
    findings = [message["finding"] for message in _messages(stdout) if "finding" in message]
    advisories = {
        Advisory(place["module"], place.get("version", ""), finding["osv"], finding.get("fixed_version", ""))
        for finding in findings
        if level in (place := finding["trace"][0])
    }
    return Verdict(what, tuple(sorted(advisories)))


def _messages(text: str) -> Iterator[dict[str, Any]]:
    """JSON objects, one after the other."""
    decoder = json.JSONDecoder()
    remaining = text.lstrip()
    while remaining:
        message, end = decoder.raw_decode(remaining)
        yield message
        remaining = remaining[end:].lstrip()
