"""CDI's own programs: what they say of DataVolumes, and what they make of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.controlplane import ApiError, ControlPlane, cdi

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.simulated,
    pytest.mark.skipif(os.geteuid() != 0, reason="CDI's network namespaces need root"),
]

_SOURCES: dict[str, dict[str, Any]] = {
    "http": {"http": {"url": "http://images.test/disk.vmdk"}},
    "registry": {"registry": {"url": "docker://images.test/disk"}},
}


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


def importer(plane: ControlPlane, name: str) -> dict[str, Any] | None:
    """The importer Pod of a DataVolume: it is named after the claim that CDI fills in its place."""
    claim = plane.api.get("PersistentVolumeClaim", name, "default")
    assert claim is not None
    prime = f"importer-prime-{claim['metadata']['uid']}"
    return plane.api.get("Pod", prime, "default")


def test_cdi_refuses_a_source_without_a_url(plane: ControlPlane) -> None:
    with pytest.raises(ApiError, match="Invalid source URL"):
        plane.api.create(volume("bad", {"http": {"url": "no-url"}}))


def test_a_volume_waits_for_a_storage_profile_and_then_gets_an_importer(plane: ControlPlane) -> None:
    plane.api.create(volume("waits", _SOURCES["http"]))

    def says_why() -> bool:
        events = plane.api.list("Event", "default")
        return any(
            "no accessMode specified" in event["message"].replace("accessModes", "accessMode")
            for event in events
            if event["involvedObject"]["name"] == "waits"
        )

    plane.eventually(says_why, 60, "CDI says what the storage profile lacks")
    cdi.recognise(plane.api, "simulated")
    plane.eventually(lambda: importer(plane, "waits"), 60, "there is an importer Pod")


@pytest.mark.parametrize("kind", _SOURCES)
def test_the_importer_is_told_its_source(plane: ControlPlane, kind: str) -> None:
    cdi.recognise(plane.api, "simulated")
    plane.api.create(volume(kind, _SOURCES[kind]))
    pod = plane.eventually(lambda: importer(plane, kind), 60, "there is an importer Pod")
    told = {entry["name"]: entry.get("value") for entry in pod["spec"]["containers"][0]["env"]}
    assert told["IMPORTER_SOURCE"] == kind
    assert told["IMPORTER_ENDPOINT"] == _SOURCES[kind][kind]["url"]
