"""The group of all verbs: its help imports none of them, and says of each what its own help says."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from twinhull.cli import SECTIONS, main
from twinhull.cli.lazygroup import Verb, _verb_first

VERBS = [verb for verbs in SECTIONS.values() for verb in verbs]


def last_line(code: str) -> str:
    """The last that a Python of its own prints, which runs the code."""
    stdout = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return stdout.splitlines()[-1]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_summary_is_the_first_line_of_the_verbs_own_help(verb: Verb) -> None:
    command = verb.load()
    assert command.name == verb.name
    assert (command.help or "").partition("\n")[0] == verb.summary


def test_the_help_has_each_verb_in_its_section() -> None:
    output = CliRunner().invoke(main, ["--help"]).output
    for title, verbs in SECTIONS.items():
        section = output.partition(f"{title}:\n")[2].partition("\n\n")[0]
        assert [line.split()[0] for line in section.splitlines()] == [verb.name for verb in verbs]


def test_the_help_imports_nothing_that_talks_to_a_cluster() -> None:
    code = (
        "import sys\n"
        "from twinhull.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(sorted({'aiohttp', 'kopf', 'kubernetes', 'pydantic', 'rich', 'yaml'} & set(sys.modules)))"
    )
    assert last_line(code) == "[]"


@pytest.mark.slow
def test_the_helps_of_verbs_import_nothing_that_talks_to_a_cluster() -> None:
    code = (
        "import sys\n"
        "from twinhull.cli import SECTIONS\n"
        "for verb in (verb for verbs in SECTIONS.values() for verb in verbs):\n"
        "    verb.load()\n"
        "print(sorted({'aiohttp', 'kopf', 'kubernetes'} & set(sys.modules)))"
    )
    assert last_line(code) == "[]"


def test_python_does_not_look_through_all_modules_at_its_end() -> None:
    code = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0))\n"
        "from twinhull.cli import main\n"
        "main(['--help'])"
    )
    assert last_line(code) == "True"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("rendr", "No such command 'rendr'. Did you mean 'render'?"),
        ("zzz", "No such command 'zzz'."),
        ("describe", "No such command 'describe': twinhull status NAME shows"),
        ("help", "No such command 'help': twinhull --help lists the verbs"),
        ("version", "No such command 'version': twinhull --version prints"),
    ],
)
def test_an_unknown_verb_is_refused_with_what_may_be_meant(given: str, expected: str) -> None:
    result = CliRunner().invoke(main, [given])
    assert result.exit_code == click.UsageError.exit_code
    assert expected in result.output


@pytest.mark.parametrize(
    ("given", "heard"),
    [
        ("-n x list -l a=b", "list -n x -l a=b"),
        ("-nx --context=c --kubeconfig f status web", "status -nx --context=c --kubeconfig f web"),
        ("--namespace x exec web -- ls -n y", "exec --namespace x web -- ls -n y"),
        ("-n x --help", "--help"),
        ("-n x", ""),
        ("list -n x", "list -n x"),
        ("--version", "--version"),
    ],
)
def test_options_of_the_cluster_may_stand_before_the_verb(given: str, heard: str) -> None:
    assert _verb_first(given.split()) == heard.split()


def test_a_verb_takes_what_stands_before_it() -> None:
    result = CliRunner().invoke(main, ["--kubeconfig", "/nowhere/here", "-n", "x", "list"])
    assert (result.exit_code, "/nowhere/here" in result.stderr) == (1, True)
    result = CliRunner().invoke(main, ["-n", "x", "crd"])
    assert (result.exit_code, "No such option '-n'" in result.stderr) == (2, True)


@pytest.mark.parametrize("alias", ["ls", "get"])
def test_an_alias_is_the_verb_and_isn_t_listed(alias: str) -> None:
    result = CliRunner().invoke(main, [alias, "--help"])
    assert "List Workloads" in result.output
    assert alias not in main.list_commands(click.Context(main))


@pytest.mark.slow
def test_an_offline_verb_imports_no_tables() -> None:
    code = (
        "import sys\n"
        "from twinhull.cli import main\n"
        "main(['crd'], standalone_mode=False)\n"
        "print(sorted({'rich', 'aiohttp', 'kopf'} & set(sys.modules)))"
    )
    assert last_line(code) == "[]"
