"""How long the `twinhull` command takes: its helps, and what verbs do without a cluster.

    make bench-cli
    python -m tests.bench.commandline --rounds 20

Everything has its turn in each round: Python alone, Python with click, kubectl, Helm, and then each verb of
the command. What else the machine does hits all of them, so the ratios say more than the times. Every verb's
help may take 300 ms of a processor, and so may what it does without a cluster. What takes longer is marked,
and the benchmark then ends with 1. On a machine that does nothing else that is the time, too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click

from tests.controlplane import BuildError
from tests.controlplane.build import programs
from tools.verbs import verbs
from twinhull.cli import SECTIONS

_ROOT = Path(__file__).parents[2]
_WORKLOAD = str(_ROOT / "examples" / "container.yaml")
_MANIFESTS = Path(__file__).parent / "manifests"
#: What a person takes for "at once", in milliseconds of a processor: the median.
LIMIT = 300.0
#: What each verb that works without a cluster is measured at.
OFFLINE = {
    "render": ("-f", _WORKLOAD),
    "validate": (_WORKLOAD,),
    "explain": ("-f", _WORKLOAD, "--policies", str(_MANIFESTS / "policy.yaml")),
    "convert": (str(_MANIFESTS / "deployment.yaml"),),
    "crd": (),
    "config": (),
    "completion": ("bash",),
}
#: The sections whose verbs all have to be in OFFLINE.
WITHOUT_CLUSTER = ("Without a cluster", "For your shell")
_PYTHON, _KUBECTL = "python -c pass", "kubectl --help"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command, in milliseconds."""

    #: From its start to its end.
    wall: float
    #: What processors spent on it.
    cpu: float


def commands(built: Mapping[str, Path]) -> dict[str, list[str]]:
    """What is run, by what it is called. Baselines come first."""
    twinhull = str(Path(sys.prefix) / "bin" / "twinhull")
    lines = {
        _PYTHON: [sys.executable, "-c", "pass"],
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        _KUBECTL: [str(built["kubectl"]), "--help"],
        "kubectl version --client": [str(built["kubectl"]), "version", "--client"],
        "helm --help": [str(built["helm"]), "--help"],
        "twinhull --help": [twinhull, "--help"],
    }
    for entry in verbs():
        lines[f"twinhull {entry.verb.name} --help"] = [twinhull, entry.verb.name, "--help"]
    for name, args in OFFLINE.items():
        lines[f"twinhull {name}"] = [twinhull, name, *args]
    return lines


def unmeasured() -> set[str]:
    """Verbs that work without a cluster, and that OFFLINE lacks."""
    listed = {verb.name for title in WITHOUT_CLUSTER for verb in SECTIONS.get(title, ())}
    return listed - OFFLINE.keys()


def measure(command: list[str], folder: Path) -> Run:
    """Run a command, which has no cluster. Raises CalledProcessError if it fails."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "KUBECONFIG": str(folder / "none"),
    }
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Run(wall * 1000, (used.ru_utime + used.ru_stime) * 1000)


def rounds(
    wanted: Mapping[str, list[str]], number: int, run: Callable[[list[str]], Run]
) -> dict[str, list[Run]]:
    """What each command took in each round. A round before them fills the caches of files, and isn't told."""
    runs: dict[str, list[Run]] = {name: [] for name in wanted}
    for turn in range(number + 1):
        for name, command in wanted.items():
            taken = run(command)
            if turn:
                runs[name].append(taken)
    return runs


def table(found: Mapping[str, list[Run]]) -> Iterable[str]:
    """A line for each command: the median and the least of its times, and its ratios to two baselines."""
    python, kubectl = (median(run.wall for run in found[name]) for name in (_PYTHON, _KUBECTL))
    yield f"{'command':<34}{'ms':>7}{'least':>7}{'CPU ms':>8}{': python':>10}{': kubectl':>11}"
    for name, runs in found.items():
        wall = median(run.wall for run in runs)
        numbers = f"{wall:>7.0f}{min(run.wall for run in runs):>7.0f}{median(run.cpu for run in runs):>8.0f}"
        mark = "  too long" if is_too_long(name, runs) else ""
        yield f"{name:<34}{numbers}{wall / python:>10.1f}{wall / kubectl:>11.1f}{mark}"


def is_too_long(name: str, runs: Iterable[Run]) -> bool:
    """Whether a verb takes longer than a person takes for "at once"."""
    return name.startswith("twinhull") and median(run.cpu for run in runs) > LIMIT


@click.command(help=__doc__)
@click.option("--rounds", "number", default=10, show_default=True, help="How often everything has its turn.")
def main(number: int) -> None:
    """Measure, and print the table."""
    built = programs(("kubectl", "helm"))
    with tempfile.TemporaryDirectory(prefix="twinhull-bench-") as folder:
        found = rounds(commands(built), number, lambda command: measure(command, Path(folder)))
    for line in table(found):
        click.echo(line)
    raise SystemExit(int(any(is_too_long(name, runs) for name, runs in found.items())))


if __name__ == "__main__":
    try:
        main()
    except BuildError as error:
        sys.exit(f"error: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {error}")
