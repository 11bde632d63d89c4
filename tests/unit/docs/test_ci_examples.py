"""examples/ci and .pre-commit-hooks.yaml: their steps are run, without what a CI system adds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from pre_commit.clientlib import load_manifest

from tests.controlplane.polling import PATIENCE
from twinhull.cli import main

ROOT = Path(__file__).parents[3]
CI = ROOT / "examples/ci"
POLICY = """\
apiVersion: twinhull.dev/v1alpha1
kind: IsolationPolicy
metadata: {name: everybody}
spec: {default: Container}
"""
WRONG = """\
apiVersion: twinhull.dev/v1alpha1
kind: Workload
metadata: {name: wrong}
spec:
  template: {spec: {containers: [{name: web, image: nginx, livenessProbe: {}}]}}
"""


def example(name: str) -> Any:
    return yaml.safe_load((CI / name).read_text(encoding="utf-8"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository as the examples have it: deploy/ with a kustomization, and policies/."""
    folder = tmp_path / "src"
    (folder / "deploy").mkdir(parents=True)
    (folder / "policies").mkdir()
    shutil.copy(ROOT / "examples/container.yaml", folder / "deploy/web.yaml")
    (folder / "deploy/kustomization.yaml").write_text("resources: [web.yaml]\n")
    (folder / "policies/everybody.yaml").write_text(POLICY)
    return folder


def shell(script: list[str], checkout: Path) -> tuple[int, str]:
    """A script as a CI system runs it, with this twinhull in front of the others; pip has nothing to do."""
    programs = checkout.parent / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in {
        "twinhull": f'exec {sys.executable} -m twinhull "$@"',
        "pip": 'test "$*" = "install twinhull"',
        # kustomize's own result for a folder of resources: all of them, one after another.
        "kubectl": 'test "$1" = kustomize && cat "$2"/web.yaml',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    ended = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", "\n".join(script)],
        cwd=checkout,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def github() -> list[str]:
    steps = example("github.yaml")["jobs"]["validate"]["steps"]
    return [step["run"] for step in steps if "run" in step]


def gitlab() -> list[str]:
    job = example("gitlab.yaml")["validate"]
    return [*job["before_script"], *job["script"]]


@pytest.mark.slow
@pytest.mark.parametrize("script", [github, gitlab])
def test_a_pipeline_passes_what_is_right_and_fails_what_is_wrong(script: Any, checkout: Path) -> None:
    code, output = shell(script(), checkout)
    assert code == 0, output
    assert "1 Workload checked" in output

    (checkout / "deploy/wrong.yaml").write_text(WRONG)
    code, output = shell(script(), checkout)
    assert code == 1, output
    assert "a probe has one of exec, grpc, httpGet and tcpSocket" in output


@pytest.mark.slow
def test_reports_are_written_of_what_is_wrong_and_only_of_that(checkout: Path) -> None:
    (checkout / "deploy/wrong.yaml").write_text(WRONG)
    for line in (*github(), *gitlab()):
        if ">" in line:
            assert shell([line], checkout) == (0, "")
    assert '"level": "error"' in (checkout / "twinhull.sarif").read_text()
    assert '"severity": "major"' in (checkout / "quality.json").read_text()
    (checkout / "deploy/wrong.yaml").write_text("a: [")
    for line in (*github(), *gitlab()):
        if ">" in line:
            assert shell([line], checkout)[0] == 1


def test_a_report_is_uploaded_where_it_is_written() -> None:
    upload = example("github.yaml")["jobs"]["validate"]["steps"][-1]
    assert f">{upload['with']['sarif_file']} " in github()[-1]
    assert f">{example('gitlab.yaml')['validate']['artifacts']['reports']['codequality']} " in gitlab()[-2]


@pytest.mark.slow
def test_the_steps_of_the_argo_workflow_are_commands(checkout: Path) -> None:
    spec = example("argo-workflow.yaml")["spec"]
    templates = {template["name"]: template for template in spec["templates"]}
    assert [task["template"] for task in templates["review"]["dag"]["tasks"]] == ["validate", "diff"]
    for name in ("validate", "diff"):
        container = templates[name]["container"]
        assert templates[name]["inputs"]["artifacts"][0]["path"] == "/src"
        command = [*container["command"], *container["args"]]
        here = [
            part.replace("/src", str(checkout)).replace("{{workflow.parameters.path}}", "deploy")
            for part in command
        ]
        assert not any("{{" in part for part in here)
        (checkout / "run.sh").write_text('exec "$@"\n')
        quoted = " ".join("'" + part.replace("'", "'\\''") + "'" for part in here)
        code, output = shell([f"KUBECONFIG=/none sh run.sh {quoted}"], checkout)
        expected = (0, "1 Workload checked") if name == "validate" else (1, "kubeconfig /none can't be used")
        assert code == expected[0], output
        assert expected[1] in output


def test_the_hook_runs_this_verb(tmp_path: Path) -> None:
    """On a commit that has changed no Workload, too: the hook names only the files of a commit."""
    (hook,) = load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    assert (hook["id"], hook["language"], set(hook["types_or"])) == (
        "twinhull-validate",
        "python",
        {"yaml", "json"},
    )
    program, *verb = hook["entry"].split()
    (tmp_path / "deployment.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\n")
    (tmp_path / "values.yaml").write_text("image: nginx\n")
    for file in (ROOT / "examples/container.yaml", tmp_path / "deployment.yaml", tmp_path / "values.yaml"):
        result = CliRunner().invoke(main, [*verb, *hook["args"], str(file)])
        assert (program, result.exit_code) == ("twinhull", 0)


def test_the_examples_of_ci_are_not_applied_with_the_others() -> None:
    """`kubectl apply -f examples/` reads no folder below it."""
    assert not [path for path in CI.iterdir() if path.is_dir()]
    for page in ("README.md", "docs/tour.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert "apply -f examples/" in text
        assert "apply -R" not in text
        assert "--recursive" not in text
