"""man/: a page for each verb, without anything that programs which show manual pages warn of."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.manpages import pages
from tools.verbs import verbs

MAN = Path(__file__).parents[3] / "man"
#: What a page may begin a line with: the macros that groff and mandoc both have.
_MACROS = {"BR", "PP", "RE", "RS", "SH", "SS", "TH", "TP", "ad", "fi", "nf", "nh"}


def test_there_is_a_page_for_the_command_and_for_each_verb_and_no_other() -> None:
    names = {"twinhull.1", *(f"twinhull-{entry.verb.name}.1" for entry in verbs())}
    assert {path.name for path in MAN.iterdir()} == names == set(pages())


@pytest.mark.parametrize("path", sorted(MAN.iterdir()), ids=lambda path: path.name)
def test_a_page_has_macros_that_are_known_and_characters_that_all_can_show(path: Path) -> None:
    lines = path.read_text("ascii").splitlines()
    requests = {line[1:].split()[0] for line in lines[1:] if line.startswith((".", "'"))}
    assert requests <= _MACROS
    headings = [line.removeprefix(".SH ").strip('"') for line in lines if line.startswith(".SH ")]
    assert headings[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    escapes = set(re.findall(r"\\(?:\(..|\[u[0-9A-F]+\]|f.|.)", "\n".join(lines[1:])))
    assert {one for one in escapes if not one.startswith("\\[u")} <= {
        *("\\e", "\\-", "\\&", "\\(aq", "\\(ga", "\\(ha", "\\(ti", "\\(dq", "\\fB", "\\fI", "\\fR")
    }


@pytest.mark.parametrize("path", sorted(MAN.iterdir()), ids=lambda path: path.name)
def test_programs_that_show_it_warn_of_nothing(path: Path) -> None:
    checks = {
        "groff": ["groff", "-man", "-ww", "-z", "-Tutf8", str(path)],
        # The page has no date: it is made anew from the help, not written on a day.
        "mandoc": ["mandoc", "-T", "lint", "-W", "warning", str(path)],
    }
    available = [command for program, command in checks.items() if shutil.which(program)]
    if not available:
        pytest.skip("neither groff nor mandoc is installed")
    for command in available:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = (done.stdout + done.stderr).splitlines()
        assert [line for line in lines if "missing date" not in line] == []
