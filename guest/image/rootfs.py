"""The guest's root file system: chosen files of Debian packages, the Go programs, and some configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_IFLNK, S_IFREG, S_ISDIR, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING

from guest.image import deb, kernel
from guest.image.errors import ImageError
from guest.image.kernel import Kernel
from guest.image.programs import PLACES
from guest.image.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from guest.image.architecture import Architecture
    from guest.image.lock import Package
    from guest.image.tools import Tools

# Files that are copied as they are.
COPIED = Path(__file__).with_name("root")
_CERTIFICATES = "usr/share/ca-certificates/mozilla/"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"

# The files that are taken of a package, by its name. Of all others the libraries are taken.
_CHOSEN = {
    "base-files": r"usr/share/common-licenses/.*",
    "ca-certificates": f"{_CERTIFICATES}.*",
    "crun": "usr/bin/crun",
    "e2fsprogs": "usr/s?bin/(mke2fs|e2fsck)",
    "kmod": "usr/bin/kmod|usr/lib/modprobe.d/.*",
    "mount": "usr/s?bin/(u?mount|losetup)",
    "tzdata": r"usr/share/zoneinfo/.*",
    "util-linux": "usr/s?bin/blkid",
}
_LIBRARIES = r"usr/lib/{triplet}/[^/]+\.so\.[0-9.]+|{loader}"
_KERNEL = f"boot/vmlinuz-.*|{kernel.MODULES}/.*"
_COPYRIGHT = r"usr/share/doc/[^/]+/copyright"

_FOLDERS = {
    "dev": 0o755,
    "etc/containerd/certs.d": 0o755,
    "opt": 0o755,
    "proc": 0o555,
    "root": 0o700,
    "run": 0o755,
    "sys": 0o555,
    "tmp": 0o1777,
    "usr/libexec/kubernetes/kubelet-plugins/volume/exec": 0o755,  # kubelet warns if it isn't there
    "var/lib/containerd": 0o700,
    "var/lib/kubelet": 0o750,
    "var/log/pods": 0o755,
    "var/tmp": 0o1777,
}
_LINKS = {
    "bin": "usr/bin",
    "etc/mtab": "../proc/self/mounts",
    "etc/os-release": "../usr/lib/os-release",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "sbin": "usr/sbin",
    "usr/sbin/modprobe": "../bin/kmod",
    "usr/sbin/twinhull-runtime": "twinhull-guest",
    "var/run": "../run",
}

# All programs. There is no shell, no interpreter and no login: nobody has to log in, and whoever takes a
# machine over can do less without them.
_PROGRAMS = frozenset(
    [
        *PLACES.values(),
        "usr/bin/crun",
        "usr/bin/kmod",
        "usr/bin/mount",
        "usr/bin/umount",
        "usr/sbin/blkid",
        "usr/sbin/e2fsck",
        "usr/sbin/losetup",
        "usr/sbin/mke2fs",
        "usr/sbin/modprobe",
        "usr/sbin/twinhull-runtime",
    ]
)


@dataclass(frozen=True)
class Root:
    tree: Tree
    kernel: Kernel


def make(
    architecture: Architecture,
    packages: Mapping[Package, Path],
    programs: Mapping[str, Path],
    version: str,
    tools: Tools,
) -> Root:
    """The root file system without containerd's own folder, and its kernel."""
    tree, linux, certificates = _skeleton(), Kernel(), b""
    for package, path in packages.items():
        for name, mode, content in _files(package.name, path, architecture):
            if _of_kernel(name):
                linux.add(name, content)
            elif name.startswith(_CERTIFICATES):
                certificates += content.strip() + b"\n"
            elif S_ISLNK(mode):
                tree.link(name, content.decode())
            else:
                tree.file(name, content, mode & 0o755)
    if not linux.release or not certificates:
        raise ImageError("debian.lock lacks a kernel, or the certificates")
    linux.index(tools)
    for name, content in linux.modules.items():
        tree.file(f"{kernel.MODULES}/{linux.release}/{name}", content)
    tree.file(_BUNDLE, certificates)
    tree.file("usr/lib/os-release", os_release(version))
    tree.copy(COPIED)
    for name, place in PLACES.items():
        tree.file(place, programs[name], 0o755)
    refuse_others(tree)
    return Root(tree, linux)


def _skeleton() -> Tree:
    tree = Tree()
    for link, target in _LINKS.items():
        tree.link(link, target)
    for folder, mode in _FOLDERS.items():
        tree.folder(folder, mode)
    return tree


def _files(package: str, path: Path, architecture: Architecture) -> Iterator[tuple[str, int, bytes]]:
    """What is taken of a package: path, mode with the type, and content or a link's target."""
    wanted = _wanted(package, architecture)
    seen: dict[str, bytes] = {}
    for name, info, content in deb.members(path):
        if info.isdir() or not wanted.fullmatch(name):
            continue
        if info.issym():
            yield name, S_IFLNK | 0o777, info.linkname.encode()
            continue
        # A hard link becomes a copy.
        seen[name] = seen[deb.merged(info.linkname)] if content is None else content.read()
        yield name, S_IFREG | info.mode, seen[name]


def _of_kernel(name: str) -> bool:
    return name.startswith(("boot/", f"{kernel.MODULES}/"))


def _wanted(package: str, architecture: Architecture) -> re.Pattern[str]:
    libraries = _LIBRARIES.format(
        triplet=re.escape(architecture.triplet), loader=re.escape(architecture.loader)
    )
    taken = _KERNEL if package.startswith("linux-image-") else _CHOSEN.get(package, libraries)
    return re.compile(f"{taken}|{_COPYRIGHT}")


def os_release(version: str) -> str:
    """https://www.freedesktop.org/software/systemd/man/latest/os-release.html"""
    fields = {
        "NAME": '"Twinhull guest"',
        "PRETTY_NAME": f'"Twinhull guest {version} (Debian 13)"',
        "ID": "twinhull-guest",
        "ID_LIKE": "debian",
        "VERSION_ID": version,
        "IMAGE_ID": "twinhull-guest",
        "IMAGE_VERSION": version,
    }
    return "".join(f"{name}={value}\n" for name, value in fields.items())


def refuse_others(tree: Tree) -> None:
    """Raises ImageError if there is a program or a script that isn't meant to be, or one is missing."""
    found = {path for path, entry in tree if _runs(path, entry.mode)}
    if odd := found - _PROGRAMS:
        raise ImageError(f"/{', /'.join(sorted(odd))} must not be in the image")
    if lacking := _PROGRAMS - found:
        raise ImageError(f"/{', /'.join(sorted(lacking))} is missing from the image")


def _runs(path: str, mode: int) -> bool:
    if S_ISDIR(mode):
        return False
    in_folder_of_programs = PurePosixPath(path).parent.name in {"bin", "sbin", "libexec"}
    executable = S_ISREG(mode) and mode & 0o111 and ".so." not in path
    return in_folder_of_programs or bool(executable)
