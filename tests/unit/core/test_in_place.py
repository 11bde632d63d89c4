"""Changes that a running Pod takes, and changes that need another Pod."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.core.actions import Action, Change
from twinhull.core.observed import Refusal
from twinhull.core.plan import plan
from twinhull.hulls.applied import APPLIED_ANNOTATION
from twinhull.hulls.hull import REVISION_LABEL

from .objects import NOW, case, hull, running, workload

BASE = {"name": "web", "image": "web:1", "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}
FIRST: Raw = {
    "metadata": {"labels": {"app": "web", "tier": "front"}, "annotations": {"note": "a"}},
    "spec": {"containers": [BASE, {"name": "log", "image": "log:1"}]},
}


def wl(template: Raw, *, pod: Raw | None = None, metadata: Raw | None = None, **spec: Any) -> Raw:
    """A Workload with this template."""
    made = template | {"spec": template["spec"] | (pod or {})}
    return workload({"isolationPolicy": "Container", "template": made, **spec}, metadata=metadata or {})


def running_pod(raw: Raw) -> Raw:
    """The ready Pod of a Workload."""
    made = case(raw).desired.hull_objects[0]
    found = hull("Pod", made["metadata"]["name"], spec=made["spec"], status=running())
    found["metadata"] |= {
        "labels": made["metadata"]["labels"],
        "annotations": made["metadata"]["annotations"],
    }
    return found


def with_container(**changes: Any) -> Raw:
    return FIRST | {"spec": {"containers": [BASE | changes, FIRST["spec"]["containers"][1]]}}


def give(pod: Raw, change: Change, images: dict[str, str] | None = None) -> None:
    """Change a Pod as the API server does. `images` are those that a webhook writes instead."""
    pod["metadata"] |= {key: change.patch["metadata"][key] for key in ("labels", "annotations")}
    pod["spec"] = copy.deepcopy(pod["spec"])
    named = {c["name"]: c["image"] for c in change.patch.get("spec", {}).get("containers", ())}
    for container in pod["spec"]["containers"]:
        if image := named.get(container["name"]):
            container["image"] = (images or {}).get(image, image)


def done(actions: tuple[Action, ...]) -> list[str]:
    return [type(action).__name__.lower() for action in actions]


BEFORE = wl(FIRST)
ALIKE: dict[str, Raw] = {
    "a label": FIRST | {"metadata": {"labels": {"app": "web", "tier": "back"}}},
    "an image": with_container(image="web:2"),
    "more CPU": with_container(resources={"requests": {"cpu": "2"}, "limits": {"memory": "1Gi"}}),
    "no limit": with_container(resources={"requests": {"cpu": "1"}}),
}
OTHER: dict[str, Raw] = {
    "its command": with_container(command=["serve"]),
    "another resource": with_container(resources={"limits": {"example.com/gpu": 1}}),
    "a container more": FIRST | {"spec": {"containers": [*FIRST["spec"]["containers"], {"name": "new"}]}},
    "kubectl rollout restart": FIRST
    | {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}},
    "an annotation to restart it": FIRST | {"metadata": {"annotations": {"twinhull.dev/restart": "now"}}},
}


@pytest.mark.parametrize("what", ALIKE)
def test_a_running_pod_is_changed(what: str) -> None:
    actions = plan(case(wl(ALIKE[what]), running_pod(BEFORE))).actions
    assert set(done(actions)) == {"change"}
    last = actions[-1]
    assert isinstance(last, Change)
    assert last.patch["metadata"]["labels"][REVISION_LABEL] == case(wl(ALIKE[what])).revision


@pytest.mark.parametrize("what", OTHER)
def test_a_pod_is_replaced(what: str) -> None:
    assert done(plan(case(wl(OTHER[what]), running_pod(BEFORE))).actions) == ["delete"]


@pytest.mark.parametrize("value", ["evil", None])
def test_a_pod_does_not_lose_in_place_what_a_webhook_added_to_it(value: str | None) -> None:
    """An earlier operator changed such an annotation in place."""
    key = "sidecar.istio.io/userVolume"
    former = wl(FIRST | {"metadata": {"annotations": {key: '{"h": {"hostPath": {"path": "/"}}}'}}})
    pod = running_pod(former)
    metadata = {"annotations": {key: value} if value else {}}
    assert done(plan(case(wl(FIRST | {"metadata": metadata}), pod)).actions) == ["delete"]
    spec = FIRST["spec"] | {"containers": [BASE | {"image": "web:2"}, FIRST["spec"]["containers"][1]]}
    kept = wl({"metadata": former["spec"]["template"]["metadata"], "spec": spec})
    assert done(plan(case(kept, pod)).actions) == ["change"], "whatever else changes"


def test_the_annotation_on_the_workload_restarts_it() -> None:
    again = wl(FIRST, metadata={"annotations": {"twinhull.dev/restart": "1", "argocd/tracking": "x"}})
    assert done(plan(case(again, running_pod(BEFORE))).actions) == ["delete"]
    assert case(again).revision != case(BEFORE).revision


def test_what_is_changed() -> None:
    template: Raw = {
        "metadata": {"labels": {"app": "shop"}, "annotations": {"other": "b"}},
        "spec": {
            "containers": [
                {"name": "web", "image": "web:2", "resources": {"requests": {"cpu": "2"}}},
                {"name": "log", "image": "log:1"},
            ]
        },
    }
    noted, resize, rest = plan(case(wl(template), running_pod(BEFORE))).actions
    assert isinstance(noted, Change)
    assert list(noted.patch) == ["metadata"]
    assert list(noted.patch["metadata"]) == ["annotations"]
    assert isinstance(resize, Change)
    assert isinstance(rest, Change)
    assert resize.subresource == "resize"
    resources = {"requests": {"cpu": "2", "memory": None}, "limits": None}
    assert resize.patch == {"spec": {"containers": [{"name": "web", "resources": resources}]}}
    labels, annotations = rest.patch["metadata"]["labels"], rest.patch["metadata"]["annotations"]
    assert labels["app"] == "shop"
    assert labels["tier"] is None
    assert annotations["note"] is None
    assert annotations["other"] == "b"
    assert rest.patch["spec"] == {"containers": [{"name": "web", "image": "web:2"}]}
    assert rest.event is not None
    assert "CPU or memory and images" in rest.event.message


def test_what_is_only_limited_is_requested_as_in_a_new_pod() -> None:
    def limited(memory: str) -> Raw:
        return with_container(resources={"limits": {"cpu": "1", "memory": memory}})

    _, resize, _ = plan(case(wl(limited("2Gi")), running_pod(wl(limited("1Gi"))))).actions
    assert isinstance(resize, Change)
    resources = {"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}
    assert resize.patch == {"spec": {"containers": [{"name": "web", "resources": resources}]}}


def test_a_pod_is_ready_once_its_containers_have_their_new_images() -> None:
    pod = running_pod(BEFORE)
    started: Raw = {"name": "web", "state": {"running": {}}, "ready": True, "restartCount": 0}
    pod["status"]["containerStatuses"] = [{**started, "containerID": "containerd://old"}]
    wanted = wl(ALIKE["an image"])
    [change] = plan(case(wanted, pod)).actions
    assert isinstance(change, Change)
    give(pod, change)
    early = case(wanted, pod)
    assert early.current is not None
    assert (early.current.ready, early.current.reason) == (False, "Changing")
    pod["status"]["containerStatuses"] = [{**started, "containerID": "containerd://new"}]
    late = case(wanted, pod)
    assert late.current is not None
    assert late.current.ready


DIGESTS = {"web:1": "web@sha256:11", "web:1.0": "web@sha256:11", "web:2": "mirror.example/web@sha256:22"}


@pytest.mark.parametrize(
    ("image", "starts_anew"),
    [("web:1.0", False), ("web:2", True), ("web:3", True)],
    ids=["the same digest", "another digest", "an image that the webhook leaves alone"],
)
def test_a_webhook_makes_digests_of_images(image: str, starts_anew: bool) -> None:  # noqa: FBT001
    """The kubelet starts a container anew when its Pod names another image, and only then."""
    pod, wanted = running_pod(BEFORE), wl(with_container(image=image))
    pod["spec"]["containers"][0]["image"] = DIGESTS["web:1"]
    started: Raw = {"name": "web", "state": {"running": {}}, "ready": True, "restartCount": 0}
    pod["status"]["containerStatuses"] = [{**started, "containerID": "containerd://old"}]
    [change] = plan(case(wanted, pod)).actions
    assert isinstance(change, Change)
    give(pod, change, DIGESTS)
    current = case(wanted, pod).current
    assert current is not None
    assert current.ready is not starts_anew
    pod["status"]["containerStatuses"] = [{**started, "containerID": "containerd://new"}]
    current = case(wanted, pod).current
    assert current is not None
    assert current.ready


def test_the_note_of_an_earlier_operator_names_the_templates_image() -> None:
    pod, wanted = running_pod(BEFORE), wl(ALIKE["an image"])
    started: Raw = {"name": "web", "state": {"running": {}}, "ready": True, "restartCount": 0}
    pod["status"]["containerStatuses"] = [{**started, "containerID": "containerd://old"}]
    [change] = plan(case(wanted, pod)).actions
    assert isinstance(change, Change)
    give(pod, change, DIGESTS)
    assert '"containerd://old":"web:1"' in pod["metadata"]["annotations"]["twinhull.dev/applied"]
    current = case(wanted, pod).current
    assert current is not None
    assert not current.ready


def test_a_pod_that_has_run_for_long_gets_its_time_for_a_new_image() -> None:
    pod, wanted = running_pod(BEFORE), wl(ALIKE["an image"])
    pod["status"]["containerStatuses"] = [{"name": "web", "state": {"running": {}}, "containerID": "c://old"}]
    status = plan(case(BEFORE, pod, now=NOW)).status
    assert status is not None
    [change] = plan(case(wanted, pod)).actions
    assert isinstance(change, Change)
    give(pod, change)
    planned = plan(case(wanted | {"status": status.raw()}, pod))
    assert planned.status is not None
    assert planned.status.conditions is not None
    assert (planned.status.conditions[0].reason, planned.status.conditions[2].status) == ("Changing", "False")


def test_a_pod_is_ready_with_the_container_that_has_the_image_already() -> None:
    """The image was changed back before the kubelet restarted the container: the container runs on."""
    pod = running_pod(BEFORE)
    started: Raw = {"name": "web", "state": {"running": {}}, "ready": True, "restartCount": 0}
    pod["status"]["containerStatuses"] = [{**started, "containerID": "containerd://old"}]
    for wanted in (wl(ALIKE["an image"]), BEFORE):
        [change] = plan(case(wanted, pod)).actions
        assert isinstance(change, Change)
        give(pod, change)
    current = case(BEFORE, pod).current
    assert current is not None
    assert current.ready


def test_the_pod_in_a_machine_has_the_same_note() -> None:
    assert (
        case(wl(FIRST, isolationPolicy="VirtualMachine")).blueprint.applied_to_pod
        == case(BEFORE).blueprint.applied_to_pod
    )


def test_a_template_can_not_take_our_labels() -> None:
    template = FIRST | {"metadata": {"labels": {"twinhull.dev/workload": "other", "app": "web"}}}
    [change] = plan(case(wl(template), running_pod(BEFORE))).actions
    assert isinstance(change, Change)
    assert change.patch["metadata"]["labels"]["twinhull.dev/workload"] == "web"


def test_a_template_gives_no_annotation_of_ours_in_place() -> None:
    annotations = {APPLIED_ANNOTATION: "{}", "twinhull.dev/x": "y", "a": "b"}
    first = wl(FIRST | {"metadata": {"annotations": {"twinhull.dev/x": "a"}}})
    template = FIRST | {"metadata": {"annotations": annotations}}
    pod = running_pod(first)
    assert pod["metadata"]["annotations"].keys() == {APPLIED_ANNOTATION}
    [change] = plan(case(wl(template), pod)).actions
    assert isinstance(change, Change)
    given = {key: value for key, value in change.patch["metadata"]["annotations"].items() if value}
    assert given.keys() == {APPLIED_ANNOTATION, "a"}
    assert given[APPLIED_ANNOTATION] != "{}"


def test_a_new_image_under_start_first_is_a_new_pod() -> None:
    """A change in place would restart the container, which would be a gap."""
    strategy: Raw = {"replacement": {"strategy": "StartFirst"}}
    pod = running_pod(wl(FIRST, **strategy))
    assert done(plan(case(wl(ALIKE["an image"], **strategy), pod)).actions) == ["create"]
    assert done(plan(case(wl(ALIKE["a label"], **strategy), pod)).actions) == ["change"]


def test_more_memory_that_a_container_is_restarted_for_is_a_new_pod_under_start_first() -> None:
    restarted = {"resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]}
    more: Raw = {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}}
    for strategy, alike, other in (("StartFirst", "create", "change"), ("Recreate", "change", "change")):
        how: Raw = {"replacement": {"strategy": strategy}}
        pod = running_pod(wl(with_container(**restarted), **how))
        wanted = wl(with_container(**restarted, resources=more), **how)
        assert done(plan(case(wanted, pod)).actions)[0] == alike
        pod = running_pod(wl(FIRST, **how))
        assert done(plan(case(wl(with_container(resources=more), **how), pod)).actions)[0] == other


def test_what_runs_to_its_end_is_not_run_twice_for_a_new_image() -> None:
    once = {"restartPolicy": "OnFailure"}
    pod = running_pod(wl(FIRST, pod=once))
    assert done(plan(case(wl(ALIKE["an image"], pod=once), pod)).actions) == ["delete"]
    assert done(plan(case(wl(ALIKE["a label"], pod=once), pod)).actions) == ["change"]


def test_a_sandbox_is_not_resized() -> None:
    boxed: Raw = {"isolationPolicy": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}}
    gvisor: Raw = {"kind": "RuntimeClass", "metadata": {"name": "gvisor"}}
    pod = running_pod(wl(FIRST, **boxed))
    assert done(plan(case(wl(ALIKE["more CPU"], **boxed), pod, gvisor)).actions) == ["delete"]
    assert done(plan(case(wl(ALIKE["a label"], **boxed), pod, gvisor)).actions) == ["change"]


def test_a_sandbox_that_annotations_have_made_is_not_kept_without_them() -> None:
    """The runtime reads the annotations at the start: the Pod would keep its access to the node."""
    boxed: Raw = {"isolationPolicy": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}}
    gvisor: Raw = {"kind": "RuntimeClass", "metadata": {"name": "gvisor"}}
    opened = FIRST | {"metadata": {"annotations": {"dev.gvisor.flag.network": "host"}}}
    pod = running_pod(wl(opened, **boxed))
    assert done(plan(case(wl(FIRST, **boxed), pod, gvisor)).actions) == ["delete"]


def test_a_pod_that_was_refused_the_change_is_replaced() -> None:
    pod = running_pod(BEFORE)
    refusal = Refusal(
        Reason.POD_REFUSED, "not so", final=True, retry_at=NOW + timedelta(minutes=1), since=NOW
    )
    refusals = {f"Pod/{pod['metadata']['name']}/change": refusal}
    assert done(plan(case(wl(ALIKE["more CPU"]), pod, refusals=refusals)).actions) == ["delete"]


@pytest.mark.parametrize(
    ("condition", "reason", "stalled"),
    [
        ({"type": "PodResizePending", "reason": "Deferred"}, "ResizeDeferred", "False"),
        ({"type": "PodResizePending", "reason": "Infeasible"}, "ResizeInfeasible", "True"),
        ({"type": "PodResizeInProgress", "reason": "Error"}, "ResizeError", "True"),
        ({"type": "PodResizeInProgress"}, "Ready", "False"),
    ],
)
def test_a_resize_is_over_once_the_node_has_done_it(condition: Raw, reason: str, stalled: str) -> None:
    pod = running_pod(BEFORE)
    pod["status"]["conditions"].append({"status": "True", "message": "too much", **condition})
    status = plan(case(BEFORE, pod)).status
    assert status is not None
    conditions = {c.type: c for c in status.conditions or ()}
    assert (conditions["Ready"].reason, conditions["Stalled"].status) == (reason, stalled)


@pytest.mark.parametrize(
    ("memory", "reason"), [("1Gi", "ResizeInfeasible"), ("1024Mi", "ResizeInfeasible"), ("9Gi", "Ready")]
)
def test_a_resize_of_somebody_elses_is_not_told(memory: str, reason: str) -> None:
    """A VerticalPodAutoscaler gives the Pod other amounts than the template."""
    pod = running_pod(BEFORE)
    pod["spec"] = copy.deepcopy(pod["spec"])
    pod["spec"]["containers"][0]["resources"]["limits"]["memory"] = memory
    infeasible = {"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": "too much"}
    pod["status"]["conditions"].append(infeasible)
    status = plan(case(BEFORE, pod)).status
    assert status is not None
    assert {c.type: c.reason for c in status.conditions or ()}["Ready"] == reason


def test_a_pod_without_a_note_is_replaced() -> None:
    pod = running_pod(BEFORE)
    pod["metadata"]["annotations"] = {"twinhull.dev/applied": "[1"}
    assert done(plan(case(wl(ALIKE["a label"]), pod)).actions) == ["delete"]


def test_a_revision_whose_name_is_taken_gets_another() -> None:
    """A Pod that was changed in place keeps the name of the revision that it was made from."""
    strategy: Raw = {"replacement": {"strategy": "StartFirst"}}
    first = wl(FIRST, **strategy)
    pod = running_pod(first)
    pod["metadata"]["labels"] = pod["metadata"]["labels"] | {REVISION_LABEL: "1another00"}
    pod["metadata"]["annotations"] = {}
    wanted = case(first, pod)
    assert wanted.current is None
    assert wanted.hull_name != pod["metadata"]["name"]
    [create] = plan(wanted).actions
    assert create.key == f"Pod/{wanted.hull_name}"


def test_the_status_says_how_a_change_was_carried_out() -> None:
    first = plan(case(BEFORE, running_pod(BEFORE))).status
    assert first is not None
    assert first.last_change is not None
    assert first.last_change.how == "Created"
    for template, how in ((ALIKE["an image"], "InPlace"), (OTHER["its command"], "Replaced")):
        after = wl(template) | {"status": first.raw()}
        pod = running_pod(after)
        if how == "InPlace":
            pod["metadata"]["name"] = first.last_change.hull
        status = plan(case(after, pod)).status
        assert status is not None
        assert status.last_change is not None
        assert (status.last_change.how, status.last_change.revision) == (how, case(after).revision)
