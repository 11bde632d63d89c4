"""The policies that concern a hull by what runs in it, though the Workload's spec has changed since."""

from __future__ import annotations

import json
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.core.isolation import PolicyAndEffect, PolicyEffect
from twinhull.core.isolation.hull_policies import MOST_COMPARED
from twinhull.core.isolation.overrides import kernel_image
from twinhull.hulls import manifest
from twinhull.hulls.applied import APPLIED_ANNOTATION, Applied
from twinhull.shell import kinds

from .objects import GVISOR, KUBEVIRT, OURS, at, case, hull, workload
from .policies import namespace, policy
from .test_below_floor import (
    EVICTION,
    GPU,
    UNREADABLE,
    noted,
    pending,
    pod,
    unreadable,
    written,
)
from .test_unheld_hulls import evicted, look

EVIL: Raw = {"containers": [{"name": "web", "image": "quay.io/v/proxy:2.9"}], "serviceAccountName": "builder"}
EVICTS: Raw = {"minimum": "VirtualMachine", "onViolation": "Evict", "eviction": EVICTION}
MATCHES: dict[str, Raw] = {
    "images": {"images": ["**/proxy:2.*"]},
    "service accounts": {"serviceAccounts": ["builder"]},
    "both": {"images": ["**/proxy:2.*"], "serviceAccounts": ["builder"]},
}
CLAIM = {"volumes": [{"name": "x", "persistentVolumeClaim": {"claimName": "absent"}}]}
#: Edits by which an owner prevents that the running hull is replaced.
EDITS: dict[str, Raw] = {
    "a claim that isn't there": workload(pod=CLAIM),
    "a RuntimeClass that isn't there": workload({"isolationPolicy": "Sandbox"}),
    "a Pod that fits no node": workload(
        {"replacement": {"strategy": "StartFirst"}}, pod={"nodeSelector": {"no": "such"}}
    ),
}
BOTH = {PolicyAndEffect("cve", PolicyEffect.MATCHED), PolicyAndEffect("cve", PolicyEffect.PENDING)}


def suspect(match: Raw = MATCHES["images"], **spec: Any) -> Raw:
    return policy("cve", match=match, **{**EVICTS, **spec})


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.parametrize("edit", EDITS)
def test_no_edit_takes_what_runs_out_of_a_policy(edit: str, match: str) -> None:
    found = case(pending(EDITS[edit]), namespace(), suspect(MATCHES[match]), KUBEVIRT, pod(**EVIL))
    assert found.blueprint.resolution.policies == (), "the new hull isn't raised for the former one's image"
    (shortfall,) = found.compliance.shortfalls
    assert shortfall.sentence == (
        "Pod web-1before runs as Container, below the VirtualMachine that IsolationPolicy cve requires"
    )
    assert [action.key for action in written(found)] == ["Pod/web-1before"]
    assert found.blueprint.resolution.effects(frozenset({"cve"})) == BOTH


@pytest.mark.parametrize("match", MATCHES)
def test_no_spec_that_can_not_be_read_takes_what_runs_out_of_a_policy(match: str) -> None:
    raw = pending(workload(UNREADABLE["a newer isolation"]))
    found = unreadable(raw, namespace(), suspect(MATCHES[match]), KUBEVIRT, pod(**EVIL))
    assert found.effects == BOTH
    assert [action.key for action in found.actions()] == ["Pod/web-1before"]
    assert found.status()["isolation"]["policy"] == "cve"
    other = unreadable(raw, namespace(), suspect(MATCHES[match]), KUBEVIRT, pod())
    assert (other.effects, other.actions()) == (frozenset(), ())


@pytest.mark.parametrize(
    "part",
    [
        {"workloadSelector": {"matchLabels": {"tier": "gold"}}},
        {"namespaceSelector": {"matchLabels": {"trust": "none"}}},
    ],
)
def test_the_other_parts_of_a_match_have_to_fit_too(part: Raw) -> None:
    found = case(pending(workload()), namespace(), suspect({**MATCHES["images"], **part}), pod(**EVIL))
    assert found.compliance.shortfalls == ()


INJECTED: Raw = {
    "containers": [
        {"name": "web", "image": "mirror.example/nginx:1"},
        {"name": "mesh", "image": "mesh.example/proxy:2.1"},
    ],
    "initContainers": [{"name": "mesh-init", "image": "mesh.example/proxy:2.1"}],
    "volumes": [{"name": "model", "image": {"reference": "mesh.example/proxy:2.1"}}],
}


def test_what_webhooks_add_or_rewrite_does_not_count_for_the_tenant() -> None:
    raw = workload()
    former = noted(raw["spec"]["template"], pod(**INJECTED))
    edited = pending(workload(pod={"containers": [{"name": "web", "image": "nginx:2"}], **CLAIM}))
    for patterns in (["**/proxy:2.*"], ["mirror.example/**"]):
        assert case(edited, namespace(), suspect({"images": patterns}), former).compliance.shortfalls == ()
        deeper = pending(workload(UNREADABLE["a newer isolation"]))
        assert unreadable(deeper, namespace(), suspect({"images": patterns}), former).actions() == ()
    asked = suspect({"images": ["nginx:1"]})
    assert written(case(edited, namespace(), asked, former)), "the image that its template named"


@pytest.mark.parametrize(
    "own",
    [
        {"initContainers": [{"name": "i", "image": "quay.io/v/proxy:2.9"}]},
        {"volumes": [{"name": "v", "image": {"reference": "quay.io/v/proxy:2.9"}}]},
    ],
)
def test_all_images_of_the_former_template_count(own: Raw) -> None:
    former = noted(workload(pod=own)["spec"]["template"], pod(**own))
    assert written(case(pending(workload(pod=CLAIM)), namespace(), suspect(), former))


@pytest.mark.parametrize("deleting", [None, 315_360_000])
def test_a_debug_container_counts_until_its_pod_has_ended(deleting: int | None) -> None:
    debugged = pod(ephemeralContainers=[{"name": "d", "image": "v/proxy:2.9"}], deleting=deleting)
    match = {**MATCHES["images"], "serviceAccounts": ["default"]}
    found = case(pending(workload()), namespace(), suspect(match), KUBEVIRT, debugged)
    assert [action.key for action in written(found)] == ["Pod/web-1before"]


def in_place(running: str) -> Raw:
    """The current Pod after a change in place. `running` is the id of its container."""
    raw = workload()
    present = case(raw).desired.hull_objects[-1]
    note = json.loads(present["metadata"]["annotations"][APPLIED_ANNOTATION])
    note["outgoing"] = {"web": {"containerd://1": "quay.io/v/proxy:2.9"}}
    annotations = {APPLIED_ANNOTATION: json.dumps(note)}
    ids = {"containerStatuses": [{"name": "web", "containerID": running}]}
    metadata = {**present["metadata"], "annotations": annotations, "ownerReferences": [OURS]}
    return present | {"metadata": metadata, "status": {"phase": "Running", **ids}}


@pytest.mark.parametrize(("running", "counts"), [("containerd://1", True), ("containerd://2", False)])
def test_an_image_that_was_replaced_in_place_counts_until_its_container_has_ended(
    running: str, *, counts: bool
) -> None:
    """The container may have a grace period of ten years."""
    found = case(pending(workload()), namespace(), suspect(), KUBEVIRT, in_place(running))
    assert found.current is not None
    assert bool(found.compliance.shortfalls) == counts


def test_the_present_revisions_pod_is_what_the_spec_says() -> None:
    """Otherwise a webhook that rewrites images would cause an endless sequence of evictions."""
    raw = workload(pod={"initContainers": [{"name": "i", "image": "v/proxy:1"}]})
    present = case(raw).desired.hull_objects[-1]
    rewritten = [{"name": "i", "image": "quay.io/v/proxy:2.9"}]
    present = present | {"spec": {**present["spec"], "initContainers": rewritten}}
    assert case(raw, namespace(), suspect(), present).compliance.shortfalls == ()


def test_a_former_sandbox_is_measured_by_the_policies_that_concern_it() -> None:
    """Another policy, which concerns only the present spec, names another RuntimeClass."""
    boxed = suspect(minimum="Sandbox", sandbox={"runtimeClassName": "gvisor"})
    another: Raw = {"sandbox": {"runtimeClassName": "b"}, "priority": 9}
    others = policy("others", match={"images": ["nginx"]}, minimum="Sandbox", **another)
    for runtime_class, names in (("gvisor", ["others"]), ("b", ["cve"])):
        former = pod(runtimeClassName=runtime_class, **EVIL)
        found = case(pending(workload(pod=CLAIM)), namespace(), boxed, others, GVISOR, former)
        assert [shortfall.policy.name for shortfall in found.compliance.shortfalls] == names


def machine(*, gpus: list[Raw], carries: bool = True) -> list[Raw]:
    """A former machine with our guest, and its ConfigMap."""
    raw = workload({"isolationPolicy": "VirtualMachine"}, pod=EVIL)
    carried, vm = case(raw, KUBEVIRT).desired.hull_objects
    vm["spec"]["template"]["spec"]["domain"]["devices"]["gpus"] = gpus
    if not carries:
        carried["data"] = {"manifest.json": "{}"}
    for obj in (carried, vm):
        obj["metadata"]["ownerReferences"] = [OURS]
    return [carried, vm]


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.parametrize("carries", [True, False])
def test_a_machine_is_what_its_manifest_says(match: str, *, carries: bool) -> None:
    """If the ConfigMap isn't the manifest that the machine runs by, any policy may concern the machine."""
    raw = pending(workload({"isolationPolicy": "VirtualMachine"}, pod=CLAIM))
    for gpus, concerned in (([], False), (GPU, True)):
        objects = machine(gpus=gpus, carries=carries)
        found = case(raw, namespace(), suspect(MATCHES[match]), KUBEVIRT, *objects)
        assert bool(found.compliance.shortfalls) == concerned
    elsewhere = suspect({"images": ["redis"], "serviceAccounts": ["other"]})
    found = case(raw, namespace(), elsewhere, KUBEVIRT, *machine(gpus=GPU, carries=carries))
    assert bool(found.compliance.shortfalls) == (not carries)


def test_of_more_hulls_than_there_are_in_the_course_of_things_the_oldest_are_compared() -> None:
    many = [pod(f"web-{number}before") for number in range(MOST_COMPARED + 1)]
    for number, one in enumerate(many):
        one["metadata"]["creationTimestamp"] = at(number)
    found = case(pending(workload()), namespace(), suspect(), KUBEVIRT, *many)
    (shortfall,) = found.compliance.shortfalls
    assert shortfall.hull.name == f"web-{MOST_COMPARED}before", "it may be anything"


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("match", MATCHES)
def test_what_runs_counts_though_there_is_no_room_for_its_pod(match: str, *, large: bool) -> None:
    for spec, concerned in ((EVIL, True), ({**EVIL, **INJECTED, "serviceAccountName": "default"}, False)):
        template = workload(pod=EVIL if concerned else {})["spec"]["template"]
        present = noted(template, pod(**spec))
        if large:
            present["metadata"]["labels"] |= {f"label{number}": "x" * 400 for number in range(90)}
            present["status"]["containerStatuses"] = [{"name": "web", "image": "x" * 40_000}]
        rule = suspect(MATCHES[match])
        found, store = look(pending(workload()), present, namespace(), rule, full=[kinds.POD])
        assert store.unread(kinds.POD) == 1
        assert evicted(found) == concerned


@pytest.mark.slow
@pytest.mark.parametrize("match", MATCHES)
def test_what_runs_counts_though_nobody_can_read_its_pod(match: str) -> None:
    for spec, concerned in ((EVIL, True), ({"serviceAccountName": "default"}, False)):
        large = pod(**spec, nodeSelector={f"k{number}": "" for number in range(60_000)})
        found, _ = look(pending(workload()), large, namespace(), suspect(MATCHES[match]))
        assert evicted(found) == concerned


def test_the_images_of_a_disk_machine_are_those_of_the_disks_that_it_runs_with() -> None:
    def booting(image: str) -> Raw:
        disk = {"source": {"containerDisk": {"image": image}}}
        built = {"bootDisk": disk, "memory": "1Gi"}
        return pending(workload({"isolationPolicy": "VirtualMachine", "virtualMachine": built}))

    vm = case(booting("quay.io/v/proxy:2.9"), KUBEVIRT).desired.hull_objects[-1]
    vm["metadata"]["ownerReferences"] = [OURS]
    vmi = hull("VirtualMachineInstance", vm["metadata"]["name"])
    vmi["spec"] = vm["spec"]["template"]["spec"]
    vmi["spec"]["domain"]["devices"]["gpus"] = GPU
    vmi["status"] = {"phase": "Running"}
    found = case(booting("debian"), namespace(), suspect(), KUBEVIRT, vm, vmi)
    assert found.blueprint.resolution.policies == ()
    assert [shortfall.policy.name for shortfall in found.compliance.shortfalls] == ["cve"]


OVERRIDES: dict[str, Raw] = {
    "an account": {"serviceAccountName": "builder"},
    "a token": {"volumes": [{"name": "t", "serviceAccount": {"serviceAccountName": "builder"}}]},
}


@pytest.mark.parametrize("what", OVERRIDES)
@pytest.mark.parametrize("has_guest", [True, False])
def test_a_machine_runs_as_the_account_that_overrides_gave_it(what: str, *, has_guest: bool) -> None:
    """The overrides may have changed since."""
    disk = {"bootDisk": {"source": {"containerDisk": {"image": "debian"}}}, "memory": "1Gi"}

    def asking(overrides: Raw, pod: Raw) -> Raw:
        built = {"overrides": overrides} | ({} if has_guest else disk)
        return pending(workload({"isolationPolicy": "VirtualMachine", "virtualMachine": built}, pod=pod))

    *carried, vm = case(asking(OVERRIDES[what], {}), KUBEVIRT).desired.hull_objects
    vm["spec"]["template"]["spec"]["domain"]["devices"]["gpus"] = GPU
    for obj in (*carried, vm):
        obj["metadata"]["ownerReferences"] = [OURS]
    for match, concerned in ((MATCHES["service accounts"], True), ({"serviceAccounts": ["x"]}, False)):
        found = case(asking({}, CLAIM), namespace(), suspect(match), KUBEVIRT, *carried, vm)
        assert found.blueprint.resolution.policies == ()
        assert bool(found.compliance.shortfalls) == concerned


def test_a_disk_that_overrides_gave_a_machine_with_our_guest_counts() -> None:
    evil = [{"name": "data", "containerDisk": {"image": "quay.io/v/proxy:2.9"}}]
    raw = workload({"isolationPolicy": "VirtualMachine", "virtualMachine": {"overrides": {"volumes": evil}}})
    *carried, vm = case(raw, KUBEVIRT).desired.hull_objects
    vm["spec"]["template"]["spec"]["domain"]["devices"]["gpus"] = GPU
    for obj in (*carried, vm):
        obj["metadata"]["ownerReferences"] = [OURS]
    edited = pending(workload({"isolationPolicy": "VirtualMachine"}, pod=CLAIM))
    assert case(edited, namespace(), suspect(), KUBEVIRT, *carried, vm).compliance.shortfalls
    guests = suspect({"images": ["registry.example/guest*", "**/twinhull-guest*"]})
    assert case(edited, namespace(), guests, KUBEVIRT, *carried, vm).compliance.shortfalls == ()


def test_a_note_tells_which_images_run_on() -> None:
    applied = Applied.of(workload()["spec"]["template"], "x")
    assert applied.outgoing_images({"web": "1"}) == ()


@pytest.mark.parametrize(
    "spec",
    [
        [],
        {"containers": [5]},
        {"containers": {"name": "web"}},
        {"containers": [{"name": "web", "image": 5}]},
        {"volumes": [{"image": {"reference": []}}]},
        {"serviceAccountName": ["builder"]},
        "[" * 100_000,
    ],
    ids=["list", "container", "containers", "image", "volume", "account", "nested"],
)
def test_no_manifest_keeps_anything_from_being_evicted(spec: object) -> None:
    """Somebody who may write VirtualMachines may note the digest of any text."""
    raw = pending(workload({"isolationPolicy": "VirtualMachine"}, pod=CLAIM))
    carried, vm = machine(gpus=[])
    text = spec if isinstance(spec, str) else json.dumps({"pod": {"spec": spec}})
    carried["data"] = {next(iter(carried["data"])): text}
    noted_on = {manifest.DIGEST_ANNOTATION: manifest.digest(text)}
    vm["metadata"]["annotations"] |= noted_on
    vm["spec"]["template"]["metadata"]["annotations"] |= noted_on
    elsewhere = policy("elsewhere", match={"images": ["nothing/at-all"]}, **EVICTS)
    rules = (policy("all", **EVICTS), elsewhere)
    found = case(raw, namespace(), *rules, KUBEVIRT, pod(**EVIL), carried, vm)
    assert [action.key for action in written(found)] == ["Pod/web-1before"]


REWRITTEN: Raw = {
    "containers": [{"name": "web", "image": "mirror.example/nginx:1"}],
    "initContainers": [{"name": "i", "image": "mirror.example/busy:1"}],
    "volumes": [{"name": "v", "image": {"reference": "mirror.example/data:1"}}],
}
OWN: Raw = {
    "initContainers": [{"name": "i", "image": "busy:1"}],
    "volumes": [{"name": "v", "image": {"reference": "data:1"}}],
}


def test_the_templates_own_parts_that_webhooks_rewrite_do_not_count() -> None:
    """Otherwise the old Pod of a rollout would be evicted before the new one is Ready."""
    former = noted(workload(pod=OWN)["spec"]["template"], pod(**REWRITTEN))
    edited = pending(workload(pod={"containers": [{"name": "web", "image": "nginx:2"}], **CLAIM}))
    rule = suspect({"images": ["mirror.example/**"]})
    assert case(edited, namespace(), rule, former).compliance.shortfalls == ()


def test_what_webhooks_add_does_not_count_for_a_pod_of_an_earlier_operator() -> None:
    """An earlier operator noted no names of init containers and volumes."""
    former = noted(workload()["spec"]["template"], pod(**{**INJECTED, "containers": EVIL["containers"]}))
    note = json.loads(former["metadata"]["annotations"][APPLIED_ANNOTATION])
    note["images"] = {"web": "quay.io/v/proxy:2.9"}
    del note["init_containers"], note["volumes"]
    former["metadata"]["annotations"][APPLIED_ANNOTATION] = json.dumps(note)
    rule = suspect({"images": ["mesh.example/**"]})
    assert case(pending(workload(pod=CLAIM)), namespace(), rule, former).compliance.shortfalls == ()


def test_an_image_that_a_webhook_has_rewritten_in_place_does_not_count() -> None:
    """A webhook may rewrite two tags to the same digest: then the kubelet never restarts the container."""
    present = in_place("containerd://1")
    note = json.loads(present["metadata"]["annotations"][APPLIED_ANNOTATION])
    note["outgoing"] = {"web": {"containerd://1": "mirror.example/nginx@sha256:aa"}}
    present["metadata"]["annotations"][APPLIED_ANNOTATION] = json.dumps(note)
    present["spec"]["containers"][0]["image"] = "mirror.example/nginx@sha256:aa"
    found = case(pending(workload()), namespace(), suspect({"images": ["mirror.example/**"]}), present)
    assert found.current is not None
    assert found.compliance.shortfalls == ()


def test_the_kernel_that_a_machine_boots_is_an_image_that_it_runs() -> None:
    kernel = {"domain": {"firmware": {"kernelBoot": {"container": {"image": "quay.io/v/proxy:2.9"}}}}}
    assert kernel_image(kernel) == "quay.io/v/proxy:2.9"
    assert kernel_image({"domain": {"firmware": {"kernelBoot": "x"}}}) == ""
