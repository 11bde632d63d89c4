"""Kubeconfig files with everything embedded, so that one file is enough to reach the control plane."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane.certificates import KeyPair


def write(path: Path, *, server: str, authority: Path, client: KeyPair | str, user: str) -> Path:
    """Writes a kubeconfig for `user`, readable by its owner alone, and gives its path. JSON is YAML too.

    `client` is a certificate with its key, or a token.
    """
    name = "twinhull"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [
            {"name": name, "cluster": {"server": server, "certificate-authority-data": _data(authority)}}
        ],
        "users": [{"name": user, "user": _credentials(client)}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    return path


def _credentials(client: KeyPair | str) -> dict[str, Any]:
    if isinstance(client, str):
        return {"token": client}
    return {
        "client-certificate-data": _data(client.certificate),
        "client-key-data": _data(client.key),
    }


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
