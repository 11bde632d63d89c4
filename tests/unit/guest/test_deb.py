"""Reading a .deb."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest

from guest.image import deb
from guest.image.errors import ImageError


def _ar(**members: bytes) -> bytes:
    content = b"!<arch>\n"
    for name, data in members.items():
        header = f"{name.replace('__', '.'):16}{0:<12}{0:<6}{0:<6}{'100644':8}{len(data):<10}`\n"
        content += header.encode() + data + b"\n" * (len(data) % 2)
    return content


def _data() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        file = tarfile.TarInfo("./lib/modules/x.ko")
        file.size = 3
        archive.addfile(file, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("./usr/bin/lsmod")
        link.type, link.linkname = tarfile.SYMTYPE, "kmod"
        archive.addfile(link)
    return buffer.getvalue()


def test_a_packages_files_are_read_and_merged_into_usr(tmp_path: Path) -> None:
    package = tmp_path / "kmod.deb"
    package.write_bytes(
        _ar(debian_binary=b"2.0\n", control__tar__xz=b"odd", data__tar__xz=lzma.compress(_data()))
    )

    found = [
        (name, info.linkname, content and content.read()) for name, info, content in deb.members(package)
    ]

    assert found == [("usr/lib/modules/x.ko", "", b"abc"), ("usr/bin/lsmod", "kmod", None)]


def test_packages_become_a_root_whose_links_stay_in_it(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, mode in (("./bin/su", 0o4755), ("./usr/share/doc/su", 0o644), ("./etc/mtab", 0o644)):
            file = tarfile.TarInfo(name)
            file.size, file.mode = 1, mode
            archive.addfile(file, io.BytesIO(b"x"))
        link = tarfile.TarInfo("./usr/bin/sux")
        link.type, link.linkname = tarfile.SYMTYPE, "/bin/su"
        archive.addfile(link)
    package = tmp_path / "su.deb"
    package.write_bytes(_ar(debian_binary=b"2.0\n", data__tar__xz=lzma.compress(buffer.getvalue())))
    root = tmp_path / "root"

    deb.unpack([package], root, dropped=("usr/share/doc/",), left_out=["etc/mtab"])

    assert (root / "bin/su").stat().st_mode & 0o7777 == 0o755
    assert (root / "usr/bin/sux").readlink() == Path("../../usr/bin/su")
    assert {path.name for path in root.rglob("*") if path.is_file() and not path.is_symlink()} == {"su"}


def test_an_absolute_link_stays_in_the_root() -> None:
    assert (
        deb.root_relative("usr/lib64/ld.so", "/lib/x86_64-linux-gnu/ld.so")
        == "../../usr/lib/x86_64-linux-gnu/ld.so"
    )


def test_something_else_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "page.deb").write_text("<html>not found</html>")

    with pytest.raises(ImageError, match="is no Debian package"):
        list(deb.members(tmp_path / "page.deb"))


def test_an_unknown_compression_is_said(tmp_path: Path) -> None:
    (tmp_path / "new.deb").write_bytes(_ar(debian_binary=b"2.0\n", data__tar__zst=b""))

    with pytest.raises(ImageError, match=r"compressed in a way that isn't read here: data\.tar\.zst"):
        list(deb.members(tmp_path / "new.deb"))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("./sbin/modprobe", "usr/sbin/modprobe"),
        ("./lib", "lib"),
        ("./usr/lib/os-release", "usr/lib/os-release"),
        ("./", ""),
    ],
)
def test_the_folders_that_are_links_are_their_targets(name: str, path: str) -> None:
    assert deb.merged(name) == path
