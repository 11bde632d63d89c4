"""The program that the test images run, built from `conformance/` into the cache."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from tests.controlplane.build import cache_folder
from tools.gobuild import BuildError, Go

_SOURCE = Path(__file__).with_name("conformance")
_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -buildvcs=false -trimpath",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def program() -> bytes:
    """The program, static, for the guest's architecture, which is this machine's. Raises BuildError."""
    go = Go.find()
    digest = hashlib.sha256(f"{go.version} {go.platform}".encode())
    for path in sorted([_SOURCE / "go.mod", *_SOURCE.glob("*.go")]):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    built = cache_folder().with_name("guest-tests") / f"conformance-{digest.hexdigest()[:16]}"
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=built.parent, prefix=".build-") as folder:
            output = Path(folder) / "conformance"
            command = [go.path, "build", "-ldflags", "-s -w", "-o", str(output), "."]
            environment = os.environ | _ENVIRONMENT
            done = subprocess.run(
                command, cwd=_SOURCE, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise BuildError(f"go build of conformance failed:\n{done.stderr.strip()[-4000:]}")
            output.replace(built)
    return built.read_bytes()
