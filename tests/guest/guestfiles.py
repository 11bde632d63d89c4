"""The tools and the guest's image, from where `make guest` puts them."""

from __future__ import annotations

from functools import cache

import click

from guest.image import build
from guest.image.tools import Tools
from tests.guest.launcher import GuestFiles


@cache
def tools() -> Tools:
    """QEMU, virtiofsd and the rest, from the cache."""
    return Tools.ready()


@cache
def guest_files() -> GuestFiles:
    """The image's raw files, made if need be."""
    image = build.build(click.echo)
    return GuestFiles(image.disk, image.kernel, image.initrd)
