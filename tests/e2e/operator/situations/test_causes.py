"""Why a machine doesn't run is said at once, in the words of whoever keeps it from running."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane import Api
from tests.e2e.operator.history import History
from tests.e2e.operator.situations.admission import probe_of, until_refused, until_taken
from tests.e2e.operator.subject import Manifest, Subject, condition, template

pytestmark = pytest.mark.simulated


def _quota(namespace: str, **hard: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": namespace},
        "spec": {"hard": hard},
    }


def _limits(namespace: str, **limit: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": {"name": "small", "namespace": namespace},
        "spec": {"limits": [{"type": "Container", **limit}]},
    }


def _launcher(web: Subject) -> Manifest:
    """The launcher Pod of the machine, once its machine runs."""

    def found() -> Manifest:
        (name,) = web.belongings()["Pod"]
        return web.one("Pod", name)

    return web.eventually(found, "there is one launcher Pod")


REFUSALS = {
    "pod security": "violates PodSecurity",
    "quota": "exceeded quota: small",
    "limit range": "must be less than or equal to memory limit of 64Mi",
    "priority class": "no PriorityClass with name no-such-class was found",
}


@pytest.mark.parametrize("by", REFUSALS)
def test_a_refused_launcher_is_stalled_at_once_in_the_api_servers_words(
    web: Subject, api: Api, namespace: str, by: str
) -> None:
    pod: dict[str, Any] = {}
    large = probe_of(namespace, resources={"limits": {"memory": "128Mi"}})
    if by == "pod security":
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        api.patch("Namespace", namespace, None, {"metadata": {"labels": labels}})
    elif by == "quota":
        api.create(_quota(namespace, **{"requests.memory": "64Mi", "limits.memory": "64Mi", "pods": "0"}))
    elif by == "limit range":
        api.create(_limits(namespace, max={"memory": "64Mi"}))  # which is the limit by default, too
        large = probe_of(namespace, resources={"requests": {"memory": "128Mi"}})
    else:
        pod["priorityClassName"] = "no-such-class"
        large["spec"] |= pod
    until_refused(web.cluster, large, REFUSALS[by])
    web.apply("VirtualMachine", template(**pod))

    # Long before its deadline, which is ten minutes.
    workload = web.becomes("LauncherRefused")
    web.eventually(lambda: web.condition("Stalled")[0] == "True", "it is Stalled")
    message = condition(workload, "Ready")[2]
    assert REFUSALS[by] in message
    assert '"virt-launcher-web-' in message
    assert "failed to create" not in message


def test_what_was_refused_goes_on_once_it_is_let_through(web: Subject, api: Api, namespace: str) -> None:
    api.create(_quota(namespace, pods="0"))
    until_refused(web.cluster, probe_of(namespace), REFUSALS["quota"])
    web.apply("VirtualMachine")
    web.becomes("LauncherRefused")
    api.delete("ResourceQuota", "small", namespace)
    until_taken(web.cluster, probe_of(namespace))
    # Not by itself, but as soon as KubeVirt tries again: its instance is told that something has changed.
    web.annotate("VirtualMachineInstance", web.hull()["metadata"]["name"], nudge="1")
    web.becomes("Ready")
    assert web.condition("Stalled")[0] == "False"


@pytest.mark.parametrize("label", ["no-such-node", "nor-such-a-one"])
def test_a_launcher_that_fits_nowhere_says_what_the_scheduler_says(web: Subject, label: str) -> None:
    web.apply("VirtualMachine", template(nodeSelector={"disk": label}))
    message = condition(web.becomes("Unschedulable"), "Ready")[2]
    assert "nodes are available" in message
    assert web.condition("Reconciling")[0] == "True"


def test_a_container_of_the_launcher_that_can_not_run_is_named(
    web: Subject, api: Api, namespace: str
) -> None:
    # No node takes it, so that nobody but this test says how its containers are.
    web.apply("VirtualMachine", template(nodeSelector={"disk": "no-such-node"}))
    web.becomes("Unschedulable")
    launcher = _launcher(web)

    def tells(reason: str, message: str) -> None:
        waiting = {"waiting": {"reason": reason, "message": message}}
        status = {"name": "compute", "image": "x", "imageID": "", "ready": False, "restartCount": 3}
        scheduled = {"type": "PodScheduled", "status": "True"}
        body = {"status": {"conditions": [scheduled], "containerStatuses": [{**status, "state": waiting}]}}
        api.patch("Pod", launcher["metadata"]["name"], namespace, body, subresource="status")

    tells("CreateContainerError", "failed to mount /dev/kvm")
    sentence = condition(web.becomes("CreateContainerError"), "Ready")[2]
    assert (
        f"launcher Pod {launcher['metadata']['name']}: container compute: failed to mount /dev/kvm"
        in sentence
    )
    tells("ImagePullBackOff", "Back-off pulling image guest:1")
    assert "Back-off pulling image guest:1" in condition(web.becomes("ImagePullBackOff"), "Ready")[2]


def test_a_machine_that_is_made_or_restarts_is_never_said_to_be_stopped(
    web: Subject, api: Api, namespace: str
) -> None:
    history = History.begin(web.cluster, namespace)

    def ready_again(uid: str) -> bool:
        instance = api.get("VirtualMachineInstance", web.hull()["metadata"]["name"], namespace)
        return bool(instance and instance["metadata"]["uid"] != uid and web.condition("Ready")[0] == "True")

    web.apply("VirtualMachine")
    web.becomes("Ready")
    name = web.hull()["metadata"]["name"]
    uid = web.one("VirtualMachineInstance", name)["metadata"]["uid"]
    api.delete("Pod", _launcher(web)["metadata"]["name"], namespace)  # the instance fails, and is made again
    web.eventually(lambda: ready_again(uid), "it is ready again")
    statuses = [change.obj["status"] for change in history.of("Workload")]
    reasons = {one["reason"] for status in statuses for one in status.get("conditions", [])}
    assert "Ready" in reasons
    assert "Stopped" not in reasons
    assert not [event for event in web.all_events() if event[1] == "Stopped"]


@pytest.mark.parametrize(("policy", "how"), [("Never", "evicted"), ("OnFailure", "deleted")])
def test_a_run_in_a_machine_whose_launcher_is_ended_is_made_again(
    web: Subject, api: Api, namespace: str, policy: str, how: str
) -> None:
    web.apply("VirtualMachine", template(restartPolicy=policy))
    web.becomes("Ready")
    uid = web.hull()["metadata"]["uid"]
    name = _launcher(web)["metadata"]["name"]
    if how == "deleted":
        api.delete("Pod", name, namespace)
    else:
        eviction = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name, "namespace": namespace},
        }
        api.request("POST", f"{api.path('Pod', namespace, name)}/eviction", eviction)
    web.eventually(lambda: web.hull()["metadata"]["uid"] != uid, "there is another machine")
    assert "exit" not in web.becomes("Ready")["status"]


def test_a_missing_claim_names_its_volume(web: Subject) -> None:
    claims = [
        {"name": name, "persistentVolumeClaim": {"claimName": f"no-{name}"}} for name in ("data", "logs")
    ]
    web.apply("Container", template(volumes=claims))
    message = condition(web.becomes("ClaimMissing"), "Ready")[2]
    for name in ("data", "logs"):
        assert f"spec.template.spec.volumes[{name}].persistentVolumeClaim.claimName: " in message
