"""The status as people read it: conditions, kubectl's wait and tables. See test_gitops_states for tools."""

from __future__ import annotations

import re

import pytest

from tests.controlplane import PATIENCE, Api, Kubectl
from tests.e2e.operator.history import History
from tests.e2e.operator.subject import NEVER_READY, Subject, condition, container, template

pytestmark = pytest.mark.simulated


def wait(web: Subject, what: str = "condition=Ready") -> str:
    return web.cluster.kubectl(
        *("wait", f"--for={what}", "workloads.twinhull.dev/web"),
        *("--namespace", web.namespace, f"--timeout={PATIENCE:.0f}s"),
    )


def table(kubectl: Kubectl, namespace: str, *options: str) -> list[list[str]]:
    """The rows of `kubectl get twl`, by column."""
    table = kubectl("get", "workloads.twinhull.dev", "--namespace", namespace, *options)
    header, *rows = table.rstrip("\n").splitlines()
    starts = [found.start() for found in re.finditer(r"\S+", header)]
    ends = [*starts[1:], None]
    return [[line[a:b].strip() for a, b in zip(starts, ends, strict=True)] for line in (header, *rows)]


def test_apply_then_wait(web: Subject) -> None:
    web.apply()
    assert wait(web) == "workload.twinhull.dev/web condition met\n"
    assert web.hull()["status"]["phase"] == "Running"


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_change_then_wait_returns_only_when_the_new_revision_is_ready(web: Subject, isolation: str) -> None:
    web.apply("Container")
    wait(web)
    old = web.get()["status"]["hull"]

    # At once, before the operator can have seen it: kubectl heeds the condition's observedGeneration.
    web.change(isolationPolicy=isolation, template=template(containers=[container(image="nginx:1.30")]))
    wait(web)

    hull = web.get()["status"]["hull"]
    assert hull["ready"]
    assert hull["revision"] != old["revision"]
    assert web.hull()["metadata"]["name"] == hull["name"]


def test_ready_is_never_said_of_a_new_generation_by_an_old_hull(web: Subject) -> None:
    history = History.begin(web.cluster, web.namespace)
    web.apply("Container")
    first = web.becomes("Ready")["status"]["hull"]["revision"]
    web.change(isolationPolicy="VirtualMachine")
    second = web.becomes("Ready")["status"]["hull"]["revision"]

    revisions: dict[int, set[str]] = {}
    for change in history.of("Workload"):
        for ready in change.obj["status"].get("conditions", []):
            if (ready["type"], ready["status"]) == ("Ready", "True"):
                revision = change.obj["status"]["hull"]["revision"]
                revisions.setdefault(ready["observedGeneration"], set()).add(revision)
    assert list(revisions.values()) == [{first}, {second}]


def test_wait_for_stopped_and_running_again(web: Subject) -> None:
    web.apply()
    wait(web)
    web.change(state="Stopped")
    wait(web)
    assert web.belongings() == {}
    web.change(state="Running")
    wait(web)
    assert web.hull()["status"]["phase"] == "Running"


def test_wait_for_deletion(web: Subject) -> None:
    web.apply()
    wait(web)
    web.delete()
    wait(web, "delete")


def test_every_condition_speaks_of_the_present_generation(web: Subject) -> None:
    web.apply()
    web.becomes("Ready")
    web.change(isolationPolicy="Container")
    workload = web.becomes("Ready")
    assert [found["type"] for found in workload["status"]["conditions"]] == [
        *("Ready", "Reconciling", "Stalled", "IsolationResolved")
    ]
    generations = {found["observedGeneration"] for found in workload["status"]["conditions"]}
    assert generations == {workload["metadata"]["generation"]}


def test_a_conditions_time_moves_only_with_its_status(web: Subject) -> None:
    web.apply()
    by_type = {found["type"]: found for found in web.becomes("Ready")["status"]["conditions"]}
    web.change(service={"type": "NodePort"})
    after = {found["type"]: found for found in web.becomes("Ready")["status"]["conditions"]}
    for kind, found in after.items():
        assert found["lastTransitionTime"] == by_type[kind]["lastTransitionTime"]


def test_a_hull_that_is_late_is_stalled_until_it_is_ready_after_all(web: Subject) -> None:
    web.apply(pod_template=template({NEVER_READY: "true"}), replacement={"progressDeadlineSeconds": 1})
    web.becomes("ProgressDeadlineExceeded")
    name = web.hull()["metadata"]["name"]
    sentence = f"not ready after 1 s: Pod {name}: simulated"
    # It may be late before its kubelet has said anything.
    web.eventually(
        lambda: web.condition("Stalled") == ("True", "ProgressDeadlineExceeded", sentence), "it says why"
    )
    assert web.condition("Reconciling")[0] == "False"

    web.annotate("Pod", name, **{NEVER_READY: None})
    assert condition(web.becomes("Ready"), "Stalled")[0] == "False"


def test_a_pod_that_no_node_takes_says_so_in_the_schedulers_words(web: Subject) -> None:
    web.apply(pod_template=template(nodeSelector={"no": "where"}))
    status, _, message = condition(web.becomes("Unschedulable"), "Ready")
    assert status == "False"
    assert "nodes are available" in message


def test_a_pod_whose_image_cannot_be_pulled_says_so(web: Subject, api: Api) -> None:
    # It isn't ready, or the simulated kubelet would make it ready again at once.
    web.apply(pod_template=template({NEVER_READY: "true"}))
    web.becomes("ContainersNotReady")
    name = web.hull()["metadata"]["name"]
    waiting = {
        "name": "web",
        "image": "nginx:1.29",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
    }
    api.patch("Pod", name, web.namespace, {"status": {"containerStatuses": [waiting]}}, subresource="status")

    message = condition(web.becomes("ImagePullBackOff"), "Ready")[2]
    assert message.endswith("container web: no such image")


def test_table_as_a_person_sees_it(web: Subject, kubectl: Kubectl) -> None:
    web.apply("Container")
    web.named("late").apply(pod_template=template({NEVER_READY: "true"}))
    web.named("off").apply("VirtualMachine", state="Stopped")
    web.becomes("Ready")
    web.named("late").becomes("ContainersNotReady")
    web.named("off").becomes("Stopped")
    hull = web.get()["status"]["hull"]
    late = web.named("late").get()["status"]["hull"]

    rows = table(kubectl, web.namespace)
    for row in rows[1:]:
        assert re.fullmatch(r"\d+[sm](\d+s)?", row.pop())
    assert rows == [
        ["NAME", "READY", "REASON", "ISOLATION", "RUNNING", "HULL", "NODE", "AGE"],
        ["late", "False", "ContainersNotReady", "Container", "Container", late["name"], "node-0"],
        ["off", "True", "Stopped", "VirtualMachine", "", "", ""],
        ["web", "True", "Ready", "Container", "Container", hull["name"], "node-0"],
    ]


def test_wide_table_as_a_person_sees_it(web: Subject, kubectl: Kubectl) -> None:
    web.apply("VirtualMachine")
    hull = web.becomes("Ready")["status"]["hull"]
    header, row = table(kubectl, web.namespace, "--output=wide")
    assert header[8:] == ["REQUESTED", "POLICY", "ADDRESS", "REVISION", "MESSAGE"]
    assert row[8:] == [
        *("VirtualMachine", "", hull["address"], hull["revision"]),
        f"VirtualMachine {hull['name']} is ready",
    ]
