"""Objects as a Pod's volumes show them, the way a kubelet writes them."""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.guest.fileowners import VIRTIOFSD

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.guest.fileowners import Owners
    from tests.guest.machinespec import SourceKind

_numbers = count(1)
_TOKEN = "token"  # noqa: S105 - the name of a file


@dataclass(frozen=True)
class Projection:
    """A folder whose files all change at once, by the change of one link.

    Everything is as a kubelet >= 1.36 leaves it to a launcher Pod, whose fsGroup and only user are 107
    (k8s.io/kubernetes/pkg/volume: util/atomic_writer.go, volume_linux.go, projected/projected.go). Folders,
    files and links are root's, of group 107. Only a ServiceAccount's token is the Pod's user's, and so is the
    link to it. All volumes but those of ConfigMaps are a tmpfs, whose root is sticky.
    """

    folder: Path
    kind: SourceKind
    owners: Owners

    def write(self, files: Mapping[str, bytes]) -> None:
        """Makes these the folder's files, in place of those that it had."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.owners.give(self.folder, user=0, mode=0o2777 if self.kind == "configMap" else 0o3777)
        data = self.folder / "..data"
        old = data.resolve() if data.exists() else None
        fresh = self.folder / f"..2026_01_01_00_00_00.{next(_numbers):09d}"
        fresh.mkdir()
        self.owners.give(fresh, user=0, mode=0o2755)
        for name, content in files.items():
            (fresh / name).write_bytes(content)
            user = self._user(name)
            self.owners.give(fresh / name, user=user, mode=0o640 if user else 0o644)
        half = self.folder / "..data_tmp"
        half.symlink_to(fresh.name)
        self.owners.give(half, user=0)
        half.rename(data)
        for name in files:
            link = self.folder / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")
                self.owners.give(link, user=self._user(name))
        for link in self.folder.iterdir():
            if not link.name.startswith("..") and link.name not in files:
                link.unlink()
        if old is not None:
            shutil.rmtree(old)

    def _user(self, name: str) -> int:
        return VIRTIOFSD if self.kind == "serviceAccount" and name == _TOKEN else 0


def files_of(obj: Mapping[str, Any]) -> dict[str, bytes]:
    """What a ConfigMap or a Secret holds, a file a key."""
    plain = "stringData" if obj["kind"] == "Secret" else "data"
    encoded = "data" if obj["kind"] == "Secret" else "binaryData"
    return {
        **{key: base64.b64decode(value) for key, value in (obj.get(encoded) or {}).items()},
        **{key: value.encode() for key, value in (obj.get(plain) or {}).items()},
    }
