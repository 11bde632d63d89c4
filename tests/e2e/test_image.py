"""The operator's image, as far as that can be seen without a container engine: what its build installs."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import twinhull

ROOT = Path(__file__).parents[2]
EPOCH = 1_767_225_600
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")


def install(sources: Path, target: Path) -> None:
    subprocess.run(
        ["sh", "image/install.sh", str(sources), str(target)],
        cwd=sources,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)},
        check=True,
    )


def files(folder: Path) -> dict[str, tuple[str, float]]:
    """The digest and the time of each file and link below a folder."""
    return {
        str(path.relative_to(folder)): (
            str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest(),
            path.lstat().st_mtime,
        )
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build stage copies, and nothing else."""
    folder = tmp_path_factory.mktemp("sources")
    stage = CONTAINERFILE.partition("\nFROM ${BASE}\n")[0]
    for names, target in re.findall(r"^COPY (.+) (\S+)$", stage, re.MULTILINE):
        for name in names.split():
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (folder / target).mkdir(exist_ok=True)
                shutil.copy(source, folder / target)
    return folder


@pytest.fixture(scope="module")
def target(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("opt") / "twinhull"
    install(sources, folder)
    return folder


def run(target: Path, *arguments: str) -> str:
    environment = {"PATH": f"{target}/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
    return subprocess.run(
        ["twinhull", *arguments], env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_it_answers(target: Path) -> None:
    assert run(target, "--version") == f"twinhull, version {twinhull.__version__}\n"
    assert "--leader-elect" in run(target, "run", "--help")
    checked = run(target, "validate", str(ROOT / "examples/container.yaml"))
    assert checked == "1 Workload checked: nothing is wrong\n", "every rule was checked"


def test_it_has_what_the_lock_file_pins_for_running_and_nothing_else(target: Path) -> None:
    pinned = dict(
        re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / "image" / "runtime.lock").read_text(), re.MULTILINE)
    )
    (packages,) = target.glob("lib/python3*/site-packages")
    found = dict(
        path.name.removesuffix(".dist-info").split("-", 1)
        for path in packages.iterdir()
        if path.name.endswith(".dist-info")
    )
    installed = {name.lower().replace("_", "-"): version for name, version in found.items()}
    assert installed == {**pinned, "twinhull": twinhull.__version__}
    assert "pip" not in {path.name for path in (target / "bin").iterdir()}


def test_the_same_sources_give_the_same_files(sources: Path, target: Path) -> None:
    first = files(target)
    assert {time for _, time in first.values()} == {EPOCH}
    shutil.rmtree(target)
    install(sources, target)
    second = files(target)
    assert {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)} == set()


def test_it_runs_as_nobody_of_its_nodes() -> None:
    assert re.findall(r"^USER (.+)$", CONTAINERFILE, re.MULTILINE) == ["65532:65532"]


def base() -> str:
    (named,) = re.findall(r"^ARG BASE=(\S+)$", CONTAINERFILE, re.MULTILINE)
    return str(named)


def test_its_base_is_of_one_digest_and_its_labels_say_ours() -> None:
    assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base())
    assert set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE)) == {"${BASE}"}
    assert f"ARG VERSION={twinhull.__version__}\n" in CONTAINERFILE


@pytest.mark.parametrize("digest", ["", "@sha256:"], ids=["without", "with"])
def test_a_base_without_a_digest_ends_the_build(digest: str) -> None:
    name = base().partition("@")[0]
    first = re.search(r"^RUN (.+)$", CONTAINERFILE, re.MULTILINE)
    assert first is not None
    done = subprocess.run(
        ["sh", "-c", first[1]], env={"BASE": name + digest}, capture_output=True, text=True, check=False
    )
    assert done.returncode == (0 if digest else 1)
    assert done.stderr == ("" if digest else f"BASE={name} has no digest: name it as …@sha256:…\n")
