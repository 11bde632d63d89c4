"""An image with a shell and tar, of the node's own Debian packages, beside the program of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests import sharedlibraries
from tests.guest import conformance
from tests.guest.containerimage import ContainerImage, File, Layer

if TYPE_CHECKING:
    from pathlib import Path

NAME = "shell:1"
_PROGRAMS = (
    *("cat", "chmod", "cut", "dd", "find", "head", "ls", "mkdir", "rm", "sha256sum", "sleep", "sort"),
    *("stty", "tar", "test", "touch", "wc", "xargs"),
)


def shell_image(root: Path) -> ContainerImage:
    """The image, from the node's root file system."""
    programs = {
        "bin/sh": root / "usr/bin/dash",
        **{f"bin/{name}": root / "usr/bin" / name for name in _PROGRAMS},
    }
    loader = sharedlibraries.dynamic_linker(root)
    folder = loader.parent
    libraries = sharedlibraries.needed(loader, programs.values())
    files = [
        *(File(path) for path in ("bin", "etc", "lib64", "usr", "usr/lib", f"usr/lib/{folder.name}")),
        *(File(path, mode=0o1777) for path in ("tmp", "files")),
        File("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", mode=0o644),
        File("bin/conformance", conformance.program()),
        File(f"lib64/{loader.name}", loader.read_bytes()),
        *(File(f"usr/lib/{folder.name}/{path.name}", path.read_bytes()) for path in libraries),
        *(File(name, path.read_bytes()) for name, path in programs.items()),
    ]
    start: dict[str, Any] = {"Env": ["PATH=/bin"], "Entrypoint": ["/bin/conformance"]}
    return ContainerImage((Layer.of(*files),), start)
