"""What may be in the root file system, and what mayn't."""

from __future__ import annotations

import pytest

from guest.image import rootfs
from guest.image.errors import ImageError
from guest.image.tree import Tree

_PROGRAMS = (
    *(
        "usr/bin/containerd",
        "usr/bin/containerd-shim-runc-v2",
        "usr/bin/crun",
        "usr/bin/kmod",
        "usr/bin/kubelet",
    ),
    *("usr/bin/mount", "usr/bin/umount", "usr/sbin/losetup", "usr/sbin/modprobe", "usr/sbin/twinhull-guest"),
    *("usr/sbin/blkid", "usr/sbin/e2fsck", "usr/sbin/mke2fs"),
    "usr/sbin/twinhull-runtime",
)


def _tree(*others: str, mode: int = 0o755) -> Tree:
    tree = Tree()
    for path in _PROGRAMS:
        tree.file(path, b"\x7fELF", 0o755)
    for path in others:
        tree.file(path, b"", mode)
    return tree


def test_the_programs_that_are_meant_to_be_are_fine_and_so_are_libraries() -> None:
    rootfs.refuse_others(_tree("usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib64/ld-linux-x86-64.so.2"))


@pytest.mark.parametrize(
    "path", ["usr/bin/sh", "usr/bin/bash", "usr/sbin/sshd", "opt/cni/bin/bridge", "opt/run.sh"]
)
def test_another_program_is_refused_wherever_it_is(path: str) -> None:
    with pytest.raises(ImageError, match=f"/{path} must not be in the image"):
        rootfs.refuse_others(_tree(path))


def test_a_file_among_programs_is_refused_even_if_nobody_may_execute_it() -> None:
    with pytest.raises(ImageError, match="/usr/bin/sh must not be in the image"):
        rootfs.refuse_others(_tree("usr/bin/sh", mode=0o644))


def test_a_link_among_programs_is_refused() -> None:
    tree = _tree()
    tree.link("usr/bin/sh", "crun")

    with pytest.raises(ImageError, match="/usr/bin/sh must not be in the image"):
        rootfs.refuse_others(tree)


def test_a_missing_program_is_said() -> None:
    tree = _tree()
    del tree.entries["usr/bin/crun"]

    with pytest.raises(ImageError, match="/usr/bin/crun is missing from the image"):
        rootfs.refuse_others(tree)


def test_the_image_says_what_it_is() -> None:
    lines = rootfs.os_release("1.2.3").splitlines()

    assert {"IMAGE_ID=twinhull-guest", "IMAGE_VERSION=1.2.3", "ID_LIKE=debian"} <= set(lines)


def test_nobody_can_log_in() -> None:
    """No password, no shell."""
    for line in (rootfs.COPIED / "etc/passwd").read_text().splitlines():
        assert line.endswith(":/nonexistent")
    assert not (rootfs.COPIED / "etc/shadow").exists()
