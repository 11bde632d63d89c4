"""What is packed for a container and what is taken from one, which may send anything."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from twinhull.reach import archive
from twinhull.reach.archive import ArchiveError


def member(
    name: str, kind: bytes = tarfile.REGTYPE, *, leads_to: str = "", mode: int = 0o644
) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode, made.mtime = kind, leads_to, mode, 1_000_000
    return made


def tar(*members: tarfile.TarInfo, content: bytes = b"content") -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for each in members:
            each.size = len(content) if each.isreg() else 0
            made.addfile(each, io.BytesIO(content) if each.isreg() else None)
    stream.seek(0)
    return stream


def unpack(stream: io.BytesIO, root: str, target: Path, *, preserve: bool = True) -> list[str]:
    messages: list[str] = []
    archive.unpack(stream, root, target, messages.append, preserve=preserve)
    return messages


def test_a_folder_is_packed_and_unpacked(tmp_path: Path) -> None:
    source, long = tmp_path / "source", "n" * 120
    (source / "sub").mkdir(parents=True)
    (source / "sub" / long).write_bytes(b"long name")
    (source / "tool").write_bytes(b"#!/bin/sh")
    (source / "tool").chmod(0o755)
    (source / "empty").mkdir()
    (source / "link").symlink_to("tool")
    os.link(source / "tool", source / "other name")
    stream, messages = io.BytesIO(), list[str]()
    archive.pack(source, "there", stream, messages.append, preserve=True)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as packed:
        assert {(each.uid, each.gid, each.uname, each.gname) for each in packed} == {(0, 0, "", "")}
    stream.seek(0)
    assert unpack(stream, "there", tmp_path / "back") == messages == []
    back = tmp_path / "back"
    assert (back / "sub" / long).read_bytes() == b"long name"
    assert (back / "tool").stat().st_mode & 0o777 == 0o755
    assert (back / "link").readlink() == Path("tool")
    assert (back / "other name").read_bytes() == b"#!/bin/sh"
    assert (back / "empty").is_dir()


def test_modes_are_left_if_they_arent_to_be_kept(tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(b"")
    (tmp_path / "tool").chmod(0o700)
    stream = io.BytesIO()
    archive.pack(tmp_path / "tool", "tool", stream, print, preserve=False)
    stream.seek(0)
    with tarfile.open(fileobj=stream) as packed:
        assert packed.getmember("tool").mode == 0o644


def test_what_is_no_file_is_left_out_of_what_is_packed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    messages: list[str] = []
    archive.pack(tmp_path, "there", io.BytesIO(), messages.append, preserve=True)
    assert messages == ["there/pipe is left out: it is no file, folder or link"]


@pytest.mark.parametrize(
    "name", ["../out", "/out", "sent/../../out", "other", "sent/a/../b", "..", "sent/\\..\\out", ""]
)
def test_nothing_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="isn't below sent"):
        unpack(tar(member(name)), "sent", tmp_path / "in" / "target")
    assert not list(tmp_path.rglob("*out*"))


@pytest.mark.parametrize("name", ["//{}", "///{}", "/{}", "./../{}", "sub/../../{}"])
def test_nothing_is_written_elsewhere_by_content_either(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"as it was")
    with pytest.raises(ArchiveError, match=r"isn't below \."):
        unpack(tar(member(name.format(str(outside).lstrip("/")))), ".", tmp_path / "target")
    assert outside.read_bytes() == b"as it was"


def test_a_link_cannot_lead_out_by_another_link(tmp_path: Path) -> None:
    members = (
        member("d/e/f", tarfile.DIRTYPE),
        member("d/e/f/l", tarfile.SYMTYPE, leads_to="../../.."),
        member("m", tarfile.SYMTYPE, leads_to="d/e/f/l/../../home"),
    )
    (message,) = unpack(tar(*members), ".", tmp_path / "target")
    assert "/m is left out" in message
    assert (tmp_path / "target/d/e/f/l").resolve() == tmp_path / "target"


@pytest.mark.parametrize("leads_to", ["/etc", "..", "../..", "sub/../../elsewhere"])
def test_links_that_lead_out_are_left_out(tmp_path: Path, leads_to: str) -> None:
    members = member("sent", tarfile.DIRTYPE), member("sent/link", tarfile.SYMTYPE, leads_to=leads_to)
    (message,) = unpack(tar(*members), "sent", tmp_path / "target")
    assert "outside of what is copied" in message
    assert not (tmp_path / "target/link").is_symlink()


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    members = (
        member("sent", tarfile.DIRTYPE),
        member("sent/sub", tarfile.SYMTYPE, leads_to="."),
        member("sent/sub/file"),
        member("sent/sub", tarfile.SYMTYPE, leads_to="other"),
    )
    with pytest.raises(OSError, match=r"directory|exists|empty"):
        unpack(tar(*members), "sent", tmp_path / "target")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "sub").symlink_to(outside)
    with pytest.raises(ArchiveError, match="is a link: remove it"):
        unpack(tar(member("sent/sub/file")), "sent", tmp_path / "again")
    assert list(outside.iterdir()) == []


def test_a_link_in_the_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"as it was")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "file").symlink_to(tmp_path / "outside")
    unpack(tar(member("sent/file")), "sent", tmp_path / "target")
    assert (tmp_path / "outside").read_bytes() == b"as it was"
    assert (tmp_path / "target" / "file").read_bytes() == b"content"


@pytest.mark.parametrize("leads_to", ["sent/absent", "../outside", "/etc/passwd"])
def test_another_name_is_given_to_what_was_sent_only(tmp_path: Path, leads_to: str) -> None:
    members = member("sent", tarfile.DIRTYPE), member("sent/name", tarfile.LNKTYPE, leads_to=leads_to)
    with pytest.raises(ArchiveError):
        unpack(tar(*members), "sent", tmp_path / "target")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_devices_are_left_out(tmp_path: Path, kind: bytes) -> None:
    assert unpack(tar(member("sent", kind)), "sent", tmp_path / "target") == [
        "sent is left out: it is no file, folder or link"
    ]
    assert not (tmp_path / "target").exists()


def test_nothing_is_setuid(tmp_path: Path) -> None:
    unpack(tar(member("sent", mode=0o6755)), "sent", tmp_path / "target")
    assert (tmp_path / "target").stat().st_mode & 0o7777 == 0o755


def test_a_link_that_is_asked_for_itself_says_where_it_leads(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="current is a link to v2: copy what it leads to"):
        unpack(tar(member("current", tarfile.SYMTYPE, leads_to="v2")), "current", tmp_path / "target")


def test_what_is_cut_off_is_an_error(tmp_path: Path) -> None:
    whole = tar(member("sent"), content=b"x" * 5000).getvalue()
    with pytest.raises((ArchiveError, OSError)):
        unpack(io.BytesIO(whole[:3000]), "sent", tmp_path / "target")


def test_an_archive_that_is_cut_off_between_files_is_an_error(tmp_path: Path) -> None:
    whole = tar(member("sent/a"), member("sent/b")).getvalue()
    for end in (1024, 1100, 1024 + 512):
        with pytest.raises(ArchiveError, match="can't be read"):
            unpack(io.BytesIO(whole[:end]), "sent", tmp_path / "target")


def test_another_name_of_a_file_that_was_there_before_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "keys").write_bytes(b"private")
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "pre").symlink_to(secret)
    with pytest.raises(ArchiveError, match="before that file"):
        unpack(tar(member("sent/x", tarfile.LNKTYPE, leads_to="sent/pre/keys")), "sent", tmp_path / "target")
    assert not (tmp_path / "target" / "x").exists()


@pytest.mark.parametrize(
    "headers", [{"mtime": "nan"}, {"path": "sent/\x00"}], ids=lambda given: next(iter(given))
)
def test_headers_that_make_no_sense_are_an_error(tmp_path: Path, headers: dict[str, str]) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as made:
        odd = member("sent")
        odd.pax_headers = headers
        made.addfile(odd)
    stream.seek(0)
    with pytest.raises(ArchiveError):
        unpack(stream, "sent", tmp_path / "target")


@pytest.mark.slow
def test_names_nested_without_end_are_an_error(tmp_path: Path) -> None:
    long = member("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    with pytest.raises(ArchiveError):
        unpack(tar(*[long] * 3000, content=b""), "sent", tmp_path / "target")


def test_there_is_a_bound_on_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 3)
    with pytest.raises(ArchiveError, match="more than 3 files"):
        unpack(tar(*(member(f"sent/{number}") for number in range(4))), "sent", tmp_path / "target")


def test_what_is_no_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="can't be read"):
        unpack(io.BytesIO(b"sh: not found\n" * 100), "sent", tmp_path / "target")


def test_content_goes_into_the_folder_itself(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "kept").write_bytes(b"")
    unpack(tar(member(".", tarfile.DIRTYPE), member("./a"), member("./b/c")), ".", tmp_path / "target")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        *("target", "target/a", "target/b", "target/b/c", "target/kept"),
    ]
