"""The helps of all verbs: their examples are calls that the verbs take, and their exit codes are told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol

import click
import pytest

from tests.preloaded import Preloaded
from tools.verbs import Told, calls, verbs

VERBS = verbs()


def named(entry: Told) -> str:
    return entry.verb.name


def example_calls(entry: Told) -> list[list[str]]:
    """The arguments of each call of this verb in its examples."""
    found = [call for line in entry.examples for call in calls(line)]
    return [args for name, *args in found if name == entry.verb.name]


def check(command: click.Command, args: list[str]) -> None:
    """Raises UsageError unless the command takes the arguments, as far as these tell."""
    context = click.Context(command, info_name=command.name)
    given, rest, _ = command.make_parser(context).parse_args(list(args))
    assert rest == []
    for parameter in command.params:
        value = given.get(str(parameter.name))
        if not isinstance(value, (str, list, tuple)) or not value:
            if parameter.required:
                raise click.MissingParameter(ctx=context, param=parameter)
            continue
        if isinstance(parameter.type, (click.Choice, click.types.IntParamType)):
            kind: Any = parameter.type
            for one in value if isinstance(value, (list, tuple)) else [value]:
                kind.convert(one, parameter, context)


@pytest.mark.parametrize("entry", VERBS, ids=named)
def test_every_verb_has_examples_that_it_takes(entry: Told) -> None:
    found = example_calls(entry)
    assert found
    for args in found:
        check(entry.command, args)


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("validate", ["--no-such-option"]),
        ("validate", ["web.yaml", "--isolation", "Podd"]),
        ("validate", ["web.yaml", "--isolation"]),
        ("ssh", []),
    ],
)
def test_an_example_that_the_verb_does_not_take_is_found(verb: str, args: list[str]) -> None:
    (entry,) = [entry for entry in VERBS if entry.verb.name == verb]
    with pytest.raises(click.UsageError):
        check(entry.command, args)


@pytest.mark.parametrize("entry", VERBS, ids=named)
def test_no_help_shows_a_mark_of_click(entry: Told) -> None:
    shown = entry.command.get_help(click.Context(entry.command, info_name=entry.verb.name))
    assert "\\b" not in shown
    assert "\b" not in shown


@pytest.mark.parametrize("entry", VERBS, ids=named)
def test_other_verbs_in_examples_are_called_as_they_take_it(entry: Told) -> None:
    by_name = {other.verb.name: other.command for other in VERBS}
    for line in entry.examples:
        for name, *args in calls(line):
            check(by_name[name], args)


def test_calls_are_found_wherever_a_shell_has_them() -> None:
    line = "A=1 twinhull a -o json >x.json | jq '.b|c' && twinhull b <y || . <(twinhull c d) # twinhull e"
    assert list(calls(line)) == [["a", "-o", "json"], ["b"], ["c", "d"]]


@pytest.mark.parametrize("entry", VERBS, ids=named)
def test_every_verb_tells_its_exit_codes(entry: Told) -> None:
    assert {0, 2} <= entry.exit_codes.keys()


class Code(Protocol):
    """Gives the exit code of a call, without a cluster or any input."""

    def __call__(self, *args: str) -> int: ...


@pytest.fixture
def code(preloaded: Preloaded, tmp_path: Path) -> Code:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")}

    def called(*args: str) -> int:
        done = preloaded.run(args, environment=environment, folder=tmp_path)
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode

    return called


@pytest.mark.slow
@pytest.mark.parametrize("entry", VERBS, ids=named)
def test_codes_are_those_that_the_help_tells(entry: Told, code: Code) -> None:
    assert code(entry.verb.name, "--no-such-option") == 2
    assert code(entry.verb.name, "--help") == 0
    assert code(entry.verb.name, *example_calls(entry)[0]) in entry.exit_codes


#: A Workload that can't be a machine, one that is wrong, and a policy that lets nothing be.
FILES = {
    "web.yaml": """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: web}
spec:
  isolationPolicy: Container
  template: {spec: {hostNetwork: true, containers: [{name: web, image: nginx}]}}
""",
    "wrong.yaml": """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: web}
spec: {isolationPolicy: Podd, template: {spec: {containers: [{name: web, image: nginx}]}}}
""",
    "nothing.yaml": """\
apiVersion: twinhull.dev/v1alpha1
kind: IsolationPolicy
metadata: {name: nothing}
spec: {minimum: VirtualMachine, onConflict: Reject}
""",
    "deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
""",
}
#: For each offline verb a call for each of its codes.
CALLS = {
    ("render", 0): "render web.yaml",
    ("render", 1): "render web.yaml --isolation VirtualMachine",
    ("render", 2): "render",
    ("validate", 0): "validate web.yaml",
    ("validate", 1): "validate wrong.yaml",
    ("validate", 2): "validate absent.yaml",
    ("explain", 0): "explain web.yaml --policies web.yaml",
    ("explain", 1): "explain web.yaml --policies nothing.yaml",
    ("explain", 2): "explain web.yaml --policies absent",
    ("convert", 0): "convert deployment.yaml",
    ("convert", 1): "convert deployment.yaml --strict",
    ("convert", 2): "convert",
    ("completion", 0): "completion bash",
    ("completion", 2): "completion csh",
    ("crd", 0): "crd",
    ("crd", 2): "crd all",
    ("config", 0): "config",
    ("config", 2): "config --workers 0",
    ("preflight", 1): "preflight",
    ("preflight", 2): "preflight --isolation Pod",
    ("diff", 2): "diff web.yaml",
    ("run", 1): "run",
    ("run", 2): "run --workers 0",
}
OFFLINE = ("render", "validate", "explain", "convert", "completion", "crd", "config")


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "exit_code"), CALLS)
def test_a_code_comes_of_what_the_help_says(verb: str, exit_code: int, code: Code, tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert code(*CALLS[verb, exit_code].split()) == exit_code


def test_each_code_of_each_offline_verb_is_tried() -> None:
    codes = {(one.verb.name, exit_code) for one in VERBS for exit_code in one.exit_codes}
    assert {(verb, exit_code) for verb, exit_code in codes if verb in OFFLINE} <= CALLS.keys() <= codes
