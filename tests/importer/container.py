"""The importer's container: CDI's own program in a root file system of its own, with the Pod's volumes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import controlplane
from tests.controlplane import build
from tests.importer import root

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ISOLATED = Path(controlplane.__file__).with_name("isolated.py")
_PROGRAM = "/cdi-importer"
_TERMINATION_LOG = "/dev/termination-log"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#: How long an importer may take, in seconds; the tests' disks take one or two.
_TIMEOUT = 1800.0
#: What the kubelet takes of a termination message, and of a log in its place (TerminationMessagePolicy).
_LONGEST_MESSAGE, _LONGEST_LOG = 4096, 2048


@dataclass(frozen=True)
class Ended:
    """How a container ended, as the kubelet tells it."""

    exit_code: int
    message: str
    #: All that it printed.
    log: str


def run(
    folder: Path,
    environment: Mapping[str, str],
    volumes: Mapping[str, Path],
    arguments: Sequence[str] = (),
    *,
    port: int,
) -> Ended:
    """Runs it to its end, in an empty folder for what it leaves.

    `volumes` are folders and block devices by the path at which it sees them. It reaches `port` of this
    machine's loopback and nothing else. It runs as the user of CDI's Pods. Takes root.
    """
    termination_log, log = folder / "termination-log", folder / "log"
    termination_log.touch()
    mounted = folder / "root"
    mounted.mkdir()
    program = build.programs(("cdi-importer",))["cdi-importer"]
    mounts = {_PROGRAM: program, _TERMINATION_LOG: termination_log, **volumes}
    for path in (termination_log, *volumes.values()):
        os.chown(path, root.USER, root.USER)
    command = [
        *(sys.executable, "-I", "-S", str(_ISOLATED)),
        *(f"--root={root.ready()}:{mounted}", f"--user={root.USER}", f"--reach={port}"),
        *(f"--mount={source}:{path}" for path, source in mounts.items()),
        *("--", _PROGRAM, *arguments),
    ]
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            env={"PATH": _PATH, "HOME": "/tmp", **environment},  # noqa: S108  its own
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=_TIMEOUT,
            check=False,
        )
    text = log.read_text(encoding="utf-8", errors="replace")
    message = termination_log.read_text(encoding="utf-8", errors="replace")[:_LONGEST_MESSAGE]
    if not message and done.returncode:
        message = text[-_LONGEST_LOG:]
    return Ended(done.returncode, message, text)
