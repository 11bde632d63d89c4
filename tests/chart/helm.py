"""Helm, for what a person would type."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.controlplane import build

Manifest = dict[str, Any]

CHART = Path(__file__).parents[2] / "charts" / "twinhull"
NAMESPACE = "twinhull-system"


class HelmError(Exception):
    """Helm failed; the message is what it said on stderr."""


@dataclass(frozen=True)
class Helm:
    """A Helm program, 3 or 4. Its own files are below `home`; without a kubeconfig it only renders."""

    program: Path
    home: Path
    kubeconfig: Path | None = None

    @classmethod
    def built(cls, name: str, home: Path, kubeconfig: Path | None = None) -> Helm:
        """Helm 4 (`helm`) or Helm 3 (`helm3`). Raises BuildError."""
        return cls(build.programs([name])[name], home, kubeconfig)

    def __call__(self, *arguments: str, values: Manifest | None = None) -> str:
        """Any Helm command, with values in place of the chart's own. Its output; raises HelmError."""
        given = () if values is None else ("--values", "-")
        result = subprocess.run(
            [str(self.program), *arguments, *given],
            env=self._environment(),
            input=json.dumps(values or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise HelmError(f"helm {' '.join(arguments)}: {(result.stderr + result.stdout).strip()}")
        return result.stdout

    def template(self, values: Manifest | None = None, *options: str) -> list[Manifest]:
        """The chart's objects without its tests, in the order of its files."""
        arguments = ("template", "twinhull", str(CHART), "--namespace", NAMESPACE, "--skip-tests", *options)
        text = self(*arguments, values=values or {})
        return [obj for obj in yaml.load_all(text, yaml.CSafeLoader) if obj]

    def _environment(self) -> dict[str, str]:
        mine = {f"HELM_{name}_HOME": str(self.home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        return os.environ | mine | {"KUBECONFIG": str(self.kubeconfig or self.home / "none")}


def find(objects: list[Manifest], kind: str, name: str = "") -> Manifest:
    """The one object of that kind (and name)."""
    (found,) = [
        obj for obj in objects if obj["kind"] == kind and (not name or obj["metadata"]["name"] == name)
    ]
    return found
