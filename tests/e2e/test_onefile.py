"""The command as one file (`make cli`): the same each time, unpacked once, and clear where it can't run."""

from __future__ import annotations

import gzip
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import twinhull
from tools.onefile import krew
from tools.onefile.build import PLATFORMS, Platform, archive, build

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "examples" / "container.yaml"
MINOR = sys.version_info[1]
HERE = next((one for one in PLATFORMS.values() if one.machine == platform.machine()), None)

pytestmark = pytest.mark.skipif(HERE is None, reason="there is no such file for this processor")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file with the parts for this Python only, as the others can't be tried."""
    assert isinstance(HERE, Platform)
    return build(HERE, tmp_path_factory.mktemp("cli"), [MINOR])


def run(
    file: Path, *args: str, home: Path, python: str = sys.executable, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, str(file), *args],
        env={"PATH": "/nonexistent", "HOME": str(home), "TMPDIR": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def unpacked(home: Path) -> list[Path]:
    folder = home / ".cache" / "twinhull" / "cli"
    return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.fixture(scope="module")
def home(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for which it is unpacked."""
    folder = tmp_path_factory.mktemp("home")
    done = run(file, "--version", home=folder)
    assert (done.stdout, done.stderr) == (f"twinhull, version {twinhull.__version__}\n", "")
    return folder


def test_it_is_unpacked_once_and_does_what_the_command_does(file: Path, home: Path) -> None:
    (parts,) = unpacked(home)
    inode = parts.stat().st_ino
    assert "Without a cluster:" in run(file, "--help", home=home).stdout
    assert "kind: Pod\n" in run(file, "render", "-f", str(MANIFEST), home=home).stdout
    checked = run(file, "validate", str(MANIFEST), home=home).stdout
    assert checked == "1 Workload checked: nothing is wrong\n", "the CEL engine works without its extensions"
    assert [path.stat().st_ino for path in unpacked(home)] == [inode]


def test_it_has_nothing_of_the_python_that_runs_it(file: Path, home: Path) -> None:
    code = "import sys, runpy; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    script = "import click, yaml, twinhull; print(click.__file__, yaml.__file__, twinhull.__file__)"
    (parts,) = unpacked(home)
    names = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(parts)!r}); {script}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert all(name.startswith(str(parts)) for name in names)
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(file), "--version"],
        env={"PATH": "/nonexistent", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"twinhull, version {twinhull.__version__}\n"


def test_as_kubectl_s_plugin_it_is_called_so(file: Path, home: Path, tmp_path: Path) -> None:
    (tmp_path / "kubectl-twinhull").symlink_to(file)
    shown = run(tmp_path / "kubectl-twinhull", "--help", home=home).stdout
    assert shown.startswith("Usage: kubectl twinhull ")
    assert run(file, "--help", home=home).stdout.startswith("Usage: twinhull ")


def test_the_same_sources_give_the_same_bytes(file: Path, tmp_path: Path) -> None:
    assert isinstance(HERE, Platform)
    again = build(HERE, tmp_path, [MINOR])
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(file.read_bytes()).digest()
    assert archive(again).read_bytes() == archive(file).read_bytes()


def test_calls_at_the_same_time_leave_one_copy(file: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(file), "--version"]
    environment = {"PATH": "/nonexistent", "HOME": str(tmp_path)}
    calls = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {call.communicate()[0] for call in calls} == {f"twinhull, version {twinhull.__version__}\n"}
    assert [call.returncode for call in calls] == [0, 0, 0]
    assert len(unpacked(tmp_path)) == 1


def test_what_nobody_used_for_long_is_removed(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "twinhull" / "cli"
    for name, days in {"old-cp311": 31, "unpacking-x": 31, "new-cp311": 1}.items():
        (folder / name / "twinhull").mkdir(parents=True)
        then = time.time() - days * 24 * 3600
        os.utime(folder / name, (then, then))
    folder.chmod(0o700)
    assert run(file, "--version", home=tmp_path).returncode == 0
    names = {path.name for path in unpacked(tmp_path)}
    assert "new-cp311" in names
    assert len(names) == 2


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_folder_in_which_others_write_is_not_trusted(file: Path, tmp_path: Path, mode: int) -> None:
    folder = tmp_path / ".cache" / "twinhull" / "cli"
    folder.mkdir(parents=True)
    folder.chmod(mode)
    done = run(file, "--version", home=tmp_path)
    assert done.stdout == f"twinhull, version {twinhull.__version__}\n"
    assert done.stderr.startswith("note: twinhull is unpacked for this call only")
    assert unpacked(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == [".cache"], "what was unpacked is removed"


def test_without_a_home_it_works_all_the_same(file: Path, tmp_path: Path) -> None:
    done = run(file, "--version", home=tmp_path, HOME="/proc/nowhere")
    assert done.stdout == f"twinhull, version {twinhull.__version__}\n"
    assert list(tmp_path.iterdir()) == []


def said_by(start: str, built: dict[str, Any], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """What the start says with other facts than the file's."""
    (tmp_path / "__main__.py").write_text(start, encoding="utf-8")
    facts = {"DIGEST": "0", "GLIBC": (2, 28), "MACHINE": platform.machine(), "NEWEST": (3, 99)}
    lines = [f"{name} = {value!r}\n" for name, value in {**facts, "SYSTEM": "Linux", **built}.items()]
    (tmp_path / "built.py").write_text("".join(lines))
    return run(tmp_path, "--version", home=tmp_path)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        ({"NEWEST": (3, 10)}, "twinhull needs Python 3.11 to 3.10. This is Python"),
        ({"MACHINE": "vax"}, "this file is for Linux on vax, and this is Linux on"),
        ({"SYSTEM": "Darwin"}, "this file is for Darwin on"),
        ({"GLIBC": (9, 9)}, "twinhull needs glibc 9.9 or later"),
    ],
)
def test_it_says_what_it_needs(built: dict[str, Any], expected: str, tmp_path: Path) -> None:
    start = (ROOT / "tools/onefile/start.py").read_text("utf-8")
    done = said_by(start, built, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {expected}")
    assert done.stderr.count("\n") == 1


def older_pythons() -> list[str]:
    """Pythons of this machine that the file has no parts for, from 2.7 on."""
    names = ["python2.7", *(f"python3.{minor}" for minor in range(4, 11))]
    homes = [*Path.home().glob(".pyenv/versions/*/bin"), Path("/usr/bin")]
    return [str(folder / name) for folder in homes for name in names if (folder / name).exists()]


def test_an_older_python_says_so_or_gives_way_to_a_newer_one(file: Path, home: Path, tmp_path: Path) -> None:
    """A machine without any older Python says nothing here; the start's syntax is checked below."""
    (tmp_path / f"python3.{MINOR}").symlink_to(shutil.which(sys.executable) or sys.executable)
    for python in older_pythons():
        done = run(file, "--version", home=home, python=python)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.match(r"Error: twinhull needs Python 3\.11 to 3\.\d+\. This is Python \d", done.stderr)
        done = run(file, "--version", home=home, python=python, PATH=str(tmp_path))
        assert done.stdout == f"twinhull, version {twinhull.__version__}\n"


def test_the_start_has_no_syntax_that_python_2_lacks() -> None:
    """As far as words tell it: what Python 3 has added is none of this file's."""
    text = (ROOT / "tools/onefile/start.py").read_text("utf-8")
    code = re.sub(r'"""(?:.|\n)*?"""', '""', text)
    assert text.isascii()
    assert not re.search(
        r"""\bf["']|\bnonlocal\b|:=|->|\basync\b|\bawait\b|\(\*|, \*\w+[.\[)]|\braise \w+ from""", code
    )


def facts(manifest: dict[str, Any]) -> list[str]:
    """What krew refuses (kubernetes-sigs/krew, internal/index/validation/validate.go)."""
    spec = manifest["spec"]
    wrong = []
    if (
        manifest["apiVersion"] != "krew.googlecontainertools.github.com/v1alpha2"
        or manifest["kind"] != "Plugin"
    ):
        wrong.append("kind")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", manifest["metadata"]["name"]):
        wrong.append("name")
    if not re.fullmatch(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", spec["version"]):
        wrong.append("version")
    if not spec["shortDescription"] or "\n" in spec["shortDescription"] or len(spec["shortDescription"]) > 50:
        wrong.append("shortDescription")
    if not spec["platforms"]:
        wrong.append("platforms")
    for one in spec["platforms"]:
        if not re.fullmatch("[0-9a-f]{64}", one["sha256"]) or not one["uri"].startswith("https://"):
            wrong.append("archive")
        if set(one["selector"]) != {"matchLabels"} or set(one["selector"]["matchLabels"]) != {"os", "arch"}:
            wrong.append("selector")
    return wrong


def test_the_manifest_is_as_krew_wants_it(file: Path, tmp_path: Path) -> None:
    packed = archive(file)
    made = yaml.safe_load(krew.written(krew.manifest([packed], "https://downloads.example/v1/")))
    assert facts(made) == []
    assert made["metadata"]["name"] == krew.NAME
    (one,) = made["spec"]["platforms"]
    assert one["uri"] == f"https://downloads.example/v1/{packed.name}"
    assert one["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    with tarfile.open(packed) as members:
        assert sorted(members.getnames()) == ["LICENSE", one["bin"]]
        members.extractall(tmp_path, filter="data")
    assert os.access(tmp_path / one["bin"], os.X_OK)
    assert (tmp_path / one["bin"]).read_bytes() == file.read_bytes()
    assert gzip.decompress(packed.read_bytes())[:7] == b"LICENSE"
