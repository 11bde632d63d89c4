"""The initrd: the guest's own program as /init, and the modules it loads before anything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guest.image.kernel import in_order, listed
from guest.image.tree import Tree

if TYPE_CHECKING:
    from guest.image.kernel import Kernel

MODULES = Path(__file__).with_name("modules")


def make(program: Path, kernel: Kernel, modules: str) -> Tree:
    """`modules` is MODULES' text. /etc/modules-load has the paths, in the order to load them."""
    tree = Tree()
    for folder in ("dev", "proc", "sys", "sysroot"):
        tree.folder(folder)
    tree.file("init", program, 0o755)
    texts = [kernel.modules[name].decode() for name in ("modules.dep", "modules.builtin")]
    places = []
    for path in in_order(listed(modules), *texts):
        # Without compression, since that takes time. The memory is free again before anything else runs.
        place = f"lib/modules/{path.removesuffix('.xz').rpartition('/')[2]}"
        tree.file(place, kernel.uncompressed(path))
        places.append(f"/{place}\n")
    tree.file("etc/modules-load", "".join(places))
    return tree
