"""Ephemeral claims: what Kubernetes makes for a Pod out of its volumeClaimTemplates, made for a machine.

Their names, and what they have of the template, are those of Kubernetes' own (k8s.io/kubernetes,
pkg/controller/volume/ephemeral/controller.go, handleVolume; k8s.io/component-helpers/storage/ephemeral,
VolumeClaimName). Their owner is the VirtualMachine as a Pod's is the Pod, so the garbage collector deletes
them with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.hulls.hull import WORKLOAD_LABEL, Hull
from twinhull.hulls.machine import API_VERSION
from twinhull.hulls.parity import claim_templates

#: Where the revision begins in what is named after a machine (core/revision).
_REVISION = re.compile(r"(?<=.)-(?=[0-9a-z][0-9a-f]{9}-.)")


def claim_name(hull: str, volume: str) -> str:
    """What the claim of a volume is called."""
    return f"{hull}-{volume}"


def workloads_of(claim: str) -> Iterator[str]:
    """The names of the Workloads whose machine may have a claim of that name, whoever made it."""
    return (claim[: found.start()] for found in _REVISION.finditer(claim))


def with_claims(pod: Raw) -> Raw:
    """A machine's Pod, whose volumes name the claims that the machine is given."""
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
    """The claims of a machine that is there."""
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
    """Without blockOwnerDeletion, which would need a right on the machine's finalizers: KubeVirt keeps a
    machine that is deleted until its instance is gone, and Kubernetes a claim until no Pod has it.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": machine.kind,
        "name": machine.name,
        "uid": machine.uid,
        "controller": True,
    }
