"""Go programs, built from pinned modules into folders of the cache, one after the other.

A build takes all processors, so two processes never build at once. Who waits says for what. A build that
failed is tried again by whoever needs the program, so that they are told why it fails.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tools import cache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

_OLDEST_GO = (1, 26)
_PROGRESS_EVERY = 15.0  # seconds
_LOOK_EVERY = 0.2  # seconds


def pinned(module: Path, path: str) -> str:
    """The version of the Go module `path` that the go.mod of the folder `module` requires."""
    text = (module / "go.mod").read_text(encoding="utf-8")
    versions: list[str] = re.findall(rf"^\s*(?:require )?{re.escape(path)} (\S+)", text, re.MULTILINE)
    return versions[0]


class BuildError(Exception):
    """A program can't be built; the message says what to do about it."""


@dataclass(frozen=True)
class Program:
    """One program.

    Built from a module, Kubernetes says v0.0.0-master, which clients can't parse: the version has to be
    linked in.
    """

    #: What its file is called.
    name: str
    #: The folder below `modules` whose go.mod pins it.
    module: str
    #: Its package.
    package: str
    #: The variables that hold its version, and the version.
    version_variables: tuple[tuple[str, str], ...] = ()
    #: Where the folders of modules are.
    modules: Path = field(kw_only=True)
    #: More flags for `go build`.
    build_flags: tuple[str, ...] = ()
    #: More variables for `go build`.
    environment: tuple[tuple[str, str], ...] = ()
    #: Whether the compiler may inline functions, for which it takes a fourth longer, and the program less.
    inlined: bool = True

    @property
    def executable(self) -> str:
        """What `go build` calls its file in a folder, or "" where that isn't its package's last element."""
        last = self.package.rpartition("/")[2]
        return "" if re.fullmatch(r"\.*|v\d+", last) else last

    @property
    def link_flags(self) -> str:
        """The linker's flags: no debugging information, the true version."""
        return " ".join(["-s -w", *(f"-X {variable}={value}" for variable, value in self.version_variables)])


@dataclass(frozen=True)
class Go:
    """The Go toolchain on PATH."""

    path: str
    version: str
    platform: str

    @classmethod
    def find(cls) -> Go:
        want = ".".join(map(str, _OLDEST_GO))
        path = shutil.which("go")
        if path is None:
            raise BuildError(
                f"Go {want} or later is needed and none is on PATH: install it from https://go.dev/dl/"
            )
        report = subprocess.run(
            [path, "version"], env=environment(), capture_output=True, text=True, check=False
        )
        match = re.match(r"go version (go(\d+)\.(\d+)\S*).* (\S+/\S+)$", report.stdout.strip())
        if match is None:
            raise BuildError(f"{path} doesn't say which Go it is: {report.stdout}{report.stderr}")
        if (int(match[2]), int(match[3])) < _OLDEST_GO:
            raise BuildError(
                f"Go {want} or later is needed and {path} is {match[1]}: install one from https://go.dev/dl/"
            )
        return cls(path, version=match[1], platform=match[4])


def environment() -> dict[str, str]:
    """The user's environment (proxies, caches), less what would change the outcome."""
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


@dataclass
class Builder:
    """Builds programs into folders below `cache`; `known` are all that there are of their modules."""

    go: Go
    say: Callable[[str], None]
    known: Collection[Program]
    cache: Path
    folders: dict[str, Path] = field(default_factory=dict)

    def build(self, wanted: Collection[Program]) -> dict[str, Path]:
        """The programs' paths by name, each built if it isn't in the cache yet. Raises BuildError."""
        paths = {program.name: self.folder(program) / program.name for program in wanted}
        for folder in {path.parent for path in paths.values()}:
            cache.used(folder)
        missing = [program for program in wanted if not paths[program.name].exists()]
        for _, alike in groupby(missing, _built_together):
            group = list(alike)
            names = ", ".join(program.name for program in group)
            with turn(names, self.say, lambda group=group: self._are_built(group)) as needed:  # type: ignore[misc]
                if needed:
                    self._compile([program for program in group if not paths[program.name].exists()])
                    cache.prune(cache.folder())
        return paths

    def download(self, program: Program) -> None:
        """Downloads the sources of a program and of all that it is made of, where they are missing."""
        command = [self.go.path, "list", "-deps", *program.build_flags, program.package]
        variables = environment() | dict(program.environment)
        folder = program.modules / program.module
        subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False)

    def folder(self, program: Program) -> Path:
        """<module>-<hash>: whatever could change a program of the module changes the hash."""
        module = program.module
        if module not in self.folders:
            source = program.modules / module
            digest = hashlib.sha256()
            for path in sorted([source / "go.mod", source / "go.sum", *source.rglob("*.go")]):
                digest.update(f"{path.relative_to(source)}\0".encode() + path.read_bytes())
            for path in _local_modules(source):
                digest.update(f"{path.relative_to(source.parent)}\0".encode() + path.read_bytes())
            flags = {
                other.name: " ".join(
                    ["-".join(pair) for pair in other.environment] + [*other.build_flags, other.link_flags]
                )
                for other in self.known
                if other.module == module
            }
            digest.update(json.dumps([flags, self.go.version, self.go.platform], sort_keys=True).encode())
            self.folders[module] = self.cache / f"{module}-{digest.hexdigest()[:16]}"
            self.folders[module].mkdir(parents=True, exist_ok=True)
        return self.folders[module]

    def _are_built(self, programs: Collection[Program]) -> bool:
        return all((self.folder(program) / program.name).exists() for program in programs)

    def _compile(self, programs: list[Program]) -> None:
        """Builds programs of one module with the same flags, by one `go build`: it links one while it
        compiles another.
        """
        first, names = programs[0], ", ".join(program.name for program in programs)
        target = self.folder(first)
        self.say(f"building {names} with {self.go.version}")
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=target, prefix=".build-") as folder:
            output = Path(folder) / "out"
            output.mkdir()
            single = len(programs) == 1
            path = output / first.name if single else output
            flags = [
                *first.build_flags,
                *compiler_flags(first),
                "-ldflags",
                first.link_flags,
                "-o",
                str(path),
            ]
            command = [self.go.path, "build", *flags, *(program.package for program in programs)]
            with (Path(folder) / "log").open("w+", encoding="utf-8") as log:
                if self._run(command, first, log, names):
                    log.seek(0)
                    raise BuildError(f"go build of {names} failed:\n{log.read()[-4000:].strip()}")
            for program in programs:
                (output / (program.name if single else program.executable)).replace(target / program.name)
        self.say(f"built {names} in {time.monotonic() - began:.0f} s")

    def _run(self, command: list[str], program: Program, log: TextIO, title: str) -> int:
        began = time.monotonic()
        folder, variables = program.modules / program.module, environment() | dict(program.environment)
        with subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log) as process:
            try:
                while True:
                    try:
                        return process.wait(_PROGRESS_EVERY)
                    except subprocess.TimeoutExpired:
                        self.say(f"building {title}: {time.monotonic() - began:.0f} s")
            except BaseException:
                process.terminate()
                raise


def _local_modules(source: Path) -> list[Path]:
    """The files of the modules beside `source` that its go.mod puts in the place of others."""
    text = (source / "go.mod").read_text(encoding="utf-8")
    folders = [source.parent / name for name in re.findall(r"=> \.\./(\S+)$", text, re.MULTILINE)]
    return sorted(path for folder in folders for path in (folder / "go.mod", *folder.rglob("*.go")))


def compiler_flags(program: Program) -> list[str]:
    """How packages are compiled. It changes nothing that a program does, so it isn't in the folders' hash.

    Packages that are compiled in the same way are compiled once, by Go's cache, however many programs have
    them: 97 % of the kubelet's code is in the API server and its companions, too. So whatever is inlined is
    compiled as the guest's programs, which are the same bytes wherever they are built: without paths of this
    machine, and with no other flag, as flags are among those bytes.

    All others go without debugging information, which takes an eighth of the compiler's time, and which the
    linker drops anyway.
    """
    if "-trimpath" in program.build_flags:
        return []
    return ["-trimpath"] if program.inlined else ["-gcflags=all=-dwarf=false -l"]


def _built_together(program: Program) -> tuple[object, ...]:
    """What programs have in common that one `go build` makes."""
    alone = "" if program.executable else program.name
    return (
        program.modules,
        program.module,
        program.build_flags,
        program.link_flags,
        program.environment,
        program.inlined,
        alone,
    )


@contextmanager
def turn(what: str, say: Callable[[str], None], is_built: Callable[[], bool]) -> Iterator[bool]:
    """Waits until no other process builds anything; whether `what` is still to be built then.

    `is_built` tells whether another process has built it meanwhile, which ends the wait. Who waits says for
    what through `say`. Of two files the first is held by who comes next: so whoever builds many things in the
    background has to let others in between.
    """
    began = reported_at = time.monotonic()
    reported_at -= _PROGRESS_EVERY
    with ExitStack() as stack:
        queue = stack.enter_context((cache.folder() / ".next-build").open("a+"))
        building = stack.enter_context((cache.folder() / ".build").open("a+"))
        locks = [queue, building]
        while locks:
            if is_built():
                yield False
                return
            if _held(locks[0]):
                del locks[0]
            elif time.monotonic() - reported_at >= _PROGRESS_EVERY:
                reported_at = time.monotonic()
                waited = f", {reported_at - began:.0f} s so far" if reported_at - began >= 1 else ""
                say(f"waiting to build {what} until another process has built {_written(building)}{waited}")
            else:
                time.sleep(_LOOK_EVERY)
        building.truncate(0)
        building.write(what)
        building.flush()
        queue.close()
        yield not is_built()


def _held(lock: TextIO) -> bool:
    """Whether the lock is this process's now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _written(lock: TextIO) -> str:
    """What the process that holds the lock builds."""
    lock.seek(0)
    return lock.read() or "something"
