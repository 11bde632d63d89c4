"""Webhooks of a control plane whose programs listen on loopback: there is no Service network."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from tests.controlplane.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path


def at(configuration: dict[str, Any], port: int, authority: Path) -> dict[str, Any]:
    """A webhook configuration with each Service reference made a URL of that port. `authority` is the file
    with the certificate by which the API server knows who answers there.
    """
    bundle = base64.b64encode(authority.read_bytes()).decode()
    webhooks = [
        webhook
        | {
            "clientConfig": {
                "url": f"https://{LOOPBACK}:{port}{webhook['clientConfig']['service'].get('path', '')}",
                "caBundle": bundle,
            }
        }
        for webhook in configuration["webhooks"]
    ]
    return configuration | {"webhooks": webhooks}
