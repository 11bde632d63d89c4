"""Files with -f and without, for each verb that reads files."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from twinhull.cli import main

WORKLOAD = """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: NAME}
spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}
"""
POLICIES = """\
apiVersion: twinhull.dev/v1alpha1
kind: IsolationPolicy
metadata: {name: lowest}
spec: {minimum: Container}
"""
POD = "{apiVersion: v1, kind: Pod, metadata: {name: NAME}, spec: {containers: [{name: a, image: b}]}}\n"
#: The verbs, each with what it needs beside its files.
VERBS = {"render": [], "explain": ["--policies", "policies.yaml"], "validate": [], "convert": []}


def run(verb: str, *words: str) -> Result:
    return CliRunner().invoke(main, [verb, *words, *VERBS.get(verb, [])], env={"KUBECONFIG": "/dev/null"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(WORKLOAD.replace("NAME", name), encoding="utf-8")
        (tmp_path / f"{name}-pod.yaml").write_text(POD.replace("NAME", name), encoding="utf-8")


@pytest.mark.parametrize("verb", VERBS)
def test_files_are_named_with_and_without_the_option(verb: str) -> None:
    one, two = ("a-pod.yaml", "b-pod.yaml") if verb == "convert" else ("a.yaml", "b.yaml")
    plain = run(verb, one, two)
    assert plain.exit_code == 0, plain.stderr
    for words in (["-f", one, "-f", two], ["--filename", one, two], [two, "-f", one]):
        given = run(verb, *words)
        assert (given.exit_code, given.stdout, given.stderr) == (0, plain.stdout, plain.stderr)


def test_diff_takes_both_forms() -> None:
    for words in (["missing.yaml"], ["-f", "missing.yaml"]):
        result = run("diff", *words)
        assert (result.exit_code, "missing.yaml: No such file or directory" in result.stderr) == (2, True)


@pytest.mark.parametrize("verb", [*VERBS, "diff"])
def test_without_files_a_verb_says_what_to_name(verb: str) -> None:
    result = run(verb)
    assert result.exit_code == 2
    assert "name a file, such as web.yaml" in result.stderr
