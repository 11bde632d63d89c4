"""debian.lock: written, read, and what is in the committed one."""

from __future__ import annotations

import re

import pytest

from guest.image.errors import LockError
from guest.image.lock import Lock, Package

_CRUN = Package("crun", "1.21-1", "debian/pool/main/c/crun/crun_1.21-1_amd64.deb", "0" * 64)


def test_what_is_written_is_read_back() -> None:
    lock = Lock("20261122T020905Z", {("guest", "amd64"): (_CRUN,), ("tools", "amd64"): (_CRUN,)})

    assert Lock.parse(lock.text()) == lock


def test_a_line_that_is_no_package_is_named() -> None:
    with pytest.raises(LockError, match=r"line 2, isn't a package: guest amd64 crun"):
        Lock.parse("index 20261122T020905Z\nguest amd64 crun\n")


def test_a_lock_without_its_index_is_refused() -> None:
    with pytest.raises(LockError, match="doesn't say from which index"):
        Lock.parse("# nothing\n")


def test_an_architecture_that_isnt_locked_is_said() -> None:
    with pytest.raises(LockError, match="no packages for guest on arm64: add them by `make guest-lock`"):
        Lock("now", {}).packages("guest", "arm64")


def test_a_packages_architecture_is_in_its_files_name() -> None:
    assert _CRUN.architecture == "amd64"


@pytest.mark.parametrize("name", ["guest", "tools"])
def test_the_committed_lock_pins_every_package_once_by_hash(name: str) -> None:
    packages = Lock.load().packages(name, "amd64")

    assert len({package.name for package in packages}) == len(packages)
    assert all(re.fullmatch("[0-9a-f]{64}", package.sha256) for package in packages)
    assert all(package.path.startswith(("debian/pool/", "debian-security/pool/")) for package in packages)


def test_the_guest_has_exactly_one_kernel() -> None:
    kernels = [
        package.name
        for package in Lock.load().packages("guest", "amd64")
        if re.match(r"linux-image-\d", package.name)
    ]

    assert len(kernels) == 1
