"""The wheel and the sdist: built from a clean checkout, and installed where nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import twinhull
from tools import locks

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "examples" / "container.yaml"


def build(sources: Path, target: str, folder: Path) -> Path:
    """Build one of the two as `python -m build` would, with the pinned hatchling."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    subprocess.run(command, cwd=sources, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git knows of the working tree, or would add, and nothing else."""
    folder = tmp_path_factory.mktemp("checkout")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(checkout, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(checkout, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with the wheel and what requirements.lock pins for it."""
    folder = tmp_path_factory.mktemp("installed")
    lock = folder / "command.lock"
    lock.write_text(locks.command(), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "venv"), "install", "--quiet"]
    pip.append("--disable-pip-version-check")
    subprocess.run([*pip, "--require-hashes", "--no-deps", "--requirement", str(lock)], check=True)
    subprocess.run([*pip, "--no-index", "--no-deps", str(wheel)], check=True)
    return folder / "venv"


def run(program: Path, *args: str) -> str:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    command = [str(program), *args]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    return done.stdout


def test_what_is_installed_works(installed: Path) -> None:
    program = installed / "bin" / "twinhull"
    assert run(program, "--version") == f"twinhull, version {twinhull.__version__}\n"
    assert "Without a cluster:" in run(program, "--help")
    assert "kind: Pod\n" in run(program, "render", "-f", str(MANIFEST))
    assert run(program, "validate", str(MANIFEST)) == "1 Workload checked: nothing is wrong\n"


def test_kubectl_finds_a_plugin_that_it_can_complete(installed: Path) -> None:
    programs = installed / "bin"
    assert run(programs / "kubectl-twinhull", "--help").startswith("Usage: kubectl twinhull ")
    assert run(programs / "kubectl_complete-twinhull", "rend").startswith("render\t")


def test_manual_pages_and_completions_are_where_systems_look_for_them(installed: Path) -> None:
    share = installed / "share"
    pages = {path.name for path in (ROOT / "man").iterdir()}
    assert {path.name for path in (share / "man" / "man1").iterdir()} == pages
    for path in (
        "bash-completion/completions/twinhull",
        "zsh/site-functions/_twinhull",
        "fish/vendor_completions.d/twinhull.fish",
    ):
        assert (share / path).read_text("utf-8") == (ROOT / "completions" / Path(path).name).read_text(
            "utf-8"
        )


def test_every_requirement_of_the_wheel_is_installed(installed: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(installed), "check", "--disable-pip-version-check"]
    assert subprocess.run(pip, capture_output=True, text=True, check=True).stdout.startswith("No broken")


def test_the_sdist_gives_the_same_wheel(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "sources", filter="data")
    (sources,) = (tmp_path / "sources").iterdir()
    again = build(sources, "wheel", tmp_path / "wheel")
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_nothing_of_this_machine_is_in_them(sdist: Path, wheel: Path) -> None:
    with tarfile.open(sdist) as archive:
        contents = [found.read() for member in archive if (found := archive.extractfile(member))]
    with zipfile.ZipFile(wheel) as packed:
        contents += [packed.read(name) for name in packed.namelist()]
    assert contents
    assert not [content for content in contents if os.fsencode(ROOT) in content]
