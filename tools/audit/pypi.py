"""pip-audit: what PyPI's advisories say of the pinned Python packages.

It has an environment of its own, in the cache: none of what it needs is for the operator or its tests.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from tools.audit.verdict import Advisory, Verdict, last_line

_LOCK = Path(__file__).parent / "requirements.lock"


def audit(lock: Path, cache: Path) -> Verdict:
    """What is known against the packages of a lock file."""
    options = ("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off")
    try:
        program = _installed(cache)
    except subprocess.CalledProcessError as error:
        return Verdict(lock.name, unknown=f"pip-audit can't be installed: {last_line(error.stderr)}")
    ran = subprocess.run(
        [program, "--requirement", lock, *options], capture_output=True, text=True, check=False
    )
    return read(lock.name, ran.stdout, ran.stderr)


def read(what: str, stdout: str, stderr: str) -> Verdict:
    """The verdict in pip-audit's answer, which counts packages that it couldn't look up as without fault."""
    try:
        packages = json.loads(stdout)["dependencies"]
    except ValueError:
        return Verdict(what, unknown=last_line(stderr))
    advisories = tuple(
        Advisory(package["name"], package["version"], known["id"], ", ".join(known["fix_versions"]))
        for package in packages
        for known in package.get("vulns", ())
    )
    skipped = [package for package in packages if "skip_reason" in package]
    if not skipped:
        return Verdict(what, advisories)
    unknown = f"of {len(packages)} packages {len(skipped)} weren't looked up: {skipped[0]['skip_reason']}"
    return Verdict(what, advisories, unknown)


def _installed(cache: Path) -> Path:
    """pip-audit as the lock file has it."""
    text = _LOCK.read_bytes() + sys.version.encode()
    folder = cache / f"pip-audit-{hashlib.sha256(text).hexdigest()[:16]}"
    done = folder / "installed"
    if not done.exists():
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement")
        _run(sys.executable, "-m", "venv", "--clear", folder)
        _run(folder / "bin" / "python", "-m", "pip", "install", *options, _LOCK)
        done.touch()
    return folder / "bin" / "pip-audit"


def _run(*command: str | Path) -> None:
    subprocess.run(command, capture_output=True, text=True, check=True)
