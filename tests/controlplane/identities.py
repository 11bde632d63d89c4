"""Users of the control plane, each with a client certificate in a kubeconfig of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.controlplane import kubeconfig

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.controlplane.certificates import Authority

ADMINS = "system:masters"


@dataclass(frozen=True)
class Identities:
    """Makes kubeconfigs for users of the API server at `server`, whose certificates `authority` issues."""

    folder: Path
    server: str
    authority: Authority

    def kubeconfig(self, user: str, groups: Iterable[str] = (), *, path: Path | None = None) -> Path:
        """A kubeconfig for a user of these groups, at `path` or in a folder for them."""
        name = quote(user, safe="")
        return kubeconfig.write(
            path or self.folder / name,
            server=self.server,
            authority=self.authority.files.certificate,
            client=self.authority.client(f"user-{name}", user, groups),
            user=user,
        )
