"""A Container: a plain Pod, which heals."""

from __future__ import annotations

import pytest

from tests.controlplane import Api
from tests.e2e.operator.history import History
from tests.e2e.operator.subject import EXIT, NEVER_READY, Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated


def test_container_is_the_templates_pod(web: Subject) -> None:
    pod_template = template(
        {"note": "kept"},
        containers=[
            container(
                command=["nginx"],
                env=[{"name": "PLACE", "value": "here"}],
                resources={"requests": {"cpu": "10m"}},
            )
        ],
        tolerations=[{"key": "spot", "operator": "Exists"}],
    )
    pod_template["metadata"]["labels"] = {"app": "shop"}
    web.apply("Container", pod_template)
    workload = web.becomes("Ready")

    pod = web.hull()
    revision = workload["status"]["hull"]["revision"]
    assert pod["kind"] == "Pod"
    assert pod["metadata"]["name"] == f"web-{revision}"
    assert pod["metadata"]["labels"] == {
        "app": "shop",
        "twinhull.dev/hull": "Pod",
        "twinhull.dev/hull-name": f"web-{revision}",
        "twinhull.dev/revision": revision,
        "twinhull.dev/workload": "web",
    }
    assert pod["metadata"]["annotations"].keys() == {"note", "twinhull.dev/applied"}
    assert pod["metadata"]["annotations"]["note"] == "kept"
    (owner,) = pod["metadata"]["ownerReferences"]
    uid = workload["metadata"]["uid"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("Workload", uid, True)
    assert pod["spec"]["hostname"] == "web"
    (ran,) = pod["spec"]["containers"]
    assert ran.items() >= pod_template["spec"]["containers"][0].items()
    assert pod_template["spec"]["tolerations"][0] in pod["spec"]["tolerations"]
    assert "runtimeClassName" not in pod["spec"]
    assert web.belongings() == {"Pod": [pod["metadata"]["name"]]}
    assert workload["status"]["isolation"] == {
        "requested": "Container",
        "resolved": "Container",
        "running": "Container",
        "reason": "Requested",
        "message": "spec.isolationPolicy asks for Container",
    }


def test_auto_is_a_container_unless_the_operator_is_told_otherwise(web: Subject) -> None:
    web.apply("Auto")
    isolation = web.becomes("Ready")["status"]["isolation"]
    assert isolation == {
        "requested": "Auto",
        "resolved": "Container",
        "running": "Container",
        "reason": "OperatorDefault",
        "message": "spec.isolationPolicy is Auto, for which the operator's default is Container",
    }


def test_labels_of_the_workload_itself_do_not_reach_the_pod(web: Subject, api: Api) -> None:
    tracking = {"labels": {"app.kubernetes.io/instance": "argo"}, "annotations": {"track": "me"}}
    web.apply("Container", state="Stopped")
    api.patch("Workload", "web", web.namespace, {"metadata": tracking})
    web.change(state="Running")
    web.becomes("Ready")

    pod = web.hull()["metadata"]
    assert "app.kubernetes.io/instance" not in pod["labels"]
    assert pod["annotations"].keys() == {"twinhull.dev/applied"}


def test_a_pod_deleted_behind_our_back_comes_back(web: Subject, api: Api) -> None:
    web.apply("Container")
    web.becomes("Ready")
    old = web.hull()["metadata"]

    api.delete("Pod", old["name"], web.namespace)

    web.eventually(lambda: web.hull()["metadata"]["uid"] != old["uid"], "another Pod is there")
    web.becomes("Ready")
    assert web.hull()["metadata"]["name"] == old["name"]
    assert web.belongings() == {"Pod": [old["name"]]}


def is_made_again(web: Subject, old: Manifest) -> None:
    web.eventually(lambda: web.hull()["metadata"]["uid"] != old["uid"], "another Pod is there")
    web.becomes("Ready")


def restarting(history: History) -> list[Manifest]:
    """What a Workload was like whenever it was said to be restarting."""
    seen = [change.obj for change in history.of("Workload") if change.obj["status"].get("conditions")]
    return [workload for workload in seen if condition(workload, "Ready")[1] == "Restarting"]


def test_an_evicted_pod_is_made_again(web: Subject, api: Api) -> None:
    history = History.begin(web.cluster, web.namespace)
    web.apply("Container")
    web.becomes("Ready")
    old = web.hull()["metadata"]

    evicted = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    api.patch("Pod", old["name"], web.namespace, {"status": evicted}, subresource="status")

    is_made_again(web, old)
    # The status may say so only after the other Pod is there.
    web.eventually(lambda: web.get()["status"]["backOff"]["reason"] == "Evicted", "it is told why")
    # The first one for the rest of the first ten seconds of its life, if any is left.
    sentences = {
        f"Pod {old['name']} ended (Evicted) and is made again",
        f"waiting for Pod {old['name']} to end",
    }
    for obj in restarting(history):
        status, _, message = condition(obj, "Ready")
        assert status == "False"
        assert message in sentences
        assert condition(obj, "Reconciling")[0] == "True"


def test_a_pod_that_ends_is_made_again_when_it_is_to_run_always(web: Subject) -> None:
    history = History.begin(web.cluster, web.namespace)
    web.apply("Container")
    web.becomes("Ready")
    old = web.hull()["metadata"]

    web.annotate("Pod", old["name"], **{EXIT: "0"})

    is_made_again(web, old)
    assert not [obj for obj in restarting(history) if "exit" in obj["status"]]


@pytest.mark.parametrize("label", ["twinhull.dev/workload", "twinhull.dev/hull"])
def test_a_label_taken_off_the_pod_is_put_back(web: Subject, api: Api, label: str) -> None:
    web.apply("Container")
    web.becomes("Ready")
    old = web.hull()["metadata"]

    api.patch("Pod", old["name"], web.namespace, {"metadata": {"labels": {label: None}}})

    web.eventually(lambda: label in web.hull()["metadata"]["labels"], "the label is back")
    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] == old["uid"]


def test_a_pod_that_ceases_to_be_ready_is_left_to_its_kubelet(web: Subject) -> None:
    web.apply("Container")
    web.becomes("Ready")
    old = web.hull()["metadata"]

    web.annotate("Pod", old["name"], **{NEVER_READY: "true"})

    workload = web.becomes("ContainersNotReady")
    assert condition(workload, "Ready") == (
        *("False", "ContainersNotReady"),
        f"Pod {old['name']}: simulated",
    )
    web.annotate("Pod", old["name"], **{NEVER_READY: None})
    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] == old["uid"]
