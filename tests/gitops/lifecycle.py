"""Every state of a Workload's and an IsolationPolicy's life, brought about on a real control plane.

Each is a generator: what it yields is an object as the API server gives it in that state; after that it
clears up what a namespace's deletion wouldn't.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import EXIT, NEVER_READY, Manifest, Subject, condition, container, template

#: A finalizer of nobody's, which keeps what is being deleted.
KEPT = "twinhull.dev/kept-by-a-test"
NEW = template(containers=[container(args=["--new"])])
UNREADY = template({NEVER_READY: "true"})
START_FIRST: Manifest = {"strategy": "StartFirst", "drainSeconds": 0}

Scene = Callable[[Subject, Policies], Iterator[Manifest]]


@dataclass(frozen=True)
class State:
    """A state: its row in docs/gitops.md, its conditions' reason, and what each tool is to make of it."""

    row: str
    reason: str
    kstatus: str
    health: str
    scene: Scene


def just_created(web: Subject, _: Policies) -> Iterator[Manifest]:
    yield web.apply()  # the API server's answer: nobody else has seen it yet


def starting(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply(pod_template=UNREADY)
    yield _settled(web, "ContainersNotReady")


def ready(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("Container")
    yield _settled(web, "Ready")


def ready_in_a_machine(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("VirtualMachine")
    yield _settled(web, "Ready")


def ready_with_a_disk(web: Subject, _: Policies) -> Iterator[Manifest]:
    """A machine that boots a disk of its own, and has no template."""
    disk = {"source": {"containerDisk": {"image": "registry.example/disks/web:1"}}}
    machine = {"memory": "512Mi", "firmware": {"bootloader": "BIOS"}, "bootDisk": disk}
    web.cluster.api.apply(
        {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": web.name, "namespace": web.namespace},
            "spec": {"isolationPolicy": "VirtualMachine", "virtualMachine": machine},
        }
    )
    yield _settled(web, "Ready")


def just_changed(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply()
    _settled(web, "Ready")
    yield web.change(template=NEW)


def replacing(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("Container")
    web.becomes("Ready")
    with _held(web):
        web.change(template=NEW)
        yield _settled(web, "Replacing")


def starting_first(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("Container", replacement=START_FIRST)
    web.becomes("Ready")
    web.apply("Container", UNREADY, replacement=START_FIRST)
    yield _settled(web, "ContainersNotReady")


def draining(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("Container", replacement=START_FIRST)
    web.becomes("Ready")
    with _held(web):
        web.change(template=NEW)
        web.eventually(lambda: web.condition("Ready")[:2] == ("True", "Replacing"), "the new hull is ready")
        yield _settled(web, "Replacing")


def stopping(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("Container")
    web.becomes("Ready")
    with _held(web):
        web.change(state="Stopped")
        yield _settled(web, "Stopping")


def stopped(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply(state="Stopped")
    yield _settled(web, "Stopped")


def running_to_completion(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply(pod_template=template(restartPolicy="OnFailure"))
    yield _settled(web, "Ready")


def completed(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply(pod_template=template({EXIT: "0"}, restartPolicy="Never"))
    yield _settled(web, "Completed")


def failed(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply(pod_template=template({EXIT: "1"}, restartPolicy="Never"))
    yield _settled(web, "Failed")


def unsupported(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("VirtualMachine", template(hostNetwork=True))
    yield _settled(web, "UnsupportedFields")


def claim_missing(web: Subject, _: Policies) -> Iterator[Manifest]:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "nowhere"}}
    web.apply(pod_template=template(volumes=[volume]))
    yield _settled(web, "ClaimMissing")


def runtime_class_missing(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("Sandbox", sandbox={"runtimeClassName": "nowhere"})
    yield _settled(web, "RuntimeClassMissing")


def refused(web: Subject, _: Policies) -> Iterator[Manifest]:
    wrong = {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}
    web.apply("Container", template(containers=[container(resources=wrong)]))
    yield _settled(web, "PodRefused")


def conflict(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.cluster.api.create(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": web.namespace},
            "spec": {"ports": [{"port": 1}]},
        }
    )
    web.apply(pod_template=template(containers=[container(ports=[{"containerPort": 80}])]))
    yield _settled(web, "NameConflict")


def rejected(web: Subject, policies: Policies) -> Iterator[Manifest]:
    policies.enforce("strict", minimum="VirtualMachine", onViolation="Reject")
    web.apply("Container")
    yield _settled(web, "RejectedByPolicy")


def overdue(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply(pod_template=UNREADY, replacement={"progressDeadlineSeconds": 1})
    yield _settled(web, "ProgressDeadlineExceeded")


def taken_back(web: Subject, _: Policies) -> Iterator[Manifest]:
    hasty = {**START_FIRST, "progressDeadlineSeconds": 2}
    web.apply("Container", replacement=hasty)
    web.becomes("Ready")
    web.apply("Container", UNREADY, replacement=hasty)
    web.becomes("ProgressDeadlineExceeded")
    web.eventually(lambda: len(web.belongings()["Pod"]) == 1, "the new hull is gone")
    yield _settled(web, "ProgressDeadlineExceeded")


def being_deleted(web: Subject, _: Policies) -> Iterator[Manifest]:
    web.apply("Container")
    web.becomes("Ready")
    with _held(web):
        web.delete(propagationPolicy="Foreground")
        web.eventually(lambda: "deletionTimestamp" in web.get()["metadata"], "it is being deleted")
        yield web.get()


def policy_just_created(_: Subject, policies: Policies) -> Iterator[Manifest]:
    yield policies.apply("floor", minimum="Container")


def policy_in_force(web: Subject, policies: Policies) -> Iterator[Manifest]:
    yield _accounted(web, policies, policies.make("floor", minimum="Container"))


def policy_unreadable(web: Subject, policies: Policies) -> Iterator[Manifest]:
    """One of a kind that has been upgraded before the operator."""
    path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/minimum/enum/-"
    patch = [{"op": "add", "path": path, "value": "Enclave"}]
    kind, name = "CustomResourceDefinition", "isolationpolicies.twinhull.dev"
    upgraded = web.cluster.api.patch(kind, name, None, patch)["spec"]["versions"][0]["schema"]
    last = len(_minimum(upgraded)["enum"]) - 1
    try:
        made = web.eventually(lambda: policies.make("later", minimum="Enclave"), "it is taken")
        yield _accounted(web, policies, made)
    finally:
        policies.end()
        back = [{"op": "remove", "path": path.removesuffix("-") + str(last)}]
        web.cluster.api.patch(kind, name, None, back)


STATES: dict[str, State] = {
    "just-created": State("just created", "", "InProgress", "Progressing", just_created),
    "starting": State("starting", "ContainersNotReady", "InProgress", "Progressing", starting),
    "ready": State("ready", "Ready", "Current", "Healthy", ready),
    "ready-in-a-machine": State("ready", "Ready", "Current", "Healthy", ready_in_a_machine),
    "ready-with-a-disk": State("ready", "Ready", "Current", "Healthy", ready_with_a_disk),
    "just-changed": State("just changed", "Ready", "InProgress", "Progressing", just_changed),
    "replacing": State("replacing", "Replacing", "InProgress", "Progressing", replacing),
    "starting-first": State("replacing", "ContainersNotReady", "InProgress", "Progressing", starting_first),
    "draining": State("replacing", "Replacing", "InProgress", "Progressing", draining),
    "stopping": State("stopping", "Stopping", "InProgress", "Progressing", stopping),
    "stopped": State("stopped as asked", "Stopped", "Current", "Healthy", stopped),
    "running-to-completion": State(
        "running to completion", "Ready", "Current", "Progressing", running_to_completion
    ),
    "completed": State("completed", "Completed", "Current", "Healthy", completed),
    "failed": State("failed", "Failed", "Failed", "Degraded", failed),
    "unsupported": State("stalled", "UnsupportedFields", "Failed", "Degraded", unsupported),
    "claim-missing": State("stalled", "ClaimMissing", "Failed", "Degraded", claim_missing),
    "runtimeclass-missing": State(
        "stalled", "RuntimeClassMissing", "Failed", "Degraded", runtime_class_missing
    ),
    "refused": State("stalled", "PodRefused", "Failed", "Degraded", refused),
    "conflict": State("stalled", "NameConflict", "Failed", "Degraded", conflict),
    "rejected": State("stalled", "RejectedByPolicy", "Failed", "Degraded", rejected),
    "overdue": State("past its deadline", "ProgressDeadlineExceeded", "Failed", "Degraded", overdue),
    "taken-back": State("past its deadline", "ProgressDeadlineExceeded", "Failed", "Degraded", taken_back),
    "being-deleted": State("being deleted", "Ready", "Terminating", "Progressing", being_deleted),
}

POLICY_STATES: dict[str, State] = {
    "just-created": State("just created", "", "InProgress", "Progressing", policy_just_created),
    "in-force": State("in force", "InForce", "Current", "Healthy", policy_in_force),
    "unreadable": State("unreadable", "Unreadable", "Failed", "Degraded", policy_unreadable),
}


def reason(obj: Manifest) -> str:
    """The reason of its Ready condition, empty if it has none."""
    try:
        return condition(obj, "Ready")[1]
    except LookupError:
        return ""


def _settled(web: Subject, reason: str) -> Manifest:
    """The Workload once it has this reason, and is the same after the operator has told all of it."""

    def rests() -> Manifest:
        seen = web.becomes(reason)
        web.all_events()
        assert web.get() == seen
        return seen

    return web.eventually(rests, "its status rests")


def _accounted(web: Subject, policies: Policies, name: str) -> Manifest:
    """A policy once it has its status."""
    web.eventually(lambda: policies.get(name)["status"].get("conditions"), "the policy has its status")
    return policies.get(name)


def _minimum(schema: Manifest) -> Manifest:
    found: Manifest = schema["openAPIV3Schema"]["properties"]["spec"]["properties"]["minimum"]
    return found


class _held:  # noqa: N801  read as a word of the scenes
    """While inside, the present hull isn't gone when it is deleted."""

    def __init__(self, web: Subject) -> None:
        self._web, self._name = web, web.hull()["metadata"]["name"]

    def __enter__(self) -> None:
        self._finalizers([KEPT])

    def __exit__(self, *_: object) -> None:
        self._finalizers(None)

    def _finalizers(self, finalizers: list[str] | None) -> None:
        patch = {"metadata": {"finalizers": finalizers}}
        self._web.cluster.api.patch("Pod", self._name, self._web.namespace, patch)
