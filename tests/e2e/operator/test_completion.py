"""Running to completion: OnFailure and Never end, once, and the status keeps how."""

from __future__ import annotations

import pytest

from tests.controlplane import Api
from tests.e2e.operator.subject import EXIT, Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated


def ending(policy: str, code: int, image: str = "job:1") -> Manifest:
    return template({EXIT: str(code)}, restartPolicy=policy, containers=[container(image=image)])


@pytest.mark.parametrize("policy", ["OnFailure", "Never"])
def test_a_pod_that_succeeds_is_completed_with_its_code(web: Subject, policy: str) -> None:
    web.apply("Container", ending(policy, 0))
    workload = web.becomes("Completed")

    sentence = "container web ended with exit code 0 (Completed)"
    assert condition(workload, "Ready") == ("True", "Completed", sentence)
    assert condition(workload, "Reconciling")[0] == condition(workload, "Stalled")[0] == "False"
    end = workload["status"]["exit"]
    assert (end["code"], end["reason"], end["container"]) == (0, "Completed", "web")
    assert end["finishedAt"]


def test_a_pod_that_fails_and_may_never_run_again_is_failed_with_its_code(web: Subject) -> None:
    web.apply("Container", ending("Never", 3))
    workload = web.becomes("Failed")

    sentence = "container web ended with exit code 3 (Error)"
    assert condition(workload, "Ready") == ("False", "Failed", sentence)
    assert condition(workload, "Stalled") == ("True", "Failed", sentence)
    assert workload["status"]["exit"]["code"] == 3


def test_a_pod_that_fails_as_a_whole_is_made_again_until_it_succeeds(web: Subject) -> None:
    web.apply("Container", template(restartPolicy="OnFailure"))
    web.becomes("Ready")
    old = web.hull()["metadata"]

    web.annotate("Pod", old["name"], **{EXIT: "3"})
    web.eventually(lambda: web.hull()["metadata"]["uid"] != old["uid"], "another Pod is there")
    web.becomes("Ready")
    web.annotate("Pod", old["name"], **{EXIT: "0"})

    assert web.becomes("Completed")["status"]["exit"]["reason"] == "Completed"


@pytest.mark.parametrize(("code", "reason"), [(0, "Completed"), (3, "Failed")])
def test_an_ended_pod_that_is_tidied_away_is_not_run_again(
    web: Subject, api: Api, code: int, reason: str
) -> None:
    web.apply("Container", ending("Never", code))
    ended = web.becomes(reason)["status"]["exit"]

    api.delete("Pod", web.hull()["metadata"]["name"], web.namespace)

    web.eventually(lambda: "hull" not in web.get()["status"], "the status knows that the Pod is gone")
    workload = web.becomes(reason)
    assert workload["status"]["exit"] == ended
    assert web.belongings() == {}


def test_another_template_runs_anew(web: Subject) -> None:
    web.apply("Container", ending("Never", 3))
    web.becomes("Failed")
    web.apply("Container", ending("Never", 0, "job:2"))
    assert web.becomes("Completed")["status"]["exit"]["reason"] == "Completed"
    assert len(web.belongings()["Pod"]) == 1


def test_an_ended_workload_that_is_stopped_and_started_is_not_run_again(web: Subject) -> None:
    web.apply("Container", ending("Never", 0))
    ended = web.becomes("Completed")["status"]["exit"]

    web.change(state="Stopped")
    assert web.becomes("Stopped")["status"]["exit"] == ended
    web.change(state="Running")

    assert web.becomes("Completed")["status"]["exit"] == ended
    assert web.belongings() == {}


@pytest.mark.parametrize("policy", ["OnFailure", "Never"])
def test_a_machine_that_succeeds_is_completed(web: Subject, policy: str) -> None:
    web.apply("VirtualMachine", ending(policy, 0))
    end = web.becomes("Completed")["status"]["exit"]
    assert (end.get("code"), end["reason"], end["message"]) == (None, "Completed", "the guest was shut down")
    assert web.condition("Stalled")[0] == "False"
    web.eventually(lambda: web.belongings() == {}, "the machine is gone, for KubeVirt would run it again")
    assert web.becomes("Completed")["status"]["exit"] == end


def test_a_machine_that_fails_is_failed_and_its_code_is_not_made_up(web: Subject) -> None:
    web.apply("VirtualMachine", ending("Never", 3))
    workload = web.becomes("Failed")
    assert condition(workload, "Stalled")[:2] == ("True", "Failed")
    end = workload["status"]["exit"]
    assert "code" not in end
    assert (end["reason"], end["message"]) == ("Error", "the guest failed")


def test_an_ended_machine_that_is_tidied_away_is_not_run_again(web: Subject, api: Api) -> None:
    web.apply("VirtualMachine", ending("Never", 0))
    ended = web.becomes("Completed")["status"]["exit"]

    for instance in web.belongings().get("VirtualMachineInstance", ()):
        api.delete("VirtualMachineInstance", instance, web.namespace)

    web.eventually(lambda: web.belongings() == {}, "nothing is left of the machine")
    assert web.becomes("Completed")["status"]["exit"] == ended


def test_a_machine_that_fails_is_run_again_until_it_succeeds(web: Subject) -> None:
    web.apply("VirtualMachine", template(restartPolicy="OnFailure"))
    web.becomes("Ready")
    name = web.hull()["metadata"]["name"]
    uid = web.one("VirtualMachineInstance", name)["metadata"]["uid"]

    web.annotate("VirtualMachineInstance", name, **{EXIT: "3"})
    web.eventually(
        lambda: web.one("VirtualMachineInstance", name)["metadata"]["uid"] != uid, "another is there", 60
    )
    web.becomes("Ready")
    assert "exit" not in web.get()["status"]
    web.annotate("VirtualMachineInstance", name, **{EXIT: "0"})

    assert web.becomes("Completed")["status"]["exit"]["reason"] == "Completed"
