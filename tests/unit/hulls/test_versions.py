"""Which versions of KubeVirt and Kubernetes work together."""

from __future__ import annotations

import pytest

from twinhull.hulls.versions import Version, panic_devices_for_all, too_old, version


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("v1.37.2", Version(1, 37, 2)),
        ("1.8.4", Version(1, 8, 4)),
        ("v1.36.3-gke.100", Version(1, 36, 3)),
        ("v1.36.1-eks-5d12345", Version(1, 36, 1)),
        ("v1.36.0+k3s1", Version(1, 36, 0)),
        ("v1.36.0-rc.1+rke2r1", Version(1, 36, 0, released=False)),
        ("v1.8.4-rc.0", Version(1, 8, 4, released=False)),
        ("v1.9.0-alpha.0-123-gabcdef", Version(1, 9, 0, released=False)),
        ("v1.8.3-15-gabcdef0", Version(1, 8, 3)),
        ("v0.0.0-master+$Format:%H$", None),
        ("devel", None),
        ("20260101_abcdef", None),
        ("v1.36", None),
        ("", None),
    ],
)
def test_versions_are_read_as_vendors_write_them(text: str, found: Version | None) -> None:
    assert version(text) == found


@pytest.mark.parametrize(
    ("kubevirt", "kubernetes", "old"),
    [
        ("v1.8.0", "v1.36.0", True),
        ("v1.8.3", "v1.37.2", True),
        ("v1.8.3", "v1.36.3-gke.100", True),
        ("v1.8.3", "v1.36.0-alpha.2", True),
        ("v1.8.4-rc.0", "v1.36.0", True),
        ("v1.7.2", "v1.36.0", True),
        ("v1.8.3", "v2.0.0", True),
        ("v1.8.4", "v1.37.2", False),
        ("v1.9.0", "v1.37.2", False),
        ("v1.9.0-rc.1", "v1.37.2", False),
        ("v1.8.0", "v1.35.9", False),
        ("v1.8.0", "v1.35.4-eks-1", False),
        ("", "v1.37.2", False),
        ("v1.8.0", "", False),
        ("devel", "v1.37.2", False),
        ("v1.8.0", "v0.0.0-master+$Format:%H$", False),
    ],
)
def test_a_pair_works_unless_it_is_known_not_to(kubevirt: str, kubernetes: str, old: bool) -> None:  # noqa: FBT001
    assert too_old(kubevirt, kubernetes) == old


@pytest.mark.parametrize(
    ("kubevirt", "all_have"),
    [
        ("v1.9.0", True),
        ("v1.10.1", True),
        ("v2.0.0", True),
        ("v1.9.0-rc.0", False),
        ("v1.8.4", False),
        ("", False),
    ],
)
def test_panic_devices_need_no_gate_from_1_9_on(kubevirt: str, all_have: bool) -> None:  # noqa: FBT001
    assert panic_devices_for_all(kubevirt) == all_have
