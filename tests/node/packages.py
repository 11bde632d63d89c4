"""The Debian packages that the node's root file system is made of, and their lock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from guest.image import locking
from guest.image.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable

SET = "node"
LOCK = Path(__file__).with_name("debian.lock")
_HEAD = "# Debian's packages of the KubeVirt node in the tests. Made by `make node-lock`.\n"

#: What each is for; their dependencies come along.
WANTED = {
    SET: (
        # the launcher: libvirt, QEMU, and what makes and shares disks
        "libvirt-clients",
        "libvirt-daemon",
        "libvirt-daemon-driver-qemu",
        "libvirt-daemon-log",
        "ovmf",
        "{qemu}",
        "qemu-utils",
        "seabios",
        "virtiofsd",
        "xorriso",
        # virt-handler and the node
        "conntrack",
        "crun",
        "ethtool",
        "iproute2",
        "iptables",
        "kmod",
        "mount",
        "nftables",
        "procps",
        "util-linux",
        # what their scripts are written in
        "base-files",
        "bash",
        "coreutils",
        "dash",
        "findutils",
        "grep",
        "hostname",
        "libc-bin",
        "mawk",
        "sed",
        "tar",
    )
}

#: Nobody logs in, nothing is installed, and no service manager runs: maintainer scripts are never run.
_DENIED = {
    SET: frozenset(
        [
            *("adduser", "cron", "debconf", "debianutils", "dmidecode", "gawk", "init-system-helpers"),
            *("dbus", "dbus-bin", "dbus-daemon", "dbus-session-bus-common", "dbus-system-bus-common"),
            *("gettext-base", "libasound2t64", "libpam-systemd", "libvirt-daemon-system", "logrotate"),
            *("openssl", "perl", "polkitd", "sensible-utils", "systemd", "systemd-container", "systemd-sysv"),
            *("libxml2-utils", "sgml-base", "xml-core"),
        ]
    )
}


def make_lock(say: Callable[[str], None]) -> Lock:
    """The lock for what Debian has today. Raises LockError, DownloadError."""
    return locking.make(say, WANTED, _DENIED)


def write_lock(say: Callable[[str], None]) -> None:
    """Pins the newest versions in debian.lock."""
    LOCK.write_text(make_lock(say).text(_HEAD), encoding="utf-8")
