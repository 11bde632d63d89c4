"""Versions of Kubernetes and KubeVirt, and the pairs of them that don't work together."""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(-(?:alpha|beta|rc)\b)?")


class Version(NamedTuple):
    """A version. A pre-release is older than its release; a vendor's suffix makes no difference."""

    major: int
    minor: int
    patch: int
    released: bool = True


#: The first KubeVirt in which panic devices need no feature gate (kubevirt.io/kubevirt,
#: pkg/virt-config/featuregate/inactive.go: generally available).
PANIC_DEVICES_FOR_ALL = Version(1, 9, 0)
#: The first KubeVirt in which naming a machine's graphics card needs no feature gate (same file,
#: VideoConfig).
VIDEO_DEVICES_FOR_ALL = Version(1, 9, 0)

#: KubeVirt writes checksums of kernel, initrd and disk images into an instance's status, as unsigned numbers
#: of 32 bits. Its CRD declares int32, which Kubernetes enforces from 1.36 on: the status of an instance with
#: a larger checksum can't be written any more (kubevirt#17858).
_CHECKS_FORMATS = (1, 36)
_FITS_FORMATS = Version(1, 8, 4)


def version(text: str) -> Version | None:
    """A version as Kubernetes' /version or a KubeVirt object has it, such as v1.36.3-gke.100 or v1.9.0-rc.0.

    None if the text can't be read, or is that of a build without a version (v0.0.0-…).
    """
    match = _VERSION.match(text)
    if match is None:
        return None
    major, minor, patch, prerelease = match.groups()
    read = Version(int(major), int(minor), int(patch), prerelease is None)
    return read if read > Version(0, 1, 0) else None


def too_old(kubevirt: str, kubernetes: str) -> bool:
    """Whether machines of this KubeVirt may never become Ready on this Kubernetes. False if either version
    isn't known.
    """
    virt, kube = version(kubevirt), version(kubernetes)
    return virt is not None and kube is not None and virt < _FITS_FORMATS and kube[:2] >= _CHECKS_FORMATS


def panic_devices_for_all(kubevirt: str) -> bool:
    """Whether this KubeVirt gives every machine a panic device, whatever its feature gates. False if the
    version isn't known.
    """
    return _is_from(PANIC_DEVICES_FOR_ALL, kubevirt)


def video_devices_for_all(kubevirt: str) -> bool:
    """Whether this KubeVirt lets every machine name its graphics card, whatever its feature gates. False if
    the version isn't known.
    """
    return _is_from(VIDEO_DEVICES_FOR_ALL, kubevirt)


def _is_from(first: Version, kubevirt: str) -> bool:
    present = version(kubevirt)
    return present is not None and present >= first
