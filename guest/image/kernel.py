"""The kernel and its modules."""

from __future__ import annotations

import lzma
import tempfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from guest.image.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guest.image.tools import Tools

MODULES = "usr/lib/modules"
_NEEDED_FROM_PACKAGE = ("modules.builtin", "modules.builtin.modinfo", "modules.order")


@dataclass
class Kernel:
    """What the kernel's package has: `modules` by path below usr/lib/modules/<release>."""

    release: str = ""
    image: bytes = b""
    modules: dict[str, bytes] = field(default_factory=dict)

    def add(self, path: str, content: bytes) -> None:
        """Takes one file of the package, if it is wanted."""
        if path.startswith("boot/vmlinuz-"):
            self.release, self.image = path.removeprefix("boot/vmlinuz-"), content
        elif path.startswith(f"{MODULES}/"):
            self.modules[path.removeprefix(f"{MODULES}/").partition("/")[2]] = content

    def index(self, tools: Tools) -> None:
        """Adds what modprobe looks modules up in, made by depmod."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "lib/modules" / self.release
            for path, content in self.modules.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            tools.run("depmod", "-b", scratch, self.release)
            for made in folder.glob("modules.*"):
                self.modules[made.name] = made.read_bytes()
        missing = [name for name in (*_NEEDED_FROM_PACKAGE, "modules.dep.bin") if name not in self.modules]
        if missing:
            raise ImageError(f"the kernel's package or depmod gave no {', '.join(missing)}")

    def uncompressed(self, path: str) -> bytes:
        """A module as the kernel itself takes it."""
        content = self.modules[path]
        return lzma.decompress(content) if path.endswith(".xz") else content


def in_order(names: Iterable[str], dependencies: str, builtin: str) -> list[str]:
    """The paths of the named modules and of all they depend on, each after what it needs.

    `dependencies` is modules.dep's text, `builtin` is that of modules.builtin. Raises ImageError for a module
    that there isn't.
    """
    needs: dict[str, list[str]] = {}
    for line in dependencies.splitlines():
        path, _, rest = line.partition(":")
        needs[path] = rest.split()
    paths = {_name(path): path for path in needs}
    present = {_name(path) for path in builtin.split()}
    ordered: dict[str, None] = {}

    def add(path: str) -> None:
        # modules.dep has all that a module depends on, the deepest last.
        for needed in reversed(needs[path]):
            ordered.setdefault(needed)
        ordered.setdefault(path)

    for name in names:
        plain = name.replace("-", "_")
        if plain in paths:
            add(paths[plain])
        elif plain not in present:
            raise ImageError(f"the kernel has no module {name}")
    return list(ordered)


def listed(text: str) -> list[str]:
    """The names in a list of modules."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _name(path: str) -> str:
    return PurePosixPath(path).name.partition(".ko")[0].replace("-", "_")
