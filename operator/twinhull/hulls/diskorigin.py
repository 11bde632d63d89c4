"""Whether CDI filled a disk from its DataVolume's source, by the annotations of the DataVolume and the claim.

CDI may also be told to take a claim as it is: then the DataVolume is Succeeded, and nothing was imported.
Source: containerized-data-importer 1.65, pkg/controller/common/util.go and pkg/controller/datavolume.
"""

from __future__ import annotations

from twinhull.api.base import Raw

_CDI = "cdi.kubevirt.io"
#: On each claim that CDI 1.59 or later has made: the uid of the claim's DataVolume
#: (`newPersistentVolumeClaim`, which imports, uploads and clones share). A claim that existed before its
#: DataVolume lacks it: `allowClaimAdoption`, `storage.populatedFor` and CDI's feature gate
#: DataVolumeClaimAdoption let a DataVolume take such a claim, and leave no other trace.
CREATED_FOR_ANNOTATION = f"{_CDI}/createdForDataVolume"
#: Annotations by which CDI fills a claim with something else than the source, or not at all. CDI copies a
#: DataVolume's annotations to its claim. An import sets none of these on either object.
OTHERWISE_FILLED = (
    f"{_CDI}/storage.populatedFor",  # a claim that is taken to be filled (`pvcRequiresWork`)
    f"{_CDI}/storage.prePopulated",  # CDI's word for that on the DataVolume (`handlePrePopulation`)
    f"{_CDI}/storage.checkStaticVolume",  # a volume that waits for the claim is used (`handleStaticVolume`)
    f"{_CDI}/storage.upload.target",  # somebody may upload to it (`UploadReconciler`)
    "k8s.io/CloneRequest",  # another claim of the namespace is copied to it (`CloneReconciler`)
)


def doubt(volume: Raw, claim: Raw | None) -> str:
    """Why a claim may hold other data than its DataVolume's source, as a clause of a sentence; empty if
    nothing suggests that. `claim` is None if the operator doesn't see it.

    Whoever may write claims can forge these annotations.
    """
    name = volume["metadata"]["name"]
    if claim is None:
        return f"PersistentVolumeClaim {name} of a filled DataVolume isn't there"
    for kind, obj in (("DataVolume", volume), ("PersistentVolumeClaim", claim)):
        for key in OTHERWISE_FILLED:
            if key in _annotations(obj):
                return f"{kind} {name} has the annotation {key}"
    if _annotations(claim).get(CREATED_FOR_ANNOTATION) != volume["metadata"]["uid"]:
        return (
            f"PersistentVolumeClaim {name} wasn't made by CDI for its DataVolume (annotation "
            f"{CREATED_FOR_ANNOTATION})"
        )
    return ""


def _annotations(obj: Raw) -> Raw:
    return obj["metadata"].get("annotations") or {}
