"""The guest's Go programs: kubelet, containerd, and our own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import twinhull
from guest.image import cache
from guest.image.errors import ImageError
from tests.controlplane.build import kubernetes
from tools.gobuild import Builder, BuildError, Go, Program, pinned

if TYPE_CHECKING:
    from collections.abc import Callable

    from guest.image.architecture import Architecture

_HERE = Path(__file__).parent
_MODULES = _HERE / "go"
_CONTAINERD = "github.com/containerd/containerd/v2"
CONTAINERD_VERSION = pinned(_MODULES / "containerd", _CONTAINERD)
KUBELET_VERSION = pinned(_MODULES / "kubelet", "k8s.io/kubernetes")
VERSION = twinhull.__version__

# The path of each program in the root file system.
PLACES = {
    "kubelet": "usr/bin/kubelet",
    "containerd": "usr/bin/containerd",
    "containerd-shim-runc-v2": "usr/bin/containerd-shim-runc-v2",
    "twinhull-guest": "usr/sbin/twinhull-guest",
}

# Leaves out what a machine for one Pod doesn't need.
_TAGS = "-tags=no_devmapper,no_rdt,no_tracing,no_zfs"


def containerd(name: str) -> Program:
    version = ((f"{_CONTAINERD}/version.Version", CONTAINERD_VERSION),)
    package = f"{_CONTAINERD}/cmd/{name}"
    return Program(name, "containerd", package, version, modules=_MODULES, build_flags=(_TAGS,))


def of_guest(architecture: Architecture) -> list[Program]:
    """The guest's programs. They have no path of the machine that builds, so that all builds agree."""
    version = (("main.version", VERSION),)
    programs = [
        replace(kubernetes("kubelet", KUBELET_VERSION), module="kubelet", modules=_MODULES),
        containerd("containerd"),
        containerd("containerd-shim-runc-v2"),
        Program("twinhull-guest", "agent", "./cmd/twinhull-guest", version, modules=_HERE.parent),
        Program("pause", "agent", "./cmd/pause", modules=_HERE.parent),
    ]
    return [
        replace(
            program,
            build_flags=("-trimpath", *program.build_flags),
            environment=(("GOOS", "linux"), ("GOARCH", architecture.go)),
        )
        for program in programs
    ]


# Runs where the image is built.
_PAUSE_IMAGE = Program("pauseimage", "containerd", "./pauseimage", modules=_MODULES)


def build(architecture: Architecture, say: Callable[[str], None]) -> dict[str, Path]:
    """The programs' files by name, each built if need be. Raises ImageError."""
    programs = [*of_guest(architecture), _PAUSE_IMAGE]
    try:
        return Builder(Go.find(), say, programs, cache.folder() / "guest-programs").build(programs)
    except BuildError as error:
        raise ImageError(str(error)) from error
