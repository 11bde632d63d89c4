"""CDI's own programs: what they say of DataVolumes, and what they make of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.controlplane import ApiError, ControlPlane, build
from tests.controlplane.nodes import storage_class

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]


#: A StorageClass that CDI knows nothing of.
UNKNOWN = "unknown"


@pytest.fixture
def unknown_storage(control_plane: ControlPlane) -> Iterator[str]:
    """A StorageClass of this test alone, so that no other test can have completed its StorageProfile."""
    api = control_plane.api
    api.create({**storage_class(), "metadata": {"name": UNKNOWN}})
    control_plane.eventually(partial(api.get, "StorageProfile", UNKNOWN), 30, f"CDI knows {UNKNOWN}")
    yield UNKNOWN
    api.delete("StorageClass", UNKNOWN)


def volume(name: str, source: dict[str, Any], **storage: Any) -> dict[str, Any]:
    return {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"source": source, "storage": {"resources": {"requests": {"storage": "1Gi"}}, **storage}},
    }


def test_cdi_refuses_a_source_without_a_url(control_plane: ControlPlane) -> None:
    with pytest.raises(ApiError, match="Invalid source URL"):
        control_plane.api.create(volume("bad", {"http": {"url": "no-url"}}))


def test_cdi_says_what_a_storage_profile_lacks(control_plane: ControlPlane, unknown_storage: str) -> None:
    source = {"http": {"url": "http://images.test/disk.vmdk"}}
    control_plane.api.create(volume("waits", source, storageClassName=unknown_storage))

    def says_why() -> bool:
        events = control_plane.api.list("Event", "default")
        return any(
            "no accessMode specified" in event["message"].replace("accessModes", "accessMode")
            for event in events
            if event["involvedObject"]["name"] == "waits"
        )

    control_plane.eventually(says_why, 60, "CDI says what the storage profile lacks")
