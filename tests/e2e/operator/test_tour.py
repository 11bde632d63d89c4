"""docs/tour.md, as a reader follows it: every command is run, and prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.controlplane import Cluster, eventually
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8").partition("## Make one")[2]
#: What differs from one cluster, and from one second, to another.
_VARYING = {
    r"\b\d+m?s\b": "AGE",
    r"\b(\d+\.){3}\d+\b": "ADDRESS",
    r"-[12][0-9a-f]{9}(-[a-z0-9]{5})?\b": "-HULL",
    r"\bshop-[a-z0-9]{5}\b": "SLICE",
    r"[ \t]+": " ",
}


@dataclass(frozen=True)
class Step:
    """A command, and the lines that it is said to print; none if the page doesn't say."""

    command: str
    output: str

    @property
    def looks_only(self) -> bool:
        """Whether it may be repeated until all has happened that the command before it has set off."""
        return self.command.startswith(("kubectl get", "kubectl describe"))


def steps() -> Iterator[Step]:
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield Step(command, output)


def told(text: str) -> list[str]:
    for varying, name in _VARYING.items():
        text = re.sub(varying, name, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.fixture
def shell(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Shell]:
    """A reader's shell, whose namespace is the test's."""
    kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    for context in kubeconfig["contexts"]:
        context["context"]["namespace"] = namespace
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
    floor = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert floor is not None
    (tmp_path / "floor.yaml").write_text(floor[1], encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    yield Shell(cluster, namespace, tmp_path)
    for made in ("isolationpolicy/untrusted", "runtimeclass/gvisor"):
        cluster.kubectl("delete", made, "--ignore-not-found")


@dataclass(frozen=True)
class Shell:
    """Runs commands in a folder."""

    cluster: Cluster
    namespace: str
    folder: Path

    def run(self, command: str) -> str:
        """What a command prints. Raises AssertionError if it fails."""
        own = {"namespace default": f"namespace {self.namespace}"}
        for theirs, ours in own.items():
            command = command.replace(theirs, ours)
        path = f"{Path(sys.executable).parent}:{self.cluster.kubectl.program.parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "KUBECONFIG": str(self.folder / "kubeconfig")}
        shell = ["bash", "-c", command]
        done = subprocess.run(
            shell, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.replace(self.namespace, "default")


def test_the_tour(shell: Shell, operator: OperatorProcess) -> None:
    for step in steps():

        def as_told(step: Step = step) -> bool:
            said = shell.run(step.command)
            if step.output:
                assert told(said) == told(step.output)
            return True

        if step.looks_only:
            eventually(as_told, 60, step.command, alive=operator.check)
        else:
            as_told()
