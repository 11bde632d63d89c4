"""Objects as a Pod's volumes show them, the way a kubelet writes them."""

from __future__ import annotations

import base64
import shutil
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_numbers = count(1)


@dataclass(frozen=True)
class Projection:
    """A folder whose files all change at once, by the change of one link.

    k8s.io/kubernetes/pkg/volume/util/atomic_writer.go
    """

    folder: Path

    def write(self, files: Mapping[str, bytes]) -> None:
        """Makes these the folder's files, in place of those that it had."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self.folder / "..data"
        before = data.resolve() if data.exists() else None
        fresh = self.folder / f"..2026_01_01_00_00_00.{next(_numbers):09d}"
        fresh.mkdir()
        for name, content in files.items():
            (fresh / name).write_bytes(content)
            (fresh / name).chmod(0o644)
        half = self.folder / "..data_tmp"
        half.symlink_to(fresh.name)
        half.rename(data)
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for link in self.folder.iterdir():
            if not link.name.startswith("..") and link.name not in files:
                link.unlink()
        if before is not None:
            shutil.rmtree(before)


def files_of(obj: Mapping[str, Any]) -> dict[str, bytes]:
    """What a ConfigMap or a Secret holds, a file a key."""
    plain = "stringData" if obj["kind"] == "Secret" else "data"
    encoded = "data" if obj["kind"] == "Secret" else "binaryData"
    return {
        **{key: base64.b64decode(value) for key, value in (obj.get(encoded) or {}).items()},
        **{key: value.encode() for key, value in (obj.get(plain) or {}).items()},
    }
