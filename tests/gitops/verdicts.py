"""The verdicts of GitOps tools on objects, by the tools' own code (see tests/controlplane/go)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.controlplane import build

Manifest = dict[str, Any]

#: Argo CD's health checks as we ship them.
CHECKS = Path(__file__).parents[2] / "deploy/argocd/resource_customizations"


def kstatus(*objects: Manifest, expressions: Manifest | None = None) -> list[str]:
    """What Flux and Helm wait by: InProgress, Failed, Current, Terminating, NotFound or Unknown; or what Flux
    waits by where a Kustomization has these `healthCheckExprs`.
    """
    instead = (json.dumps(expressions),) if expressions else ()
    return [answer["status"] for answer in _ask(("kstatus", *instead), objects)]


def health(*objects: Manifest) -> list[tuple[str, str]]:
    """What Argo CD shows by our checks: Healthy, Progressing, Degraded, Suspended …, and the message."""
    answers = _ask(("argocd", "health", str(CHECKS)), objects)
    return [(one["status"], one.get("message", "")) for one in answers]


def out_of_sync(config: Manifest, live: Manifest, predicted: Manifest | None = None) -> bool:
    """Whether Argo CD calls an object OutOfSync; `predicted` is what a server-side apply would make of it."""
    (answer,) = _ask(("argocd", "diff"), [{"config": config, "live": live, "predicted": predicted}])
    return bool(answer["outOfSync"])


def applications(*objects: Manifest) -> list[str]:
    """The names of Argo CD's Applications; fails if one has what Argo CD's type doesn't."""
    names: list[str] = _ask(("argocd", "application"), objects)
    return names


def fluxes_own(*objects: Manifest) -> None:
    """Fails if one of these isn't an object of Flux's, or has what Flux's type doesn't."""
    _run(("flux",), objects)


def _ask(command: Sequence[str], questions: Sequence[Manifest]) -> list[Any]:
    answers: list[Any] = json.loads(_run(command, questions))
    return answers


def _run(command: Sequence[str], questions: Sequence[Manifest]) -> str:
    program, *arguments = command
    path = build.programs([program])[program]
    done = subprocess.run(
        [str(path), *arguments], input=json.dumps(questions), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"
    return done.stdout
