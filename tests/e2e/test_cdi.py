"""CDI's own programs: what they say of DataVolumes, and what they make of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.controlplane import ApiError, ControlPlane

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.simulated,
    pytest.mark.skipif(os.geteuid() != 0, reason="CDI's network namespaces need root"),
]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    started = ControlPlane.start(tmp_path_factory.mktemp("CDI control plane"))
    try:
        started.install_cdi()
        yield started
    finally:
        started.stop()


def volume(name: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"source": source, "storage": {"resources": {"requests": {"storage": "1Gi"}}}},
    }


def test_cdi_refuses_a_source_without_a_url(plane: ControlPlane) -> None:
    with pytest.raises(ApiError, match="Invalid source URL"):
        plane.api.create(volume("bad", {"http": {"url": "no-url"}}))


def test_cdi_says_what_a_storage_profile_lacks(plane: ControlPlane) -> None:
    plane.api.create(volume("waits", {"http": {"url": "http://images.test/disk.vmdk"}}))

    def says_why() -> bool:
        events = plane.api.list("Event", "default")
        return any(
            "no accessMode specified" in event["message"].replace("accessModes", "accessMode")
            for event in events
            if event["involvedObject"]["name"] == "waits"
        )

    plane.eventually(says_why, 60, "CDI says what the storage profile lacks")
