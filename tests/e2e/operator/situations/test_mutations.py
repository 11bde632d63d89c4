"""What clusters change of what we make: nothing fights or is replaced for it, and the status is true."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import Api, Cluster
from tests.e2e.operator.situations.admission import Mutation, mutating, undeletable, until_limited
from tests.e2e.operator.situations.usual_mutations import (
    CONFINED,
    DIGEST,
    OF_OTHERS,
    OF_PODS,
    PINNED,
    TOGETHER,
    containers,
    pods,
)
from tests.e2e.operator.subject import Manifest, Subject, container, template

pytestmark = pytest.mark.simulated

RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}}
PORTS = [{"name": "http", "containerPort": 80}]
OPEN = {"allowPrivilegeEscalation": True, "capabilities": {"add": ["NET_BIND_SERVICE", "SYS_PTRACE"]}}


def of(note: str, image: str = "nginx:1.29", **fields: Any) -> Manifest:
    return template({"note": note}, containers=[container(image=image, ports=PORTS, **fields)])


def assert_well(web: Subject) -> None:
    """It is ready, nothing is under way, and nobody was warned of anything."""
    truth = {condition["type"]: condition["status"] for condition in web.get()["status"]["conditions"]}
    assert truth == {"Ready": "True", "Reconciling": "False", "Stalled": "False", "IsolationResolved": "True"}
    assert "unsupportedFields" not in web.get()["status"]
    assert [event for event in web.all_events() if event[0] != "Normal"] == []


def generations(web: Subject) -> dict[tuple[str, str], Any]:
    """What changes of an object when somebody changes what it asks for."""
    versions: dict[tuple[str, str], Any] = {}
    for kind, names in web.belongings().items():
        for name in names:
            one = web.one(kind, name)
            version = one["metadata"].get("generation") or one["metadata"]["resourceVersion"]
            versions[kind, name] = (one["metadata"]["uid"], version, one["metadata"].get("labels"))
    return versions


def passed(web: Subject) -> bool:
    """Whether nothing of it has changed from when the operator looks at it anew until it has had another one
    made meanwhile. KubeVirt goes on writing for a while after a machine is ready, and a fight never ends.
    """
    rested = generations(web)
    web.annotate("Workload", "web", look="again")
    other = web.named("other")
    other.apply("Container")
    other.becomes("Ready")
    other.delete()
    other.is_gone()
    return generations(web) == rested


def rests(web: Subject) -> None:
    """Wait until nothing of it changes any more."""
    web.eventually(lambda: passed(web), "nothing of it changes any more")


@pytest.mark.parametrize("what", TOGETHER, ids=", ".join)
def test_a_pod_that_others_change(web: Subject, cluster: Cluster, what: list[str]) -> None:
    with mutating(cluster, web.namespace, *(OF_PODS[each] for each in what)):
        web.apply("Container", of("a", resources=RESOURCES))
        web.becomes("Ready")
        hull = web.hull()
        assert_well(web)
        web.apply("Container", of("b", resources=RESOURCES))
        web.eventually(lambda: web.hull()["metadata"]["annotations"]["note"] == "b", "it is changed in place")
        web.becomes("Ready")
        rests(web)
        assert web.hull()["metadata"]["uid"] == hull["metadata"]["uid"]
        assert_well(web)


def test_a_limit_range_says_what_the_template_does_not(web: Subject, api: Api) -> None:
    amounts = {"default": {"memory": "256Mi"}, "defaultRequest": {"cpu": "50m", "memory": "64Mi"}}
    api.create(
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "metadata": {"name": "defaults", "namespace": web.namespace},
            "spec": {"limits": [{"type": "Container", **amounts}]},
        }
    )
    until_limited(web.cluster, web.namespace)
    web.apply("Container", of("a"))
    web.becomes("Ready")
    hull = web.hull()
    resources = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
    assert hull["spec"]["containers"][0]["resources"] == resources
    web.apply("Container", of("b"))
    web.eventually(lambda: web.hull()["metadata"]["annotations"]["note"] == "b", "it is changed in place")
    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] == hull["metadata"]["uid"]
    assert web.hull()["spec"]["containers"][0]["resources"] == resources
    assert_well(web)


def test_a_pod_that_an_autoscaler_resizes_stays_so(web: Subject, api: Api) -> None:
    web.apply("Container", of("a", resources=RESOURCES))
    name = web.becomes("Ready")["status"]["hull"]["name"]
    larger = {"requests": {"cpu": "20m", "memory": "128Mi"}}
    patch = [{"op": "replace", "path": "/spec/containers/0/resources", "value": larger}]
    api.patch("Pod", name, web.namespace, patch, subresource="resize")
    rests(web)
    assert web.hull()["spec"]["containers"][0]["resources"] == larger
    assert_well(web)


LAUNCHERS = [OF_PODS[each] for each in ("Istio's sidecar", "Kyverno's defaults", "labels and annotations")]


@pytest.mark.parametrize(
    "mutations", [[*OF_OTHERS.values()], LAUNCHERS], ids=["other objects", "its launcher"]
)
def test_a_machine_of_which_others_change(web: Subject, cluster: Cluster, mutations: list[Mutation]) -> None:
    with mutating(cluster, web.namespace, *mutations):
        web.apply("VirtualMachine", of("a"))
        web.becomes("Ready")
        rests(web)
        assert_well(web)


@pytest.mark.parametrize(
    ("image", "named"), [("nginx:1.29.0", DIGEST), ("nginx:1.30", "nginx:1.30")], ids=["the same", "another"]
)
def test_an_image_that_a_webhook_makes_a_digest_of(
    web: Subject, cluster: Cluster, image: str, named: str
) -> None:
    """A kubelet starts a container anew when its Pod names another image, and only then."""
    # What waits for nothing has long time enough.
    deadline = {"progressDeadlineSeconds": 2 if named == DIGEST else 600}
    with mutating(cluster, web.namespace, PINNED):
        web.apply("Container", of("a"), replacement=deadline)
        web.becomes("Ready")
        hull = web.hull()
        runs(web, "containerd://first", restarts=1)
        web.apply("Container", of("a", image), replacement=deadline)
        web.gets_event("ChangedInPlace")
        if named != DIGEST:
            web.becomes("Changing")
            runs(web, "containerd://second", restarts=2)
        web.becomes("Ready")
        assert web.hull()["metadata"]["uid"] == hull["metadata"]["uid"]
        assert web.hull()["spec"]["containers"][0]["image"] == named
        assert web.condition("Stalled")[0] == "False"


def runs(web: Subject, container_id: str, restarts: int) -> None:
    """What a kubelet says of the container that it has started; the simulated one says nothing of it. The
    operator has seen it once its status has these restarts.
    """
    pod = web.hull()
    [status] = pod["status"]["containerStatuses"]
    reported = {**status, "containerID": container_id, "restartCount": restarts}
    patch = {"status": {"containerStatuses": [reported]}}
    web.cluster.api.patch("Pod", pod["metadata"]["name"], web.namespace, patch, subresource="status")
    web.eventually(
        lambda: web.get()["status"]["containers"][0]["restarts"] == restarts, "the operator has seen it"
    )


def test_a_policy_that_takes_privileges_away_alarms_nobody(web: Subject, cluster: Cluster) -> None:
    stripped = Mutation("Pod", f"[{CONFINED}]")
    with mutating(cluster, web.namespace, stripped):
        web.apply("Container", of("a", securityContext=OPEN))
        web.becomes("Ready")
        context = web.hull()["spec"]["containers"][0]["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert_well(web)


def test_a_policy_that_gives_privileges_is_told(web: Subject, cluster: Cluster) -> None:
    given = pods(containers("securityContext: Object.spec.containers.securityContext{privileged: true}"))
    with mutating(cluster, web.namespace, given):
        web.apply("Container", of("a", securityContext={"privileged": False}))
        stalled = web.becomes("IsolationDropped")["status"]
        path = "spec.containers[web].securityContext.privileged"
        assert [field["path"] for field in stalled["unsupportedFields"]] == [path]


def test_ready_says_what_serves_though_the_former_hull_is_kept(web: Subject, cluster: Cluster) -> None:
    first_first = {"strategy": "StartFirst", "drainSeconds": 0}
    web.apply("Container", of("a", command=["a"]), replacement=first_first)
    former = web.becomes("Ready")["status"]["hull"]["name"]
    with undeletable(cluster, web.namespace, former, "it is kept for the audit"):
        web.apply("Container", of("a", command=["b"]), replacement=first_first)
        web.eventually(
            lambda: web.condition("Stalled")[:2] == ("True", "PodRefused"), "the deletion is refused"
        )
        serves = web.get()["status"]["hull"]["name"]
        assert serves != former
        assert web.condition("Ready") == ("True", "Ready", f"Pod {serves} is ready")
        status, reason, message = web.condition("Stalled")
        assert (status, reason) == ("True", "PodRefused")
        assert "it is kept for the audit" in message
        assert sorted(web.belongings()["Pod"]) == sorted([serves, former])
