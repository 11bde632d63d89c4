"""`make audit`. Exit code: 1 if something is known, 2 if it can't be told, since a database isn't reached."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from guest.image.cache import folder
from tools.audit import golang, pypi
from tools.audit.verdict import Verdict, exit_code

_ROOT = Path(__file__).parents[2]


def main() -> int:
    """Audit all, and say what came of each as soon as it is known."""
    verdicts: list[Verdict] = []
    for verdict in _audits():
        print(*verdict.lines(), sep="\n", flush=True)
        verdicts.append(verdict)
    return exit_code(verdicts)


def _audits() -> Iterator[Verdict]:
    yield pypi.audit(_ROOT / "requirements.lock", folder())
    for module, ours in golang.modules(_ROOT):
        yield golang.audit(module, ours=ours)


if __name__ == "__main__":
    sys.exit(main())
