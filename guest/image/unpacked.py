"""Debian packages of a lock, unpacked into a folder of the cache."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from guest.image import cache, deb, mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from guest.image.lock import Lock, Package


def folder(  # noqa: PLR0913  what differs from one set of packages to another
    name: str,
    lock: Lock,
    packages: Collection[Package],
    say: Callable[[str], None],
    *,
    what: str,
    layout: str,
    dropped: tuple[str, ...],
    left_out: Collection[str] = (),
    finish: Callable[[Path], None] = lambda _: None,
) -> Path:
    """The folder with the packages' files, made if need be; `say` gets the progress.

    `name` is the folder's in the cache, with `{}` for what tells one content from another: the packages and
    the `layout`, which changes when the same packages are to be unpacked differently. `what` they are is for
    the progress, such as "of the node". Not unpacked are the folders `dropped` and the files `left_out`
    (deb.unpack). `finish` is given the folder at the end. Raises ImageError, DownloadError.
    """
    digest = hashlib.sha256("".join([layout, *(package.sha256 for package in packages)]).encode())
    root = cache.folder() / name.format(digest.hexdigest()[:16])
    with cache.filling(root, say) as half:
        if half is not None:
            paths = mirror.debs(packages, lock.index, say)
            say(f"unpacking {len(paths)} packages {what}")
            deb.unpack(paths.values(), half, dropped, left_out)
            finish(half)
    return root
