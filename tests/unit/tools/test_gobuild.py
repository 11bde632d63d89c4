"""Programs are built one after the other, by whoever needs them first, and who waits says for what."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from guest.image.architecture import AMD64
from guest.image.programs import of_guest
from tests.controlplane import build
from tests.controlplane.polling import PATIENCE
from tools.gobuild import Builder, BuildError, Go, Program, compiler_flags, turn


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def modules(folder: Path, **packages: str) -> tuple[Program, ...]:
    """Programs of one Go module, whose code is given by their names."""
    module = folder / "small"
    for name, code in packages.items():
        (module / name).mkdir(parents=True)
        (module / name / "main.go").write_text(f"package main\n\n{code}\n")
    (module / "go.mod").write_text("module small.example\n\ngo 1.26\n")
    (module / "go.sum").touch()
    return tuple(Program(name, "small", f"./{name}", modules=folder) for name in packages)


@pytest.mark.slow
@pytest.mark.parametrize("inlined", [True, False])
def test_programs_of_one_module_are_built_together_and_only_once(tmp_path: Path, *, inlined: bool) -> None:
    hello = 'func main() { print("hello") }'
    made, lines = modules(tmp_path / "go", one=hello, two=hello), list[str]()
    programs = tuple(replace(program, inlined=inlined) for program in made)
    builder = Builder(Go.find(), lines.append, programs, tmp_path / "built")

    built = builder.build(programs)

    assert lines[0].startswith("building one, two with go")
    assert [subprocess.run([path], capture_output=True, check=True).stderr for path in built.values()] == [
        b"hello"
    ] * 2
    lines.clear()
    assert builder.build(programs) == built
    assert lines == []


def compilation(program: Program) -> set[str]:
    """How a program's packages are compiled. Its tags only say which files it has."""
    return {
        flag for flag in (*program.build_flags, *compiler_flags(program)) if not flag.startswith("-tags=")
    }


def test_programs_that_have_most_of_their_code_in_common_are_compiled_in_one_way() -> None:
    """So that packages are compiled once. It took the kubelet as long as the API server."""
    ours = [build.PROGRAMS[name] for name in ("etcd", *build.SERVERS, "kubectl", "kube-proxy")]
    guests = [program for program in of_guest(AMD64) if program.name in {"kubelet", "containerd"}]
    assert len(guests) >= 2
    assert [compilation(program) for program in (*ours, *guests)] == [{"-trimpath"}] * (6 + len(guests))
    kubevirts = [build.PROGRAMS[name] for name in (*build.KUBEVIRT, *build.KUBEVIRT_NODE)]
    assert len({frozenset(compilation(program)) for program in kubevirts}) == 1


@pytest.mark.slow
def test_whoever_needs_what_cannot_be_built_is_told_why(tmp_path: Path) -> None:
    programs = modules(tmp_path / "go", broken="func main() { nonsense() }")
    for _ in ("in the background", "who needs it"):
        builder = Builder(Go.find(), lambda _: None, programs, tmp_path / "built")
        with pytest.raises(BuildError, match=r"go build of broken failed:\n(.*\n)*.*undefined: nonsense"):
            builder.build(programs)


def test_who_waits_says_for_what_and_builds_then() -> None:
    waits, lines = Event(), list[str]()

    def say(line: str) -> None:
        lines.append(line)
        waits.set()

    def second() -> bool:
        with turn("velero", say, lambda: False) as needed:
            return needed

    with ThreadPoolExecutor() as threads:
        with turn("prometheus", lines.append, lambda: False) as needed:
            assert needed
            waiting = threads.submit(second)
            assert waits.wait(PATIENCE)
            assert not waiting.done()
        assert waiting.result(PATIENCE)
    assert lines == ["waiting to build velero until another process has built prometheus"]


def test_what_another_has_built_meanwhile_is_not_built_again(tmp_path: Path) -> None:
    waits, built = Event(), tmp_path / "built"

    def second() -> bool:
        with turn("etcd", lambda _: waits.set(), built.exists) as needed:
            return needed

    with ThreadPoolExecutor() as threads, turn("etcd", lambda _: None, built.exists):
        waiting = threads.submit(second)
        assert waits.wait(PATIENCE)
        built.touch()
        assert not waiting.result(PATIENCE), "while the other still has its turn"


def test_who_waits_comes_before_who_builds_one_thing_after_the_other() -> None:
    """A background build of many things lets in whoever needs one."""
    order, waits = list[str](), Event()

    def needs() -> None:
        with turn("needed", lambda _: waits.set(), lambda: False):
            order.append("needed")

    with ThreadPoolExecutor() as threads:
        for number in range(3):
            with turn(f"later {number}", lambda _: None, lambda: False):
                order.append(f"later {number}")
                if number == 0:
                    waiting = threads.submit(needs)
                    assert waits.wait(PATIENCE)
        waiting.result(PATIENCE)
    assert order == ["later 0", "needed", "later 1", "later 2"]
