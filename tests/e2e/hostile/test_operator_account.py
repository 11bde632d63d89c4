"""Somebody has the token of the operator's ServiceAccount: what they can't do with its rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import jsonlog
from tests.chart import rights
from tests.controlplane import Api, ApiError, ControlPlane
from tests.e2e.hostile.people import Person
from tests.e2e.operator.subject import DISK_LABEL, WORKLOAD_LABEL, Subject, container, template
from twinhull.hulls.merge import merge_patch

Manifest = dict[str, Any]
POLICY = rights.BOUNDS
#: Namespaces whose ServiceAccounts can do whatever the cluster can.
CLOSED = ("kube-system", "kube-public", "kube-node-lease")
REVISION = "1234567890"
SERVED = template(containers=[container(ports=[{"containerPort": 80}])])
KINDS = ("Pod", "ConfigMap", "Service", "VirtualMachine")


@dataclass(frozen=True)
class Thief:
    """Who has the operator's token."""

    api: Api
    namespace: str

    def is_refused(self, attempt: Callable[[], object], why: str = "") -> None:
        """The attempt ends in a refusal by the policy, for that reason."""
        with pytest.raises(ApiError) as refused:
            attempt()
        assert refused.value.code == 403, refused.value.message
        assert POLICY in refused.value.message
        assert why in refused.value.message


@pytest.fixture
def thief(account: Path, simulation: ControlPlane, namespace: str) -> Thief:
    """Once the policy is in force, which takes the API server a moment."""
    thief = Thief(Api(account), namespace)
    stray = rehearsed(thief.api, configured("stray", namespace))

    def in_force() -> bool:
        try:
            stray()
        except ApiError as refused:
            return POLICY in refused.message
        return False

    simulation.eventually(in_force, 30, "the policy is in force")
    return thief


@pytest.fixture
def web(neighbour: Subject) -> Iterator[Subject]:
    """A Workload that the operator serves."""
    neighbour.apply("Container", SERVED)
    neighbour.becomes("Ready")
    yield neighbour
    neighbour.delete()
    neighbour.is_gone()


def configured(name: str, namespace: str) -> Manifest:
    about = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"key": "value"}}


def foreign(kind: str, namespace: str, name: str = "theirs") -> Manifest:
    """An object that no Workload owns."""
    specs: dict[str, Manifest] = {
        "Pod": {"spec": {"containers": [container()]}},
        "PodTemplate": {"template": {"spec": {"containers": [container()]}}},
        "ConfigMap": {"data": {"key": "value"}},
        "PersistentVolumeClaim": {"spec": claimed(namespace)["spec"]},
        "Service": {"spec": {"selector": {"app": "theirs"}, "ports": [{"port": 80}]}},
        "VirtualMachine": {
            "spec": {
                "runStrategy": "Halted",
                "template": {"spec": {"domain": {"memory": {"guest": "64Mi"}, "devices": {}}}},
            }
        },
    }
    version = "kubevirt.io/v1" if kind == "VirtualMachine" else "v1"
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": {}},
        **specs[kind],
    }


def owned(kind: str, namespace: str, owner: str = "web", reference: Manifest | None = None) -> Manifest:
    """An object as the operator makes them for a Workload, which needn't exist."""
    made = foreign(kind, namespace, owner if kind == "Service" else f"{owner}-{REVISION}")
    made["metadata"]["labels"] = {WORKLOAD_LABEL: owner}
    made["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "name": owner,
            "uid": "00000000-0000-4000-8000-000000000000",
            "controller": True,
            **(reference or {}),
        }
    ]
    if kind == "Service":
        made["spec"]["selector"] = {WORKLOAD_LABEL: owner}
    return made


def claimed(namespace: str, owner: str = f"web-{REVISION}", **reference: Any) -> Manifest:
    """A claim as the operator makes them for a machine, which needn't exist."""
    of_machine = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": owner}
    uid = "00000000-0000-4000-8000-000000000000"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": f"{owner}-scratch",
            "namespace": namespace,
            "labels": {WORKLOAD_LABEL: "web"},
            "ownerReferences": [{**of_machine, "uid": uid, "controller": True, **reference}],
        },
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }


def rehearsed(api: Api, manifest: Manifest) -> Callable[[], object]:
    """A creation that the API server only tries out: it comes to the same answer."""
    path = api.path(manifest["kind"], manifest["metadata"]["namespace"])
    return partial(api.request, "POST", path, manifest, query={"dryRun": "All"})


def test_what_the_operator_does_is_let_through(web: Subject, thief: Thief) -> None:
    """All that it writes in a Workload's life, but for what the tests in `operator` have it do: they run with
    this policy in force.
    """
    for isolation, kind in (("VirtualMachine", "VirtualMachine"), ("Container", "Pod")):
        web.change(isolationPolicy=isolation)
        web.becomes("Ready")
        assert web.hull()["kind"] == kind
    hull = web.hull()["metadata"]["name"]
    web.cluster.api.patch("Pod", hull, web.namespace, {"metadata": {"labels": {WORKLOAD_LABEL: None}}})
    web.eventually(
        lambda: WORKLOAD_LABEL in web.one("Pod", hull)["metadata"]["labels"], "the label is put back"
    )
    web.cluster.api.patch("Service", "web", web.namespace, {"spec": {"selector": {"app": "theirs"}}})
    web.eventually(
        lambda: "app" not in web.one("Service", "web")["spec"]["selector"], "the Service is put back"
    )
    for kind in KINDS:
        rehearsed(thief.api, owned(kind, thief.namespace))()


def test_the_policy_says_nothing_that_the_api_server_does_not_understand(
    thief: Thief,  # noqa: ARG001  the policy is in force
    simulation: ControlPlane,
) -> None:
    def checked() -> Manifest:
        found = simulation.api.get("ValidatingAdmissionPolicy", POLICY)
        assert found is not None
        status: Manifest = found["status"]
        return status

    status = simulation.eventually(checked, 30, "its types are checked")
    assert status.get("typeChecking", {}).get("expressionWarnings", []) == []


@pytest.mark.parametrize("namespace_of_all", CLOSED)
def test_nothing_is_written_where_the_clusters_own_accounts_are(thief: Thief, namespace_of_all: str) -> None:
    """aws-auth says who is an administrator on EKS; a Pod can be any ServiceAccount of its namespace."""
    aws_auth = configured("aws-auth", namespace_of_all)
    thief.is_refused(rehearsed(thief.api, aws_auth))
    for kind in KINDS:
        thief.is_refused(rehearsed(thief.api, owned(kind, namespace_of_all)), "rbac.closedNamespaces")


def test_aws_auth_is_not_changed(thief: Thief, simulation: ControlPlane) -> None:
    simulation.api.create(configured("aws-auth", "kube-system"))
    patch = {"data": {"mapUsers": "- groups: [system:masters]"}}
    thief.is_refused(partial(thief.api.patch, "ConfigMap", "aws-auth", "kube-system", patch))
    thief.is_refused(partial(thief.api.delete, "ConfigMap", "aws-auth", "kube-system"))
    simulation.api.delete("ConfigMap", "aws-auth", "kube-system")


@pytest.mark.parametrize("kind", KINDS)
class TestOfEachKind:
    """The same for all that the operator may write."""

    def test_a_strangers_object_is_neither_changed_nor_deleted(
        self, thief: Thief, simulation: ControlPlane, kind: str
    ) -> None:
        theirs = simulation.api.create(foreign(kind, thief.namespace))
        name, why = theirs["metadata"]["name"], "has no such controller"
        patches: list[Manifest] = [
            {"metadata": {"annotations": {"a": "b"}}},
            {"metadata": {"labels": {WORKLOAD_LABEL: "web"}}},
            # To make it one's own first.
            {"metadata": owned(kind, thief.namespace, name)["metadata"] | {"name": name}},
        ]
        for patch in patches:
            thief.is_refused(partial(thief.api.patch, kind, name, thief.namespace, patch), why)
        thief.is_refused(partial(thief.api.delete, kind, name, thief.namespace), why)
        found = simulation.api.get(kind, name, thief.namespace)
        assert found is not None
        assert found["metadata"].get("labels", {}) == {}
        assert "deletionTimestamp" not in found["metadata"]

    def test_nothing_is_made_that_no_workload_owns(self, thief: Thief, kind: str) -> None:
        why = "has no such controller"
        thief.is_refused(rehearsed(thief.api, foreign(kind, thief.namespace)), why)
        for reference in (
            {"controller": False},
            {"kind": "IsolationPolicy"},
            {"apiVersion": "apps/v1"},
            {"apiVersion": "twinhull.dev.example/v1"},
        ):
            thief.is_refused(rehearsed(thief.api, owned(kind, thief.namespace, reference=reference)), why)

    def test_nothing_is_made_under_another_name(self, thief: Thief, kind: str) -> None:
        made = owned(kind, thief.namespace)
        usual = made["metadata"]["name"]
        for name in (
            "aws-auth",
            "web-config",
            f"other-{REVISION}",
            f"{usual}0",
            f"{usual}-x",
            "web-12345678zz",
        ):
            named = deepcopy(made)
            named["metadata"]["name"] = name
            thief.is_refused(rehearsed(thief.api, named), "gives no such name")
        generated = deepcopy(made)
        del generated["metadata"]["name"]
        generated["metadata"]["generateName"] = f"{usual}-"
        thief.is_refused(rehearsed(thief.api, generated))

    def test_nothing_is_made_with_anothers_label(self, thief: Thief, kind: str) -> None:
        for labels in ({}, {WORKLOAD_LABEL: "bank"}):
            made = owned(kind, thief.namespace)
            made["metadata"]["labels"] = labels
            thief.is_refused(rehearsed(thief.api, made), "must set the label twinhull.dev/workload")


def test_a_pod_template_is_tried_out_for_a_workload_only(thief: Thief) -> None:
    kind = "PodTemplate"
    rehearsed(thief.api, owned(kind, thief.namespace))()
    thief.is_refused(rehearsed(thief.api, foreign(kind, thief.namespace)), "has no such controller")
    thief.is_refused(rehearsed(thief.api, owned(kind, CLOSED[0])), "rbac.closedNamespaces")


def test_a_claim_is_made_for_a_machine_only(thief: Thief) -> None:
    rehearsed(thief.api, claimed(thief.namespace))()
    thief.is_refused(rehearsed(thief.api, claimed(CLOSED[0])), "rbac.closedNamespaces")
    for reference in (
        {"controller": False},
        {"apiVersion": "twinhull.dev/v1alpha1", "kind": "Workload"},
        {"kind": "Pod"},
        {"apiVersion": "kubevirt.io.example/v1"},
    ):
        claim = claimed(thief.namespace, **reference)
        thief.is_refused(rehearsed(thief.api, claim), "has no such controller")
    orphan = claimed(thief.namespace)
    del orphan["metadata"]["ownerReferences"]
    thief.is_refused(rehearsed(thief.api, orphan), "has no such controller")


def test_a_claim_is_named_after_a_machine_and_labelled_as_it(thief: Thief) -> None:
    for owner in ("web", "db-0", REVISION, "web-12345678zz", f"web{REVISION}"):
        thief.is_refused(rehearsed(thief.api, claimed(thief.namespace, owner)), "gives no such name")
    for name in ("scratch", f"web-{REVISION}", f"web-{REVISION}0-scratch", "web-abcdef1234-scratch"):
        named = claimed(thief.namespace)
        named["metadata"]["name"] = name
        thief.is_refused(rehearsed(thief.api, named), "gives no such name")
    for labels in ({}, {WORKLOAD_LABEL: "bank"}):
        labelled = claimed(thief.namespace)
        labelled["metadata"]["labels"] = labels
        thief.is_refused(rehearsed(thief.api, labelled), "must set the label twinhull.dev/workload")


#: What may be done to a claim that is no disk of a Workload, and isn't made one by it.
CLAIM_CHANGES: dict[str, Manifest] = {
    "annotations": {"metadata": {"annotations": {"a": "b"}}},
    "label": {"metadata": {"labels": {"app": "bank"}}},
    "owner": {"metadata": {"ownerReferences": claimed("any")["metadata"]["ownerReferences"]}},
    "finalizers": {"metadata": {"finalizers": ["mine.example/keep"]}},
    "no finalizers": {"metadata": {"finalizers": []}},
    "size": {"spec": {"resources": {"requests": {"storage": "2Gi"}}}},
}


@pytest.mark.parametrize("change", CLAIM_CHANGES)
@pytest.mark.parametrize("labels", [{}, {DISK_LABEL: "theirs"}], ids=["nobody's", "another disk's"])
def test_a_claim_is_changed_in_nothing_but_what_a_disk_needs(
    thief: Thief, simulation: ControlPlane, labels: dict[str, str], change: str
) -> None:
    claim = foreign("PersistentVolumeClaim", thief.namespace)
    spec = claim["spec"] | {"storageClassName": "simulated"}
    simulation.api.create(claim | {"metadata": claim["metadata"] | {"labels": labels}, "spec": spec})

    def bound() -> bool:
        pvc = simulation.api.get("PersistentVolumeClaim", "theirs", thief.namespace)
        return pvc is not None and pvc["status"].get("phase") == "Bound"

    simulation.eventually(bound, 30, "the claim is bound")
    patch = CLAIM_CHANGES[change]
    marked = merge_patch(patch, {"metadata": {"labels": {DISK_LABEL: "web"}}})
    for attempted in (patch, marked):
        thief.is_refused(
            partial(thief.api.patch, "PersistentVolumeClaim", "theirs", thief.namespace, attempted)
        )
    with pytest.raises(ApiError) as refused:
        thief.api.delete("PersistentVolumeClaim", "theirs", thief.namespace)
    assert refused.value.code == 403
    pvc = simulation.api.get("PersistentVolumeClaim", "theirs", thief.namespace)
    assert pvc is not None
    assert pvc["metadata"].get("labels", {}) == labels
    assert "deletionTimestamp" not in pvc["metadata"]


def test_a_claim_is_marked_as_a_disk_once(thief: Thief, simulation: ControlPlane) -> None:
    simulation.api.create(foreign("PersistentVolumeClaim", thief.namespace))

    def mark(workload: str | None) -> object:
        patch = {"metadata": {"labels": {DISK_LABEL: workload}}}
        return thief.api.patch("PersistentVolumeClaim", "theirs", thief.namespace, patch)

    mark("web")
    for other in ("bank", None):
        thief.is_refused(partial(mark, other))


def disk(namespace: str, name: str = "web-boot", **metadata: Any) -> Manifest:
    """A DataVolume as the operator makes them for a disk."""
    about = {"name": name, "namespace": namespace, "labels": {DISK_LABEL: "web"}}
    storage = {"resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "cdi.kubevirt.io/v1beta1",
        "kind": "DataVolume",
        "metadata": about | metadata,
        "spec": {"source": {"blank": {}}, "storage": storage},
    }


def test_a_disk_is_made_for_a_workload_only(thief: Thief) -> None:
    rehearsed(thief.api, disk(thief.namespace))()
    owners = owned("Pod", thief.namespace)["metadata"]["ownerReferences"]
    rehearsed(thief.api, disk(thief.namespace, ownerReferences=owners))()
    thief.is_refused(rehearsed(thief.api, disk(CLOSED[0])), "rbac.closedNamespaces")
    why = "only disks of Workloads"
    for labels in ({}, {WORKLOAD_LABEL: "web"}):
        thief.is_refused(rehearsed(thief.api, disk(thief.namespace, labels=labels)), why)
    thief.is_refused(rehearsed(thief.api, disk(thief.namespace, "bank-boot")), why)
    of_bank = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "bank", "uid": owners[0]["uid"]}]
    thief.is_refused(rehearsed(thief.api, disk(thief.namespace, ownerReferences=of_bank)), why)


def test_a_disk_of_somebody_elses_is_neither_changed_nor_deleted(
    thief: Thief, simulation: ControlPlane
) -> None:
    simulation.api.create(disk(thief.namespace, "theirs", labels={}))
    bank = simulation.api.create(configured("bank", thief.namespace))
    of_bank = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "bank", "uid": bank["metadata"]["uid"]}]
    simulation.api.create(disk(thief.namespace, "web-theirs", ownerReferences=of_bank))
    for name in ("theirs", "web-theirs"):
        labelled = {"metadata": {"labels": {DISK_LABEL: "web"}, "annotations": {"a": "b"}}}
        thief.is_refused(partial(thief.api.patch, "DataVolume", name, thief.namespace, labelled))
        thief.is_refused(partial(thief.api.delete, "DataVolume", name, thief.namespace))


def test_a_disk_that_lost_its_label_gets_that_back_and_nothing_else(
    thief: Thief, simulation: ControlPlane
) -> None:
    """Which Workload it was made for, the operator has noted on it."""
    noted = {"twinhull.dev/workload-uid": "6f1f8f0e-6b8c-4d2e-9c64-7a1f2b3c4d5e"}
    simulation.api.create(disk(thief.namespace, labels={}, annotations=noted))
    simulation.api.create(disk(thief.namespace, "web-data", labels={}))

    def patched(workload: str, name: str = "web-boot", **more: Any) -> Any:
        metadata = {"labels": {DISK_LABEL: workload}, **more}
        return partial(thief.api.patch, "DataVolume", name, thief.namespace, {"metadata": metadata})

    thief.is_refused(patched("bank"))
    thief.is_refused(patched("web", "web-data"))
    thief.is_refused(patched("web", annotations={"a": "b"}))
    thief.is_refused(patched("web", "web-data", annotations=noted))
    patched("web")()


def test_of_a_claim_only_whose_disk_it_is_can_be_noted(thief: Thief, simulation: ControlPlane) -> None:
    simulation.api.create(foreign("PersistentVolumeClaim", thief.namespace))
    listed = partial(simulation.api.list, "PersistentVolumeClaim", thief.namespace)
    # Otherwise the API server refuses another size for that alone.
    simulation.eventually(lambda: listed()[0]["status"]["phase"] == "Bound", 30, "the claim is bound")
    noted = {"twinhull.dev/guest-disk-of": "web"}

    def patched(**patch: Any) -> Any:
        return partial(thief.api.patch, "PersistentVolumeClaim", "theirs", thief.namespace, patch)

    for patch in (
        {"metadata": {"annotations": {**noted, "a": "b"}}},
        {"metadata": {"annotations": noted, "labels": {WORKLOAD_LABEL: "web"}}},
        {"metadata": {"annotations": noted, "ownerReferences": claimed("x")["metadata"]["ownerReferences"]}},
        {"metadata": {"annotations": noted}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}},
    ):
        thief.is_refused(patched(**patch), "not change or delete one: theirs")
    patched(metadata={"annotations": noted})()
    gone = {"twinhull.dev/guest-disk-of": None}
    thief.is_refused(patched(metadata={"annotations": gone}), "not change or delete one: theirs")


def test_what_is_its_own_is_given_to_nobody_else(web: Subject, thief: Thief) -> None:
    """Nor is it let go, and so kept when its Workload goes."""
    other = web.named("other")
    other.apply("Container", template())
    other.becomes("Ready")
    uid = other.get()["metadata"]["uid"]
    for kind, name in (("Service", "web"), ("Pod", web.hull()["metadata"]["name"])):
        (reference,) = web.one(kind, name)["metadata"]["ownerReferences"]
        for references in ([], [reference | {"uid": uid}], [reference | {"controller": False}]):
            patch = {"metadata": {"ownerReferences": references}}
            thief.is_refused(partial(thief.api.patch, kind, name, web.namespace, patch))
        moved = {"metadata": {"labels": {WORKLOAD_LABEL: "other"}}}
        thief.is_refused(partial(thief.api.patch, kind, name, web.namespace, moved), "workload: web")


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": {"app": "bank", WORKLOAD_LABEL: None}},
        {"selector": {WORKLOAD_LABEL: "bank"}},
        {"selector": None},
        {"externalIPs": ["192.0.2.1"]},
        {"type": "ExternalName", "externalName": "bank.example", "clusterIP": None, "clusterIPs": None},
    ],
    ids=["others by a label", "another Workload", "no selector", "an address", "a name"],
)
def test_its_services_lead_to_their_workloads_alone(web: Subject, thief: Thief, spec: Manifest) -> None:
    why = "make a Service only for the Pods of its own"
    thief.is_refused(partial(thief.api.patch, "Service", "web", web.namespace, {"spec": spec}), why)
    made = owned("Service", thief.namespace)
    made["spec"] = merge_patch(made["spec"], spec)
    thief.is_refused(rehearsed(thief.api, made), why)


def test_a_machine_of_somebody_elses_is_not_taken_apart_by_its_parts(web: Subject, thief: Thief) -> None:
    """What KubeVirt makes of a machine is KubeVirt's: the operator has no say in it."""
    web.change(isolationPolicy="VirtualMachine")
    web.becomes("Ready")
    (launcher,) = web.cluster.api.list("Pod", web.namespace, labels=f"{WORKLOAD_LABEL}=web")
    name = launcher["metadata"]["name"]
    thief.is_refused(partial(thief.api.delete, "Pod", name, web.namespace), "has no such controller")


def test_the_audit_log_tells_of_a_refusal(thief: Thief, simulation: ControlPlane) -> None:
    """By this it can be alerted on, and test_rights.py sees whether the operator itself was ever refused."""
    thief.is_refused(rehearsed(thief.api, configured("told-of", thief.namespace)))

    def is_audited() -> bool:
        events = [one for one in jsonlog.entries(simulation.audit_log) if thief.namespace in str(one)]
        (found,) = [one for one in events if "told-of" in one["responseStatus"].get("message", "")]
        return POLICY in found["responseStatus"]["message"]

    simulation.eventually(is_audited, 30, "the audit log has it")


def test_others_are_let_be(thief: Thief, tenant: Person) -> None:
    """Who isn't the operator is asked one thing: whether they are."""
    for kind in ("ConfigMap", "Service"):
        tenant.api.create(foreign(kind, thief.namespace))
        tenant.api.patch(kind, "theirs", thief.namespace, {"metadata": {"labels": {"a": "b"}}})
        tenant.api.delete(kind, "theirs", thief.namespace)
