"""Claims that CDI hasn't filled from their DataVolume's source: with rules for images, none is booted."""

from __future__ import annotations

import pytest

from tests.controlplane import ApiError, build
from tests.e2e.cdi.disk import DiskWorkload
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import DISK_LABEL, Manifest, condition

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]

#: An image that the policy allows. Nobody pulls it.
SOURCE: Manifest = {"registry": {"url": f"docker://registry.example/disks/web@sha256:{'0' * 64}"}}
ALLOWED = {"guestImages": ["registry.example/disks/*"], "imagesMustBePinned": True}
ADOPTING = {"cdi.kubevirt.io/allowClaimAdoption": "true"}
PRE_POPULATED = "cdi.kubevirt.io/storage.prePopulated"
CREATED_FOR = "cdi.kubevirt.io/createdForDataVolume"
SIZE = {"resources": {"requests": {"storage": "64Mi"}}}


def about(web: DiskWorkload, annotations: dict[str, str]) -> Manifest:
    return {
        "name": web.claim,
        "namespace": web.namespace,
        "labels": {DISK_LABEL: web.name},
        "annotations": annotations,
    }


def claim(web: DiskWorkload, **annotations: str) -> Manifest:
    """A claim of the tenant's, in place of the disk's."""
    spec = {"storageClassName": "simulated", "accessModes": ["ReadWriteOnce"], **SIZE}
    metadata = about(web, annotations)
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def volume(web: DiskWorkload, **annotations: str) -> Manifest:
    """A DataVolume of the tenant's, which names the image that is allowed."""
    spec = {"source": SOURCE, "storage": SIZE}
    metadata = about(web, annotations)
    return {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": metadata,
        "spec": spec,
    }


def takes(web: DiskWorkload) -> None:
    """Waits until CDI calls the tenant's claim filled, though it has imported nothing."""
    web.eventually(lambda: web.data_volume()["status"]["phase"] == "Succeeded", "CDI takes the claim")

    def is_owned() -> bool:
        metadata = web.one("PersistentVolumeClaim", web.claim)["metadata"]
        assert CREATED_FOR not in (metadata.get("annotations") or {})
        return [owner["kind"] for owner in metadata.get("ownerReferences") or ()] == ["DataVolume"]

    web.eventually(is_owned, "the claim is the DataVolume's, which is told apart from its phase")


def test_cdi_lets_no_data_volume_take_a_claim_without_being_told_to(web: DiskWorkload) -> None:
    """So only the annotations and the feature gate are ways for a claim of somebody's to become the disk."""
    web.cluster.api.create(claim(web))
    with pytest.raises(ApiError, match="already exists"):
        web.cluster.api.create(volume(web))


@pytest.mark.parametrize(
    "by", ["the DataVolume's annotation", "the same, removed since", "the claim's annotation"]
)
def test_a_claim_that_a_tenants_data_volume_takes_is_not_booted(
    web: DiskWorkload, policies: Policies, by: str
) -> None:
    api = web.cluster.api
    policies.enforce("images", machines=ALLOWED)
    if by == "the claim's annotation":
        api.create(claim(web, **{"cdi.kubevirt.io/storage.populatedFor": web.claim}))
        api.create(volume(web))
        why = "has the annotation cdi.kubevirt.io/storage.p"  # of either object
    else:
        api.create(claim(web))
        api.create(volume(web, **ADOPTING))
        why = f"PersistentVolumeClaim {web.claim} wasn't made by CDI for its DataVolume"
    takes(web)
    if by == "the same, removed since":
        web.annotate("DataVolume", web.claim, **dict.fromkeys(ADOPTING))
    web.boots(SOURCE)
    held = web.becomes("ImageRejected")
    status, reason, message = condition(held, "Stalled")
    assert (status, reason) == ("True", "ImageRejected")
    assert message.startswith("spec.virtualMachine.bootDisk: ")
    assert why in message
    assert "VirtualMachine" not in web.belongings()
    if by == "the claim's annotation":
        noted = "CDI notes it on the DataVolume"
        web.eventually(lambda: PRE_POPULATED in web.data_volume()["metadata"]["annotations"], noted)

    policies.end()
    web.eventually(lambda: web.belongings().get("VirtualMachine"), "it was the policy that held it")
