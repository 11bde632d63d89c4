"""Builds the one file: a zip archive with `start.py`, the parts for any Python, and those for each version.

Python can't import compiled modules from an archive, so the parts are unpacked once, by `start.py`. They are
archives within the archive, since Python reads the index of the outer one at each start.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hatchling.builders.wheel import WheelBuilder

from tools import locks

ROOT = Path(__file__).parents[2]
#: The versions of Python 3 that the file has parts for.
MINORS = (11, 12, 13, 14)
#: What stands before the archive: it is run by the first python3 of the PATH.
_SHEBANG = b"#!/usr/bin/env python3\n"
#: The earliest time that a zip archive can say; nothing tells when it was made.
_TIME = (1980, 1, 1, 0, 0, 0)
#: Each extension of the CEL engine has the engine in it once more, 36 MB in all. None is used.
_LEFT_OUT = re.compile(r"cel_expr_python/ext/")


@dataclass(frozen=True, slots=True)
class Platform:
    """A system that the file can be for."""

    #: What krew and Go call its processor.
    arch: str
    #: What Linux calls it.
    machine: str

    @property
    def name(self) -> str:
        """What files for it are called."""
        return f"twinhull-linux-{self.arch}"

    @property
    def tags(self) -> list[str]:
        """The tags of the wheels that run there (PEP 600) with a glibc of the version GLIBC."""
        minors = range(GLIBC[1], 4, -1)
        return [f"manylinux_2_{minor}_{self.machine}" for minor in minors] + [
            f"manylinux2014_{self.machine}",
            f"manylinux1_{self.machine}",
        ]


PLATFORMS = {f"linux-{one.arch}": one for one in (Platform("amd64", "x86_64"), Platform("arm64", "aarch64"))}
#: The oldest glibc that all wheels run with.
GLIBC = (2, 28)


def build(platform: Platform, folder: Path, minors: Iterable[int] = MINORS) -> Path:
    """Make the file for a platform in a folder. Its path."""
    minors = sorted(minors)
    with tempfile.TemporaryDirectory(prefix="twinhull-cli-") as work:
        parts = _parts(platform, minors, Path(work))
    digest = hashlib.sha256(b"".join(parts[name] for name in sorted(parts))).hexdigest()
    facts = {
        "DIGEST": digest[:16],
        "GLIBC": GLIBC,
        "MACHINE": platform.machine,
        "NEWEST": (3, minors[-1]),
        "SYSTEM": "Linux",
    }
    text = "".join(f"{name} = {value!r}\n" for name, value in facts.items())
    start = (Path(__file__).parent / "start.py").read_bytes()
    outer = _zip(
        {"LICENSE": (ROOT / "LICENSE").read_bytes(), "__main__.py": start, "built.py": text.encode()}
    )
    with zipfile.ZipFile(outer, "a") as whole:
        for name, content in sorted(parts.items()):
            whole.writestr(_entry(name), content)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / platform.name
    path.write_bytes(_SHEBANG + outer.getvalue())
    path.chmod(0o755)
    return path


def archive(file: Path) -> Path:
    """An archive of the file and the licence, as krew takes it, beside the file. Its path."""
    path = file.with_name(f"{file.name}.tar.gz")
    contents = {"LICENSE": ((ROOT / "LICENSE").read_bytes(), 0o644), "twinhull": (file.read_bytes(), 0o755)}
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed, format=tarfile.USTAR_FORMAT) as members,
    ):
        for name, (content, mode) in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            members.addfile(member, io.BytesIO(content))
    return path


def _parts(platform: Platform, minors: list[int], work: Path) -> dict[str, bytes]:
    """The inner archives: what any Python takes, and what each version takes, by their names."""
    wheels: dict[int, set[Path]] = {minor: _downloaded(platform, minor, work) for minor in minors}
    (ours,) = WheelBuilder(str(ROOT)).build(directory=str(work / "ours"), versions=["standard"])
    by_name = {wheel.name: wheel for group in wheels.values() for wheel in group}
    names = [{wheel.name for wheel in group} for group in wheels.values()]
    common = {name for name in by_name if all(name in group for group in names)}
    parts = {"any.zip": _packed([Path(ours), *(by_name[name] for name in common)])}
    for minor, group in wheels.items():
        parts[f"cp3{minor}.zip"] = _packed(wheel for wheel in group if wheel.name not in common)
    return parts


def _downloaded(platform: Platform, minor: int, work: Path) -> set[Path]:
    """The wheels of all that the command needs, as requirements.lock pins them."""
    lock, folder = work / "command.lock", work / f"cp3{minor}"
    lock.write_text(locks.command(), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--require-hashes", "--only-binary", ":all:", "--implementation", "cp"),
        *("--python-version", f"3.{minor}", "--abi", f"cp3{minor}", "--abi", "abi3", "--abi", "none"),
        *(word for tag in platform.tags for word in ("--platform", tag)),
        *("--requirement", str(lock), "--dest", str(folder)),
    ]
    subprocess.run(command, check=True)
    return set(folder.glob("*.whl"))


def _packed(wheels: Iterable[Path]) -> bytes:
    """An archive of the files that wheels install among Python's packages."""
    files: dict[str, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive_:
            for name in archive_.namelist():
                if (placed := _place(name)) and not name.endswith("/"):
                    files[placed] = archive_.read(name)
    return _zip(files).getvalue()


def _place(name: str) -> str:
    """Where a file of a wheel is installed, empty if that isn't among the packages (PEP 427)."""
    top, *rest = PurePosixPath(name).parts
    if top.endswith(".data"):
        return "/".join(rest[1:]) if rest[0] in {"purelib", "platlib"} else ""
    return "" if _LEFT_OUT.match(name) else name


def _zip(files: Mapping[str, bytes]) -> io.BytesIO:
    """An archive that tells nothing but the files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in sorted(files.items()):
            packed.writestr(_entry(name), content, zipfile.ZIP_DEFLATED)
    return made


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _TIME)
    entry.create_system = 3  # Unix
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
