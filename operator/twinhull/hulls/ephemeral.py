"""The ephemeral claims of a machine, which the operator makes as Kubernetes makes those of a Pod.

Their names, and the fields that they take from the volumeClaimTemplate, are as Kubernetes makes them
(k8s.io/kubernetes, pkg/controller/volume/ephemeral/controller.go, handleVolume;
k8s.io/component-helpers/storage/ephemeral, VolumeClaimName). The VirtualMachine owns them, as a Pod owns its
own, so the garbage collector deletes them with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.hulls.hull import WORKLOAD_LABEL, Hull
from twinhull.hulls.machine import API_VERSION
from twinhull.hulls.parity import claim_templates

#: Where the revision begins in the name of an object that is named after a machine (core/revision).
_REVISION = re.compile(r"(?<=.)-(?=[0-9a-z][0-9a-f]{9}-.)")


def claim_name(hull: str, volume: str) -> str:
    """The name of the claim of a volume, for a hull of this name."""
    return f"{hull}-{volume}"


def workloads_of(claim: str) -> Iterator[str]:
    """The names of the Workloads whose machine may have a claim of this name, whoever made the claim."""
    return (claim[: found.start()] for found in _REVISION.finditer(claim))


def with_claims(pod: Raw) -> Raw:
    """The Pod that runs in a machine, with its ephemeral volumes replaced by references to the machine's
    claims.
    """
    templates = claim_templates(pod["spec"])
    if not templates:
        return pod
    volumes = [
        _naming(volume, claim_name(pod["metadata"]["name"], volume["name"]))
        if volume["name"] in templates
        else volume
        for volume in pod["spec"]["volumes"]
    ]
    return {**pod, "spec": {**pod["spec"], "volumes": volumes}}


def claims(workload: str, namespace: str, machine: Hull, pod_spec: Raw) -> Iterator[Raw]:
    """The claims of an existing machine, by the ephemeral volumes of its Pod's spec."""
    for volume, made in claim_templates(pod_spec).items():
        metadata = made.get("metadata") or {}
        annotations = metadata.get("annotations")
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": claim_name(machine.name, volume),
                "namespace": namespace,
                "labels": {**(metadata.get("labels") or {}), WORKLOAD_LABEL: workload},
                **({"annotations": annotations} if annotations else {}),
                "ownerReferences": [_owner_reference(machine)],
            },
            "spec": made.get("spec") or {},
        }


def _naming(volume: Raw, claim: str) -> Raw:
    others = {key: value for key, value in volume.items() if key != "ephemeral"}
    return {**others, "persistentVolumeClaim": {"claimName": claim}}


def _owner_reference(machine: Hull) -> Raw:
    """The controller reference to a machine. blockOwnerDeletion isn't set, since it needs a right on the
    machine's finalizers, and it isn't needed: KubeVirt keeps a deleted machine until its instance is gone,
    and Kubernetes keeps a claim until no Pod uses it.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": machine.kind,
        "name": machine.name,
        "uid": machine.uid,
        "controller": True,
    }
