"""kubectl, for what a person would type."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Manifest = dict[str, Any]
Manifests = list[Manifest]


class KubectlError(Exception):
    """kubectl failed; the message is what it said. `kubectl diff` fails if there is a difference."""


@dataclass(frozen=True)
class Kubectl:
    """A kubectl program with its kubeconfig. Each call takes 50-100 ms: poll with Api instead."""

    program: Path
    kubeconfig: Path
    cache: Path | None = None

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Any kubectl command; gives its output, raises KubectlError."""
        result = subprocess.run(
            [str(self.program), *arguments],
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {(result.stderr + result.stdout).strip()}")
        return result.stdout

    def apply(self, manifest: Manifest | str, *options: str) -> str:
        """Applies a manifest, or YAML of several."""
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        return self("apply", "--filename", "-", *options, stdin=text)

    def finds_no_difference(self, *options: str, stdin: str) -> bool:
        """Whether `kubectl diff` sees none in manifests on `stdin`; raises AssertionError with what it sees.

        It reads an object twice, and what a controller writes in between is a difference, too: wait for it by
        `eventually` where one still has something to write.
        """
        try:
            difference = self("diff", "--filename", "-", *options, stdin=stdin)
        except KubectlError as error:
            raise AssertionError(str(error)) from error
        assert difference == "", difference
        return True

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest | None:
        """The object, or None when there is none."""
        text = self("get", kind, name, *_in(namespace), "--output", "json", "--ignore-not-found")
        return json.loads(text) if text else None

    def list(self, kind: str, namespace: str | None = None, *options: str) -> Manifests:
        """The objects of a namespace, or of all."""
        everywhere = () if namespace else ("--all-namespaces",)
        text = self("get", kind, *_in(namespace), *everywhere, *options, "--output", "json")
        items: list[Manifest] = json.loads(text)["items"]
        return items

    def patch(self, kind: str, name: str, namespace: str | None, patch: Manifest, *options: str) -> str:
        """A merge patch."""
        return self(
            "patch", kind, name, *_in(namespace), "--type", "merge", "--patch", json.dumps(patch), *options
        )

    def delete(self, kind: str, name: str, namespace: str | None = None, *, wait: bool = False) -> str:
        """Deletes the object if it is there."""
        return self(
            "delete", kind, name, *_in(namespace), f"--wait={str(wait).lower()}", "--ignore-not-found"
        )

    def _environment(self) -> dict[str, str]:
        mine = {"KUBECONFIG": str(self.kubeconfig)}
        if self.cache is not None:  # else what it learns of each API server stays in the user's home
            mine["KUBECACHEDIR"] = str(self.cache)
        return os.environ | mine


def _in(namespace: str | None) -> tuple[str, ...]:
    return ("--namespace", namespace) if namespace else ()
