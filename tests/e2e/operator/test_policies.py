"""IsolationPolicies on a real control plane: raised, rejected, let go again, and not to be evaded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane import Api, Cluster
from tests.e2e.operator.policies import Policies, boxes
from tests.e2e.operator.subject import Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated

BOXED: Manifest = {"minimum": "Sandbox", "sandbox": {"runtimeClassName": "strong"}}
STRICT: Manifest = {"minimum": "Sandbox", "onViolation": "Reject"}
UNTRUSTED: Manifest = {"images": ["ghcr.io/community/**"]}
COMMUNITY = "ghcr.io/community/app:1"


@pytest.fixture(scope="module", autouse=True)
def runtime_classes(cluster: Cluster) -> Iterator[None]:
    remove = boxes(cluster.api, "strong", "weak")
    yield
    remove()


def runs(web: Subject) -> str | None:
    """The RuntimeClass of its Pod, None for a plain one."""
    found: str | None = web.hull()["spec"].get("runtimeClassName")
    return found


def is_sandboxed(web: Subject, runtime_class: str = "strong") -> Manifest:
    web.eventually(lambda: runs(web) == runtime_class, "it runs in the sandbox")
    return web.becomes("Ready")


def is_plain(web: Subject) -> None:
    web.eventually(lambda: web.hull()["kind"] == "Pod" and runs(web) is None, "it runs in a plain Pod")
    web.becomes("Ready")


def is_rejected(web: Subject, policy: str) -> Manifest:
    workload = web.becomes("RejectedByPolicy")
    assert condition(workload, "Stalled")[:2] == ("True", "RejectedByPolicy")
    assert condition(workload, "IsolationResolved")[0] == "False"
    assert f"IsolationPolicy {policy} requires Sandbox or stronger" in condition(workload, "Stalled")[2]
    assert workload["status"]["isolation"]["policy"] == policy
    return workload


def stays(web: Subject) -> None:
    """Make sure that its hulls are the same once the operator has looked at it again."""
    belongings = web.belongings()
    web.is_looked_at("RejectedByPolicy")
    assert web.belongings() == belongings


def test_policy_raises_what_runs_and_lets_it_go(web: Subject, policies: Policies) -> None:
    web.apply("Container")
    web.becomes("Ready")

    policy = policies.make("boxed", **BOXED)

    workload = is_sandboxed(web)
    assert workload["status"]["isolation"] == {
        "requested": "Container",
        "resolved": "Sandbox",
        "running": "Sandbox",
        "policy": policy,
        "reason": "RaisedByPolicy",
        "message": f"IsolationPolicy {policy} requires Sandbox or stronger, "
        "and spec.isolationPolicy asks for Container",
    }
    policies.end(policy)
    is_plain(web)


def test_policy_raises_into_a_machine(web: Subject, policies: Policies) -> None:
    web.apply("Container")
    web.becomes("Ready")
    policies.make("machines", minimum="VirtualMachine", virtualMachine={"guestImage": "guest:policy"})
    web.eventually(lambda: web.hull()["kind"] == "VirtualMachine", "it runs in a machine")
    web.becomes("Ready")
    volumes = web.hull()["spec"]["template"]["spec"]["volumes"]
    assert "guest:policy" in [volume.get("containerDisk", {}).get("image") for volume in volumes]


def test_policy_that_rejects_leaves_what_runs_and_makes_nothing_anew(
    web: Subject, policies: Policies, api: Api
) -> None:
    web.apply("Container")
    web.becomes("Ready")

    policy = policies.make("strict", **STRICT)

    is_rejected(web, policy)
    stays(web)
    web.change(template=template(annotations={"a": "b"}))
    is_rejected(web, policy)
    stays(web)
    api.delete("Pod", web.get()["status"]["hull"]["name"], web.namespace)
    web.eventually(lambda: "hull" not in web.get()["status"], "the operator knows that its Pod is gone")
    is_rejected(web, policy)
    assert web.belongings() == {}
    stays(web)
    other = web.named("other")
    other.apply("Container")
    is_rejected(other, policy)
    assert other.belongings() == {}

    web.change(state="Stopped")
    web.becomes("Stopped")
    web.change(state="Running")
    policies.end(policy)
    is_plain(web)
    is_plain(other)


def test_what_a_policy_rejects_is_healed_by_asking_for_enough(web: Subject, policies: Policies) -> None:
    policy = policies.make("strict", **STRICT, sandbox={"runtimeClassName": "strong"})
    web.apply("Container")
    is_rejected(web, policy)
    web.change(isolationPolicy="Sandbox")
    is_sandboxed(web)


def test_default_of_a_policy_is_what_auto_means(web: Subject, policies: Policies) -> None:
    policies.make("boxed", default="Sandbox", sandbox={"runtimeClassName": "strong"})
    web.apply("Auto")
    assert is_sandboxed(web)["status"]["isolation"]["reason"] == "PolicyDefault"
    web.change(sandbox={"runtimeClassName": "weak"})
    is_sandboxed(web, "weak")


def test_label_of_the_namespace_brings_a_policy_and_takes_it_away(web: Subject, policies: Policies) -> None:
    place = {"kubernetes.io/metadata.name": web.namespace, "trust": "none"}
    policies.make("boxed", **BOXED, match={"namespaceSelector": {"matchLabels": place}})
    web.apply("Container")
    web.becomes("Ready")
    assert runs(web) is None
    policies.label(trust="none")
    is_sandboxed(web)
    policies.label(trust=None)
    is_plain(web)


def test_floor_is_not_evaded_by_the_workloads_own_label(web: Subject, policies: Policies, api: Api) -> None:
    tiers = {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["trusted"]}]}
    policies.make("boxed", **BOXED, match={"workloadSelector": tiers})
    web.apply("Container")
    is_sandboxed(web)
    api.patch("Workload", "web", web.namespace, {"metadata": {"labels": {"tier": "trusted"}}})
    is_plain(web)
    api.patch("Workload", "web", web.namespace, {"metadata": {"labels": {"tier": "gold"}}})
    is_sandboxed(web)


@pytest.mark.parametrize("kind", ["container", "init", "sidecar"])
def test_floor_is_not_evaded_by_another_image(web: Subject, policies: Policies, kind: str) -> None:
    policies.make("boxed", **BOXED, match=UNTRUSTED)
    web.apply("Container")
    web.becomes("Ready")
    assert runs(web) is None
    changes = {
        "container": template(containers=[container(image=COMMUNITY)]),
        "init": template(initContainers=[{"name": "init", "image": COMMUNITY}]),
        "sidecar": template(initContainers=[{"name": "i", "image": COMMUNITY, "restartPolicy": "Always"}]),
    }
    web.change(template=changes[kind])
    is_sandboxed(web)


def debug(web: Subject, api: Api, image: str) -> str:
    """Add an ephemeral container to its Pod, as `kubectl debug` does. The Pod's uid."""
    pod = web.hull()
    ephemeral = {"name": "debugger", "image": image}
    path = api.path("Pod", web.namespace, pod["metadata"]["name"]) + "/ephemeralcontainers"
    patch = {"spec": {"ephemeralContainers": [ephemeral]}}
    api.request("PATCH", path, patch, content_type="application/strategic-merge-patch+json")
    uid: str = pod["metadata"]["uid"]
    return uid


def test_ephemeral_container_below_the_floor_goes_with_its_pod(
    web: Subject, policies: Policies, api: Api
) -> None:
    policies.make("boxed", **BOXED, match=UNTRUSTED)
    web.apply("Container")
    web.becomes("Ready")
    uid = debug(web, api, COMMUNITY)
    web.eventually(lambda: web.hull()["metadata"]["uid"] != uid, "its Pod is another")
    is_plain(web)
    assert "ephemeralContainers" not in web.hull()["spec"]


def test_ephemeral_container_is_said_where_policies_reject(
    web: Subject, policies: Policies, api: Api
) -> None:
    policy = policies.make("strict", **STRICT, match=UNTRUSTED)
    web.apply("Container")
    web.becomes("Ready")
    uid = debug(web, api, COMMUNITY)
    is_rejected(web, policy)
    assert web.hull()["metadata"]["uid"] == uid


def test_floor_is_not_evaded_by_a_runtime_class_of_the_workloads_own(
    web: Subject, policies: Policies
) -> None:
    policy = policies.make("boxed", **BOXED)
    web.apply("Sandbox", sandbox={"runtimeClassName": "weak"})
    is_sandboxed(web, "strong")
    policies.make("boxed", minimum="Sandbox")
    workload = web.becomes("RuntimeClassMissing")
    assert condition(workload, "Stalled")[2].startswith(f"IsolationPolicy {policy} requires a sandbox, but ")


def test_floor_is_not_evaded_by_what_reaches_to_the_node(web: Subject, policies: Policies) -> None:
    policy = policies.make("boxed", **BOXED)
    web.apply("Container")
    is_sandboxed(web)
    uid = web.hull()["metadata"]["uid"]
    web.change(template=template(hostNetwork=True))
    workload = web.becomes("EvadesFloor")
    assert condition(workload, "Stalled")[2] == (
        f"IsolationPolicy {policy} requires Sandbox or stronger, and these fields reach past that "
        "isolation: spec.template.spec.hostNetwork (it is the node's network): remove them"
    )
    assert web.hull()["metadata"]["uid"] == uid

    disk = {"name": "node", "hostDisk": {"path": "/disk.img", "type": "Disk"}}
    web.change(isolationPolicy="VirtualMachine", virtualMachine={"overrides": {"volumes": [disk]}})
    web.change(template={**template(), "spec": {**template()["spec"], "hostNetwork": None}})
    workload = web.becomes("EvadesFloor")
    assert "spec.virtualMachine.overrides.volumes[node].hostDisk" in condition(workload, "Stalled")[2]


def test_policy_says_whom_it_concerns(web: Subject, policies: Policies, cluster: Cluster) -> None:
    boxed, strict = policies.make("boxed", **BOXED), policies.make("strict", **STRICT, match=UNTRUSTED)
    web.apply("Container")
    is_sandboxed(web)
    other = web.named("other")
    other.apply("Container", template(containers=[container(image=COMMUNITY)]))
    is_rejected(other, strict)

    def counted() -> bool:
        found = [policies.get(name)["status"] for name in (boxed, strict)]
        return [(s["matched"], s["raised"], s["rejected"]) for s in found] == [(2, 1, 0), (1, 0, 1)]

    web.eventually(counted, "the policies say whom they concern")
    status = policies.get(boxed)["status"]
    assert status["observedGeneration"] == 1
    assert condition(policies.get(boxed), "Ready") == ("True", "InForce", "the policy is in force")
    wide = cluster.kubectl("get", "isopol", boxed, "--output", "wide").split()
    assert wide[wide.index(boxed) + 2 :][:6] == ["Sandbox", "Raise", "2", "1", "0", "0"]
    other.delete()
    web.eventually(lambda: policies.get(strict)["status"]["matched"] == 0, "it is counted no more")
