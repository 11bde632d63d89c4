"""The kernel's modules, in the order to load them."""

from __future__ import annotations

import pytest

from guest.image import initrd
from guest.image.errors import ImageError
from guest.image.kernel import in_order, listed

_DEPENDENCIES = """\
kernel/net/core/failover.ko.xz:
kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko.xz
kernel/drivers/net/virtio_net.ko.xz: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko.xz
kernel/drivers/misc/pvpanic/pvpanic-pci.ko.xz:
"""
_BUILTIN = "kernel/fs/ext4/ext4.ko\n"


def test_a_module_comes_after_what_it_needs() -> None:
    assert in_order(["virtio_net"], _DEPENDENCIES, _BUILTIN) == [
        "kernel/net/core/failover.ko.xz",
        "kernel/drivers/net/net_failover.ko.xz",
        "kernel/drivers/net/virtio_net.ko.xz",
    ]


def test_dash_and_underscore_are_the_same_and_nothing_comes_twice() -> None:
    names = ["pvpanic_pci", "pvpanic-pci"]

    assert in_order(names, _DEPENDENCIES, _BUILTIN) == ["kernel/drivers/misc/pvpanic/pvpanic-pci.ko.xz"]


def test_what_the_kernel_has_built_in_needs_no_loading() -> None:
    assert in_order(["ext4"], _DEPENDENCIES, _BUILTIN) == []


def test_an_unknown_module_is_an_error() -> None:
    with pytest.raises(ImageError, match="the kernel has no module nothing"):
        in_order(["nothing"], _DEPENDENCIES, _BUILTIN)


def test_the_root_disks_module_is_loaded_first() -> None:
    """The kernel looks at the disks while the others are loaded."""
    assert listed(initrd.MODULES.read_text())[0] == "virtio_blk"
