"""Ephemeral claims: a machine has those that Kubernetes would make for its Pod, and they go with it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.operator.situations.admission import until_refused
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated

KIND = "PersistentVolumeClaim"
FIELDS = ("accessModes", "volumeMode", "resources")


def scratching(size: str = "1Gi", **metadata: Any) -> Manifest:
    """A template with an ephemeral claim as a file system, and one as a disk."""

    def volume(name: str, mode: str) -> Manifest:
        resources = {"requests": {"storage": size}}
        claim = {"accessModes": ["ReadWriteOnce"], "volumeMode": mode, "resources": resources}
        return {"name": name, "ephemeral": {"volumeClaimTemplate": {"metadata": metadata, "spec": claim}}}

    mounts = [{"name": "files", "mountPath": "/scratch"}]
    devices = [{"name": "raw", "devicePath": "/dev/raw"}]
    return template(
        containers=[container(volumeMounts=mounts, volumeDevices=devices)],
        volumes=[volume("files", "Filesystem"), volume("raw", "Block")],
        automountServiceAccountToken=False,
    )


def claims(web: Subject) -> dict[str, Manifest]:
    """Those that are there, by their names."""
    return {claim["metadata"]["name"]: claim for claim in web.cluster.api.list(KIND, web.namespace)}


def are_the_machines(web: Subject) -> bool:
    """Whether those that are there are the present machine's."""
    hull, found = web.hull(), claims(web)
    named = {f"{hull['metadata']['name']}-{volume}" for volume in ("files", "raw")}
    owners = {one["uid"] for claim in found.values() for one in claim["metadata"]["ownerReferences"]}
    return found.keys() == named and owners == {hull["metadata"]["uid"]}


def test_a_machine_has_the_claims_that_its_pod_would_have(web: Subject) -> None:
    web.apply("Container", scratching(labels={"type": "scratch"}, annotations={"team": "shop"}))
    web.eventually(lambda: len(claims(web)) == 2, "Kubernetes makes the Pod's")
    of_pod = {name.rpartition("-")[2]: claim for name, claim in claims(web).items()}
    web.change(isolationPolicy="VirtualMachine")
    web.becomes("Ready")
    web.eventually(lambda: are_the_machines(web), "those of the Pod go with it")
    for name, claim in claims(web).items():
        theirs = of_pod[name.rpartition("-")[2]]
        labels = dict(claim["metadata"]["labels"])
        assert labels.pop("twinhull.dev/workload") == "web"
        assert labels == theirs["metadata"]["labels"]
        assert claim["metadata"]["annotations"]["team"] == "shop"
        assert [claim["spec"][field] for field in FIELDS] == [theirs["spec"][field] for field in FIELDS]


def test_they_are_made_anew_with_their_machine_and_go_with_it(web: Subject) -> None:
    web.apply("VirtualMachine", scratching())
    web.becomes("Ready")
    first, machine = {claim["metadata"]["uid"] for claim in claims(web).values()}, web.hull()["metadata"]
    web.cluster.api.delete("VirtualMachine", machine["name"], web.namespace)
    web.eventually(
        lambda: web.hull()["metadata"]["uid"] != machine["uid"] and are_the_machines(web),
        "the machine and its claims are made again",
    )
    web.becomes("Ready")
    assert first.isdisjoint(claim["metadata"]["uid"] for claim in claims(web).values())

    web.change(template=scratching("2Gi"))
    web.becomes("Ready")
    web.eventually(lambda: are_the_machines(web), "those of the old machine go")
    sizes = {claim["spec"]["resources"]["requests"]["storage"] for claim in claims(web).values()}
    assert sizes == {"2Gi"}

    web.change(state="Stopped")
    web.eventually(lambda: not claims(web), "they go with the machine")


def test_a_claim_of_somebody_elses_is_not_given_to_the_machine(web: Subject) -> None:
    web.apply("VirtualMachine", scratching())
    web.becomes("Ready")
    (disk_claim,) = (claim for name, claim in claims(web).items() if name.endswith("-raw"))
    name = disk_claim["metadata"]["name"]
    web.change(state="Stopped")
    web.eventually(
        lambda: not claims(web) and "VirtualMachine" not in web.belongings(), "they go with the machine"
    )
    theirs = {"apiVersion": "v1", "kind": KIND, "metadata": {"name": name, "namespace": web.namespace}}
    web.cluster.api.create(theirs | {"spec": {field: disk_claim["spec"][field] for field in FIELDS}})
    # The operator knows of the claim once it says of no Workload that it is missing.
    named: Manifest = {"name": "raw", "persistentVolumeClaim": {"claimName": name}}
    web.once_known("Ready", "Container", template(volumes=[named]))

    web.change(state="Running")

    refused = web.becomes("NameConflict")
    status, _, message = condition(refused, "Stalled")
    assert status == "True"
    assert message == (
        f"spec.template.spec.volumes[raw].ephemeral: {KIND} {name} exists and wasn't made for VirtualMachine "
        f"{name.removesuffix('-raw')}: delete it, or give the volume another name"
    )
    assert not web.cluster.api.list("VirtualMachine", web.namespace)
    web.cluster.api.delete(KIND, name, web.namespace)
    web.becomes("Ready")


def test_a_quota_that_has_no_room_is_told(web: Subject) -> None:
    named = {"name": "storage", "namespace": web.namespace}
    spec = {"hard": {"requests.storage": "1Mi"}}
    web.cluster.api.create({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": named, "spec": spec})
    resources = {"requests": {"storage": "1Gi"}}
    probe = {"apiVersion": "v1", "kind": KIND, "metadata": {"name": "probe", "namespace": web.namespace}}
    probe["spec"] = {"accessModes": ["ReadWriteOnce"], "resources": resources}
    until_refused(web.cluster, probe, "exceeded quota: storage")
    web.apply("VirtualMachine", scratching())
    web.becomes("ClaimRefused")
    web.eventually(lambda: "exceeded quota: storage" in web.condition("Ready")[2], "the quota is named")
    web.cluster.api.delete("ResourceQuota", "storage", web.namespace)
    web.becomes("Ready")
