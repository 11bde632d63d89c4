"""Whether the same inputs make the same bytes."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from guest.image import build, cache
from guest.image.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Callable


def check(say: Callable[[str], None]) -> None:
    """Makes the image again, beside the one in the cache. Raises ImageError that names what differs."""
    image = build.build(say)
    with tempfile.TemporaryDirectory(dir=cache.folder(), prefix="again-") as folder:
        say("making it again")
        build.make(build.Inputs.ready(say), Path(folder), say)
        first, second = digests(image.folder), digests(Path(folder))
    different = sorted(name for name in first | second if first.get(name) != second.get(name))
    if different:
        raise ImageError(f"made twice, these differ: {', '.join(different)}")
    for name, digest in first.items():
        say(f"{digest}  {name}")


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below the folder, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
