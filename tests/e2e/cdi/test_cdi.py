"""CDI's own programs: what they say of DataVolumes, and what they make of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import ApiError, ControlPlane, build

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]


def volume(name: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"source": source, "storage": {"resources": {"requests": {"storage": "1Gi"}}}},
    }


def test_cdi_refuses_a_source_without_a_url(control_plane: ControlPlane) -> None:
    with pytest.raises(ApiError, match="Invalid source URL"):
        control_plane.api.create(volume("bad", {"http": {"url": "no-url"}}))


def test_cdi_says_what_a_storage_profile_lacks(control_plane: ControlPlane) -> None:
    control_plane.api.create(volume("waits", {"http": {"url": "http://images.test/disk.vmdk"}}))

    def says_why() -> bool:
        events = control_plane.api.list("Event", "default")
        return any(
            "no accessMode specified" in event["message"].replace("accessModes", "accessMode")
            for event in events
            if event["involvedObject"]["name"] == "waits"
        )

    control_plane.eventually(says_why, 60, "CDI says what the storage profile lacks")
