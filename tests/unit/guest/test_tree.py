"""A file system in memory, and its deterministic forms."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from guest.image.errors import ImageError
from guest.image.tree import Tree, write_cpio, write_tar

if TYPE_CHECKING:
    from collections.abc import Callable

_WHEN = 1_700_000_000


def _tree(*, backwards: bool = False) -> Tree:
    tree = Tree()
    steps: list[Callable[[], None]] = [
        lambda: tree.file("usr/bin/crun", b"crun", 0o755),
        lambda: tree.link("bin", "usr/bin"),
        lambda: tree.folder("tmp", 0o1777),
    ]
    for step in reversed(steps) if backwards else steps:
        step()
    return tree


def test_a_tar_has_everything_as_roots_at_one_time(tmp_path: Path) -> None:
    write_tar(_tree(), tmp_path / "root.tar", _WHEN)

    with tarfile.open(tmp_path / "root.tar") as archive:
        members = archive.getmembers()
        content = archive.extractfile("usr/bin/crun")
        assert content is not None
        assert content.read() == b"crun"
    assert [(one.name, one.mode) for one in members] == [
        ("bin", 0o777),
        ("tmp", 0o1777),
        ("usr", 0o755),
        ("usr/bin", 0o755),
        ("usr/bin/crun", 0o755),
    ]
    assert {(one.uid, one.gid, one.uname, one.mtime) for one in members} == {(0, 0, "", _WHEN)}
    assert members[0].linkname == "usr/bin"


def test_the_order_of_making_doesnt_matter(tmp_path: Path) -> None:
    write_tar(_tree(), tmp_path / "one.tar", _WHEN)
    write_tar(_tree(backwards=True), tmp_path / "two.tar", _WHEN)

    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_a_cpio_is_what_the_kernel_reads() -> None:
    tree = Tree()
    tree.file("init", b"\x7fELF!", 0o755)
    tree.link("l", "init")
    buffer = io.BytesIO()

    write_cpio(tree, buffer, _WHEN)

    assert _members(buffer.getvalue()) == [
        ("init", 0o100755, b"\x7fELF!"),
        ("l", 0o120777, b"init"),
        ("TRAILER!!!", 0, b""),
    ]
    assert len(buffer.getvalue()) % 512 == 0


def _members(data: bytes) -> list[tuple[str, int, bytes]]:
    """Read by docs.kernel.org/driver-api/early-userspace/buffer-format.html."""
    members: list[tuple[str, int, bytes]] = []
    at = 0
    while not members or members[-1][0] != "TRAILER!!!":
        assert data[at : at + 6] == b"070701"
        numbers = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = numbers[6], numbers[11]
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        at += 110 + name_size
        at += -at % 4
        members.append((name, numbers[1], data[at : at + size]))
        at += size
        at += -at % 4
    return members


def test_two_different_things_at_one_place_are_refused() -> None:
    tree = Tree()
    tree.file("etc/hosts", "one")
    tree.file("etc/hosts", "one")

    with pytest.raises(ImageError, match="two different things are to be /etc/hosts"):
        tree.file("etc/hosts", "another")


def test_nothing_can_be_below_a_link() -> None:
    tree = Tree()
    tree.link("bin", "usr/bin")

    with pytest.raises(ImageError, match="bin/sh is below bin, which is no folder"):
        tree.file("bin/sh", b"")


def test_a_folder_is_copied_with_what_may_be_executed(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text("hosts")
    (tmp_path / "run").write_text("run")
    (tmp_path / "run").chmod(0o700)
    tree = Tree()

    tree.copy(tmp_path, at="opt")

    assert [
        (path, entry.mode & 0o777, entry.read()) for path, entry in tree if not path.endswith(("opt", "etc"))
    ] == [
        ("opt/etc/hosts", 0o644, b"hosts"),
        ("opt/run", 0o755, b"run"),
    ]
