"""Files are padded until KubeVirt can write their checksums into a status."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from guest.image import checksum

if TYPE_CHECKING:
    from pathlib import Path

#: Contents by the size of their checksum.
_SMALL = b"123456783"
_LARGE = b"123456789"  # CRC-32's own check value: 0xcbf43926


def test_a_checksum_is_the_files_crc_32(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(_LARGE)
    assert checksum.of(file) == 0xCBF43926

    content = bytes(range(256)) * 8193  # more than one chunk, and not a multiple of it
    file.write_bytes(content)
    assert checksum.of(file) == zlib.crc32(content)


def test_a_small_checksum_needs_no_padding(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(_SMALL)

    assert checksum.of(file) < checksum.LIMIT
    assert checksum.pad(file) == 0
    assert file.read_bytes() == _SMALL


@pytest.mark.parametrize("number", range(40))
def test_a_file_gets_the_fewest_zero_bytes_that_make_its_checksum_small(tmp_path: Path, number: int) -> None:
    content = b"%d" % number
    fewest = next(count for count in range(99) if zlib.crc32(content + bytes(count)) < checksum.LIMIT)
    file = tmp_path / "file"
    file.write_bytes(content)

    assert checksum.pad(file) == fewest
    assert file.read_bytes() == content + bytes(fewest)
    assert checksum.pad(file) == 0


def test_a_large_checksum_is_padded(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(_LARGE)

    assert checksum.pad(file) > 0
    assert checksum.of(file) < checksum.LIMIT
