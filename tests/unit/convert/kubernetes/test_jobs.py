"""Jobs, CronJobs and Pods."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests import templates
from tests.unit.convert.kubernetes.examples import converted, left, made_of, read
from tests.unit.convert.kubernetes.test_controllers import TEMPLATES
from twinhull.api.base import Raw
from twinhull.convert.conversion import CannotConvert


def pod(policy: str | None) -> Raw:
    return {
        **({"restartPolicy": policy} if policy else {}),
        "containers": [{"name": "run", "image": "busybox"}],
    }


def job(policy: str | None = "Never", template: Raw | None = None, /, **spec: Any) -> Raw:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "run"},
        "spec": {"template": template or {"spec": pod(policy)}, **spec},
    }


@pytest.mark.parametrize("name", [name for name, one in TEMPLATES.items() if templates.ends(one)])
def test_a_template_that_ends_stays_as_it_is(name: str) -> None:
    original = copy.deepcopy(TEMPLATES[name])
    made = made_of(converted(job("", TEMPLATES[name])))
    assert made["spec"]["template"] == original == TEMPLATES[name]


def test_a_job_that_tries_once_loses_nothing() -> None:
    conversion = converted(job("Never", backoffLimit=0, completions=1, parallelism=1))
    assert conversion.left == ()
    assert made_of(conversion)["spec"] == {"template": {"spec": pod("Never")}}


@pytest.mark.parametrize(
    ("policy", "limit", "expected"),
    [
        ("Never", None, "the Job tries 6 times again (the default), and a Workload with restartPolicy Never"),
        (
            "Never",
            2,
            "the Job tries 2 times again, and a Workload with restartPolicy Never has failed for good",
        ),
        ("OnFailure", None, "tries 6 times again (the default), and a Workload's containers start again"),
        ("OnFailure", 0, "tries 0 times again, and a Workload's containers start again until they succeed"),
    ],
)
def test_how_often_a_job_tries_again_is_named(policy: str, limit: int | None, expected: str) -> None:
    assert expected in left(converted(job(policy, backoffLimit=limit)))["Job run: spec.backoffLimit"]


@pytest.mark.parametrize("spec", [{"suspend": True}, {"parallelism": 0}, {"completions": 0}])
def test_a_job_that_does_not_run_is_stopped(spec: Raw) -> None:
    conversion = converted(job(backoffLimit=0, **spec))
    assert made_of(conversion)["spec"]["state"] == "Stopped"
    assert conversion.left == ()


@pytest.mark.parametrize("policy", [None, "Always"])
def test_a_job_that_never_ends_is_refused(policy: str | None) -> None:
    with pytest.raises(CannotConvert, match="restartPolicy must be OnFailure or Never, as in any Job"):
        converted(job(policy))


def test_the_labels_by_which_a_cluster_knows_a_jobs_pods_go() -> None:
    made = made_of(converted(*read("job")))
    assert made["metadata"]["labels"] == made["spec"]["template"]["metadata"]["labels"] == {"app": "migrate"}
    assert made["metadata"]["annotations"] == {"example.com/ticket": "OPS-7"}


def test_a_cronjob_waits_until_it_is_started() -> None:
    given = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "run"},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": {**job()["spec"], "backoffLimit": 0}}},
    }
    conversion = converted(given)
    assert made_of(conversion)["spec"] == {"state": "Stopped", "template": {"spec": pod("Never")}}
    assert list(left(conversion)) == ["CronJob run: spec.schedule"]
    assert (
        "twinhull start run runs it, and twinhull restart run runs it again"
        in left(conversion)["CronJob run: spec.schedule"]
    )


def test_a_cronjobs_own_labels_stay_where_its_jobs_have_others() -> None:
    conversion = converted(*read("cronjob"))
    assert made_of(conversion)["metadata"]["labels"] == {"app": "report", "tier": "batch", "team": "finance"}
    assert "CronJob report: spec.jobTemplate.metadata.labels.app" in left(conversion)


def test_a_pods_labels_are_on_the_workload_and_on_its_pod() -> None:
    conversion = converted(*read("pod"))
    made = made_of(conversion)
    noted = {"labels": {"app": "shell"}, "annotations": {"example.com/owner": "ops"}}
    assert made["metadata"] == {"name": "shell", **noted}
    assert made["spec"]["template"] == {"metadata": noted, "spec": read("pod")[0]["spec"]}
    assert conversion.left == ()


def test_what_a_cluster_has_put_into_a_pod_goes() -> None:
    pod_spec = made_of(converted(*read("pod-in-a-cluster")))["spec"]["template"]["spec"]
    assert [volume["name"] for volume in pod_spec["volumes"]] == ["scratch"]
    assert [mount["name"] for mount in pod_spec["containers"][0]["volumeMounts"]] == ["scratch"]
    assert [toleration["key"] for toleration in pod_spec["tolerations"]] == ["dedicated"]
    assert not pod_spec.keys() & {"nodeName", "priority", "preemptionPolicy", "ephemeralContainers"}


def test_a_list_of_a_pod_that_becomes_empty_goes() -> None:
    (given,) = read("pod-in-a-cluster")
    token = given["spec"]["volumes"][1]
    given["spec"] = {
        "containers": [
            {"name": "a", "image": "b", "volumeMounts": [given["spec"]["containers"][0]["volumeMounts"][0]]}
        ],
        "volumes": [token],
    }
    pod_spec = made_of(converted(given))["spec"]["template"]["spec"]
    assert pod_spec == {"containers": [{"name": "a", "image": "b"}]}
