"""The operator's image, put together without a container engine: as the Containerfile says, on another base.

That is the Python that runs the tests, with the libraries it needs, at its own place.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.guest.containerimage import ContainerImage, File, Layer

_ROOT = Path(__file__).parents[2]
_CONTAINERFILE = (_ROOT / "Containerfile").read_text(encoding="utf-8")
_PLACE = Path("/opt/twinhull")
_BASE = Path(sys.base_prefix)
_LEFT_OUT = re.compile(r"/(test|tests|idlelib|tkinter|ensurepip|site-packages|config-[^/]*|lib2to3)/")


def build(folder: Path) -> ContainerImage:
    """The image; `folder` is for the work."""
    target = folder / "twinhull"
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}
    install = ["sh", "image/install.sh", str(_ROOT), str(target)]
    subprocess.run(install, cwd=_ROOT, env=environment, check=True)
    files = {**dict(_python()), **dict(_operator(target))}
    files |= dict(_libraries([Path(sys.executable).resolve(), *target.rglob("*.so"), *_BASE.rglob("*.so")]))
    folders = {parent: None for path in files for parent in path.parents if parent != Path("/")}
    entries = {**folders, **files}
    layer = Layer.of(
        *(File(str(path)[1:], data, 0o755) for path, data in sorted(entries.items(), key=lambda e: str(e[0])))
    )
    return ContainerImage((layer,), _configuration())


def _configuration() -> dict[str, Any]:
    """The Containerfile's last stage."""
    instructions = dict(re.findall(r"^(ENV|USER|WORKDIR|ENTRYPOINT|CMD) (.+)$", _CONTAINERFILE, re.MULTILINE))
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "Env": [word.replace("$PATH", path) for word in shlex.split(instructions["ENV"])],
        "User": instructions["USER"],
        "WorkingDir": instructions["WORKDIR"],
        "Entrypoint": _words(instructions["ENTRYPOINT"]),
        "Cmd": _words(instructions["CMD"]),
    }


def _words(text: str) -> list[str]:
    return re.findall(r'"([^"]*)"', text)


def _python() -> Iterator[tuple[Path, bytes]]:
    """The interpreter and its library, of which tests and what needs a screen are left out."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for path in (_BASE / "lib" / version).rglob("*"):
        if path.is_file() and not _LEFT_OUT.search(str(path)):
            yield path, path.read_bytes()
    interpreter = Path(sys.executable).resolve()
    yield interpreter, interpreter.read_bytes()


def _operator(target: Path) -> Iterator[tuple[Path, bytes]]:
    """What was installed, as if it had been installed in its place."""
    for path in target.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.parent == target / "bin" or path.name == "pyvenv.cfg":
                data = data.replace(str(target).encode(), str(_PLACE).encode())
            yield _PLACE / path.relative_to(target), data


def _libraries(programs: list[Path]) -> Iterator[tuple[Path, bytes]]:
    """The shared libraries that these are linked with, and the dynamic linker."""
    libraries = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, text=True, check=False
    ).stdout
    for name in set(re.findall(r"(/\S+) \(0x", libraries)):
        yield Path(name), Path(name).read_bytes()
