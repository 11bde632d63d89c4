"""Whether this machine can hold nodes, and the namespaces that the tests have to themselves."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
from pathlib import Path

#: Set in the process that is alone in its network namespace.
_MARK = "TWINHULL_NODE_NAMESPACES"
_PROGRAMS = {"ip": "iproute2", "nsenter": "util-linux", "unshare": "util-linux", "gcc": "gcc"}
_FILE_SYSTEMS = ("overlay",)
_DEVICES = ("/dev/net/tun",)


def obstacle() -> str:
    """Why no node can run here, in one line; empty if one can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a node needs root on Linux"
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            return f"a node needs the program {program}: install {package}"
    for device in _DEVICES:
        if not Path(device).exists():
            return f"a node needs the device {device}"
    known = Path("/proc/filesystems").read_text(encoding="ascii").split()
    for name in _FILE_SYSTEMS:
        if name not in known:
            return f"a node needs a kernel with the file system {name}"
    if not _has_nat():
        return "a node needs a kernel with nf_tables and NAT, for KubeVirt's masquerade"
    return ""


def _has_nat() -> bool:
    """Whether the kernel has nf_tables with NAT, as far as it says what it is made of."""
    config = Path("/proc/config.gz")
    if not config.exists():
        return True  # it doesn't say; the first machine will
    text = gzip.decompress(config.read_bytes()).decode()
    return all(f"\n{option}=" in text for option in ("CONFIG_NF_TABLES", "CONFIG_NFT_NAT", "CONFIG_NF_NAT"))


def entered() -> bool:
    """Whether this process is in namespaces of its own."""
    return os.environ.get(_MARK) == str(os.getpid())


def enter(command: list[str]) -> None:
    """Becomes `command`, in a network and a mount namespace of its own."""
    script = 'export TWINHULL_NODE_NAMESPACES=$$; exec "$@"'
    unshare = shutil.which("unshare") or "unshare"
    arguments = ["--net", "--mount", "--propagation", "slave", "/bin/sh", "-c", script, "-", *command]
    os.execv(unshare, [unshare, *arguments])  # noqa: S606 - becoming it is the point
