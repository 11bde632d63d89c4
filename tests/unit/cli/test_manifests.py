"""Files that hold more than anybody means: a few lines of YAML can stand for more than fits into memory."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from twinhull.cli import main

WORKLOAD = """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: web}
spec:
  template: {spec: {containers: [{name: web, image: nginx}]}}
  virtualMachine: {overrides: {x: *last}}
"""


def levels(ten: str) -> str:
    """Eight levels, each with ten times what is below it."""
    lines = ["l0: &l0 {k0: x}", *(f"l{n}: &l{n} {ten.format(below=f'*l{n - 1}', n=n)}" for n in range(1, 9))]
    return "\n".join(lines).replace("&l8", "&last")


def times(number: int) -> str:
    return ", ".join(["{below}"] * number)


#: What is in a file before the Workload, and what is said of it.
ENDLESS = {
    "aliases in lists": (levels("[" + times(10) + "]"), "it has more than 50,000 values"),
    "aliases in mappings": (
        levels("{{" + ", ".join(f"k{at}: {{below}}" for at in range(10)) + "}}"),
        "it has more than 50,000 values",
    ),
    "merges": (levels("{{<<: [" + times(10) + "], k{n}: x}}"), "it merges too many keys"),
    "an alias of what it is in": ("l: &last [*last]", "it nests more than 100 levels deep"),
    "a merge of what it is in": ("l: &last {<<: *last}", "it nests too deep to be read"),
    "150 levels": ("l: &last " + "[" * 150 + "]" * 150, "it nests more than 100 levels deep"),
    "1,500 levels": ("l: &last " + "[" * 1_500 + "]" * 1_500, "it nests too deep to be read"),
    "1,500 levels of mappings": ("l: &last " + "{x: " * 1_500 + "}" * 1_500, "it nests too deep to be read"),
}


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["render", "explain"])
@pytest.mark.parametrize(("text", "complaint"), ENDLESS.values(), ids=ENDLESS)
def test_what_is_without_end_is_said_at_once(verb: str, text: str, complaint: str) -> None:
    """It ran for ever, until it had all the memory."""
    ended = CliRunner().invoke(main, [verb, "-f", "-"], input=f"{text}\n{WORKLOAD}")
    assert (ended.exit_code, ended.output.count("\n")) != (0, 0)
    assert complaint in ended.output
    assert "Traceback" not in ended.output
    assert isinstance(ended.exception, SystemExit)


def test_aliases_and_merges_that_people_write_are_read() -> None:
    text = WORKLOAD.replace("{name: web, image: nginx}", "{<<: [*a, *b], name: web}").replace("*last", "*a")
    anchors = "a: &a {image: nginx}\nb: &b {<<: *a, workingDir: /srv}\n"
    ended = CliRunner().invoke(main, ["render", "-f", "-", "--isolation", "Container"], input=anchors + text)
    assert ended.exit_code == 1, "the API server would refuse a and b"
    assert "FIELD" in ended.output
