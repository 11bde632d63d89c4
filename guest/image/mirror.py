"""Files from a Debian mirror, or from snapshot.debian.org when it no longer has them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from guest.image import cache
from guest.image.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from guest.image.lock import Package

VARIABLE = "TWINHULL_DEBIAN_MIRROR"
_MIRROR = "http://deb.debian.org/debian"
_SNAPSHOT = "http://snapshot.debian.org/archive"
_TIMEOUT = 60.0  # seconds without a byte
_AT_ONCE = 6
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Mirror:
    """The base of Debian's main archive; the security archive is beside it, with `-security` added."""

    base: str

    @classmethod
    def of_environment(cls) -> Mirror:
        return cls((os.environ.get(VARIABLE) or _MIRROR).rstrip("/"))

    def url(self, path: str) -> str:
        """The address of a file whose path begins with its archive, debian or debian-security."""
        archive, _, rest = path.partition("/")
        return f"{self.base}{archive.removeprefix('debian')}/{rest}"

    def read(self, path: str) -> bytes:
        """A small file's content. Raises DownloadError."""
        url = self.url(path)
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:  # noqa: S310 - the mirror's scheme
                content: bytes = response.read()
                return content
        except OSError as error:
            raise DownloadError(f"{url}: {error}. Another mirror? Set {VARIABLE}.") from error


def debs(packages: Iterable[Package], index: str, say: Callable[[str], None]) -> dict[Package, Path]:
    """The packages' files, downloaded unless cached; `index` is the lock's. Raises DownloadError."""
    folder = cache.folder() / "debs"
    folder.mkdir(exist_ok=True)
    # By hash, since two archives may have a file of the same name.
    paths = {package: folder / f"{package.name}_{package.sha256[:16]}.deb" for package in packages}
    missing = [package for package in paths if not paths[package].exists()]
    if missing:
        say(f"downloading {len(missing)} Debian packages from {Mirror.of_environment().base}")
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            jobs = [pool.submit(_download, package, paths[package], index) for package in missing]
            for number, job in enumerate(as_completed(jobs), start=1):
                try:
                    job.result()
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
                if number % 25 == 0 or number == len(jobs):
                    say(f"downloaded {number} of {len(jobs)}")
    return paths


def _download(package: Package, target: Path, index: str) -> None:
    mirror = Mirror.of_environment()
    archive, _, rest = package.path.partition("/")
    troubles = []
    for url in (mirror.url(package.path), f"{_SNAPSHOT}/{archive}/{index}/{rest}"):
        try:
            _save(url, target, package.sha256)
        except (OSError, DownloadError) as error:
            troubles.append(f"  {url}: {error}")
        else:
            return
    raise DownloadError(
        f"{package.name} {package.version} can't be downloaded:\n" + "\n".join(troubles) + "\n"
        f"Name a mirror that has it by {VARIABLE}, or pin what Debian has now by `make guest-lock`."
    )


def _save(url: str, target: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".unfinished-") as unfinished:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:  # noqa: S310 - the mirror's scheme
            while chunk := response.read(_CHUNK):
                digest.update(chunk)
                unfinished.write(chunk)
        if digest.hexdigest() != sha256:
            raise DownloadError(f"its SHA-256 is {digest.hexdigest()}, not {sha256}")
        unfinished.flush()
        # A link, so that the temporary file may still remove itself; replaced if somebody was faster.
        link = Path(unfinished.name + ".deb")
        link.hardlink_to(unfinished.name)
        link.chmod(0o644)
        link.replace(target)
