"""The image that boots, as KubeVirt sees its files."""

from __future__ import annotations

import pytest

from guest.image import checksum
from tests.guest.guestfiles import guest_files


@pytest.mark.guest_quick
@pytest.mark.parametrize("file", ["disk", "kernel", "initrd"])
def test_every_kubevirt_can_write_its_checksum_into_a_status(file: str) -> None:
    """KubeVirt before 1.8.4 can't, on Kubernetes 1.36 and later, if it is 2^31 or more (kubevirt#17858)."""
    assert checksum.of(getattr(guest_files(), file)) < checksum.LIMIT
