"""What the verbs answer in each state of a Workload's life that change it, wait for it, or reach into it.

They ask a real control plane, and change nothing: by dry runs, and by waits that look once. The folder
answers has what they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from tests.controlplane import Cluster
from tests.controlplane.api import Manifest
from tests.gitops.screens import steady
from twinhull.cli import main

FOLDER = Path(__file__).parent / "answers"
#: Whether and how the Workload can be changed.
CHANGES = (
    *(
        f"flip web --to {isolation} --dry-run=server"
        for isolation in ("container", "sandbox", "machine", "auto")
    ),
    *(f"{verb} web --dry-run=server" for verb in ("stop", "start", "restart")),
)
#: What can be waited for.
WAITS = tuple(
    f"wait web --for={goal} --timeout=0s"
    for goal in ("ready", "stopped", "completed", "deleted", "isolation=machine", "condition=Stalled")
)
#: What reaches into a Pod, and into a machine by KubeVirt. Simulated Pods run no processes, and simulated
#: machines have no guest: only whether there is a way in is told.
INTO_PODS = ("logs web", "exec web -- true", "cp web:/etc/hostname .", "console web", "ssh web")
INTO_NOTHING = (*INTO_PODS, "attach web", "vnc web --proxy-only", "port-forward web :80")


def golden(state: str) -> Path:
    """The file of what the verbs answer in a state."""
    return FOLDER / f"{state}.txt"


def answers(cluster: Cluster, workload: Manifest) -> str:
    """What the verbs answer now, each after its command and before its exit code."""
    namespace = workload["metadata"]["namespace"]
    return steady("\n".join(_answers(cluster, namespace, _commands(workload))), namespace)


def _commands(workload: Manifest) -> tuple[str, ...]:
    """The commands that end in the state."""
    hull = (workload.get("status") or {}).get("hull")
    if hull is None:
        return (*CHANGES, *WAITS, *INTO_NOTHING)
    return (*CHANGES, *WAITS, *(INTO_PODS if hull["kind"] == "Pod" else ()))


def _answers(cluster: Cluster, namespace: str, commands: tuple[str, ...]) -> Iterator[str]:
    environment = {"KUBECONFIG": str(cluster.kubeconfig)}
    for command in commands:
        words = command.split()
        end = words.index("--") if "--" in words else len(words)
        ended = CliRunner().invoke(main, [*words[:end], "-n", namespace, *words[end:]], env=environment)
        yield f"$ twinhull {command}"
        yield ended.output.rstrip()
        yield f"# exit code {ended.exit_code}\n"
