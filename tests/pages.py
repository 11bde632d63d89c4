"""Pages of the documentation as a reader follows them: the commands, and what they are said to print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.controlplane import PATIENCE, Cluster, eventually

ROOT = Path(__file__).parents[1]
#: What a reader's folder has of a clone.
_OF_THE_CLONE = ("charts", "crds", "deploy", "examples")
#: What differs from one cluster, and from one second, to another.
_VARYING = {
    # kubectl says 119s, 2m0s and 10m, the last of which is no age in the middle of a line.
    r"(?m)\b(\d+m)?\d+m?s\b|\b\d+m[ \t]*$": "AGE",
    r"\b(\d+\.){3}\d+\b": "ADDRESS",
    r"-[12][0-9a-f]{9}(-[a-z0-9]{5})?\b": "-HULL",
    r"\b(shop|web)-[a-z0-9]{5}\b": "SLICE",
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


def read(page: str) -> str:
    """A page, by its path in the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands between a heading of the second level and the next one. Raises ValueError without it."""
    _, found, rest = text.partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"the page has no heading {heading}")
    return rest.partition("\n## ")[0]


def steps(text: str) -> Iterator[Step]:
    """The commands of all console blocks, in their order. A command goes on after a backslash."""
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            found = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", part, re.DOTALL)
            assert found is not None, part
            yield Step(found[1], found[2])


def files(text: str) -> dict[str, str]:
    """The YAML files that a page shows, by the name in backticks that ends the sentence before each."""
    found = re.findall(r"`([\w-]+\.yaml)`:\n\n```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return dict(found)


def printed(text: str) -> list[str]:
    """The lines of an output, without what varies."""
    for varying, name in _VARYING.items():
        text = re.sub(varying, name, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


@dataclass(frozen=True)
class Shell:
    """A reader's shell, in a folder that has what a clone has. Its namespace is the test's."""

    cluster: Cluster
    namespace: str
    folder: Path
    programs: tuple[Path, ...] = ()

    @classmethod
    def opened(
        cls,
        cluster: Cluster,
        namespace: str,
        folder: Path,
        text: str = "",
        programs: Iterable[Path] = (),
    ) -> Shell:
        """A shell in an empty folder, for a page's text, whose files are in it.

        It finds twinhull, the cluster's kubectl, and these other programs.
        """
        kubeconfig = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
        for context in kubeconfig["contexts"]:
            context["context"]["namespace"] = namespace
        (folder / "kubeconfig").write_text(yaml.safe_dump(kubeconfig), encoding="utf-8")
        for name, content in files(text).items():
            (folder / name).write_text(content, encoding="utf-8")
        for name in _OF_THE_CLONE:
            (folder / name).symlink_to(ROOT / name)
        (folder / ".venv").symlink_to(sys.prefix)
        return cls(cluster, namespace, folder, tuple(programs))

    def run(self, command: str) -> str:
        """What a command prints, errors among it. Raises AssertionError if it fails."""
        command = command.replace("namespace default", f"namespace {self.namespace}")
        # A page waits for as long as its reader's cluster takes, and a busy machine takes longer.
        command = re.sub(r"^(kubectl wait .*--timeout) \S+", rf"\1 {PATIENCE:.0f}s", command)
        programs = [Path(sys.prefix) / "bin" / "twinhull", self.cluster.kubectl.program, *self.programs]
        path = ":".join([*(str(program.parent) for program in programs), os.environ["PATH"]])
        environment = {
            **os.environ,
            "PATH": path,
            "KUBECONFIG": str(self.folder / "kubeconfig"),
            "KUBECACHEDIR": str(self.folder / "cache"),
        }
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout.replace(self.namespace, "default")

    def follow(self, shown: Iterable[Step], alive: Callable[[], None]) -> None:
        """Runs these commands. Raises AssertionError for one that doesn't print what the page says.

        A command that only looks is repeated for a minute, since what it shows may take a while. `alive`
        raises if the operator has ended.
        """
        for step in shown:

            def as_told(step: Step = step) -> bool:
                output = self.run(step.command)
                if step.output:
                    assert printed(output) == printed(step.output), f"{step.command} prints:\n{output}"
                return True

            if step.looks_only:
                eventually(as_told, 60, step.command, alive=alive)
            else:
                as_told()
