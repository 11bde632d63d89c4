"""templatetypes.json: how Kubernetes' Go types declare a template's fields, and what it puts in by default.

The pinned Kubernetes is asked itself: go/main.go is built with its types and its defaulting.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.podtemplate.samples import samples
from tools.gobuild import Go, environment
from tools.podtemplate.upstream import PINNED

_PROGRAM = Path(__file__).with_name("go") / "main.go"
#: Defaults that depend on another field, which core/canonical says instead.
CONDITIONAL = {"Container": "imagePullPolicy", "ImageVolumeSource": "pullPolicy"}
#: What a template has no field of: others' containers, and what only the API server writes.
_ELSEWHERE = {"EphemeralContainer", "EphemeralContainerCommon", "FieldsV1", "ManagedFieldsEntry"}


def templatetypes() -> str:
    """The file's text; needs Go, and for its first run a module proxy."""
    types = json.loads(_run("types", stdin=""))
    for name, field in CONDITIONAL.items():
        del types[name][field]["default"]
    known = {name: fields for name, fields in types.items() if name not in _ELSEWHERE}
    return json.dumps(known, indent=1, sort_keys=True) + "\n"


def stored(templates: Sequence[Any]) -> list[Any]:
    """What an API server stores of Pods made of these templates."""
    pods: list[Any] = json.loads(_run(stdin=json.dumps(templates)))
    return pods


def _run(*arguments: str, stdin: str) -> str:
    command = [Go.find().path, "run", str(_PROGRAM), *arguments]
    return subprocess.run(
        command, cwd=PINNED, env=environment(), check=True, input=stdin, stdout=subprocess.PIPE, text=True
    ).stdout


def stored_samples() -> str:
    """The text of stored.json: what an API server stores of a Pod made of each sample."""
    named = samples()
    pairs = zip(named, stored(list(named.values())), strict=True)
    return json.dumps(dict(pairs), indent=1, sort_keys=True) + "\n"
