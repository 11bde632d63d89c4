"""The guest's programs, and what the others expect of their versions."""

from __future__ import annotations

import tomllib

from guest.image import programs, rootfs
from guest.image.build import PAUSE_IMAGE
from tests.controlplane.build import KUBERNETES_VERSION


def test_the_guests_kubelet_is_of_the_api_server_that_the_tests_run() -> None:
    assert programs.KUBELET_VERSION == KUBERNETES_VERSION


def test_containerd_takes_the_sandbox_image_that_is_there() -> None:
    configuration = (rootfs.COPIED / "etc/containerd/config.toml").read_text()

    assert f'sandbox = "{PAUSE_IMAGE}"' in configuration


def test_containerd_keeps_no_layers_that_are_unpacked() -> None:
    configuration = tomllib.loads((rootfs.COPIED / "etc/containerd/config.toml").read_text())

    images = configuration["plugins"]["io.containerd.cri.v1.images"]
    assert images["discard_unpacked_layers"]
    assert images["use_local_image_pull"]  # the transfer service can't, and containerd would warn


def test_containerd_starts_our_step_before_crun() -> None:
    configuration = (rootfs.COPIED / "etc/containerd/config.toml").read_text()

    assert 'BinaryName = "/usr/sbin/twinhull-runtime"' in configuration
