"""A Workload's life, whatever its hull: stopped, started, changed, deleted, left an orphan."""

from __future__ import annotations

from typing import Literal

import pytest

from tests.controlplane import Api
from tests.e2e.operator.history import History
from tests.e2e.operator.subject import WORKLOAD_LABEL, Subject, condition, container, template

pytestmark = [
    pytest.mark.simulated,
    pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"]),
]

KINDS = {"Container": "Pod", "VirtualMachine": "VirtualMachine"}
SERVED = template(containers=[container(ports=[{"containerPort": 80}])])


def test_stopped_keeps_the_service_only_and_running_brings_all_back(web: Subject, isolation: str) -> None:
    web.apply(isolation, SERVED)
    web.becomes("Ready")
    belongings = web.belongings()
    service = web.one("Service", "web")["metadata"]["uid"]

    web.change(state="Stopped")
    workload = web.becomes("Stopped")
    assert condition(workload, "Ready") == ("True", "Stopped", "stopped, as spec.state asks")
    assert condition(workload, "Reconciling")[0] == condition(workload, "Stalled")[0] == "False"
    assert "hull" not in workload["status"]
    web.eventually(lambda: web.belongings() == {"Service": ["web"]}, "only the Service is left")

    web.change(state="Running")
    web.becomes("Ready")
    assert web.belongings().keys() == belongings.keys()
    assert web.one("Service", "web")["metadata"]["uid"] == service


def test_stopped_from_the_start_makes_no_hull(web: Subject, isolation: str) -> None:
    web.apply(isolation, state="Stopped")
    web.becomes("Stopped")
    assert web.belongings() == {}


def test_a_new_template_replaces_the_hull_once_the_old_one_is_gone(web: Subject, isolation: str) -> None:
    history = History.begin(web.cluster, web.namespace)
    web.apply(isolation)
    before = web.becomes("Ready")["status"]["hull"]

    web.change(template=template(containers=[container(args=["--verbose"])]))
    after = web.becomes("Ready")["status"]["hull"]

    assert after["revision"] != before["revision"]
    for kind in (KINDS[isolation], "Pod"):
        old, new = history.lives(kind, f"{WORKLOAD_LABEL}=web")
        assert not old.overlaps(new), f"two {kind}s at once"
    assert web.belongings()[KINDS[isolation]] == [after["name"]]


def test_several_changes_at_once_end_in_the_last(web: Subject, isolation: str) -> None:
    web.apply(isolation)
    for minor in range(5):
        web.change(template=template(containers=[container(image=f"nginx:1.{minor}")]))
    web.becomes("Ready")

    machine = web.one("ConfigMap", web.hull()["metadata"]["name"]) if isolation != "Container" else web.hull()
    assert "nginx:1.4" in str(machine)
    assert len(web.belongings()[KINDS[isolation]]) == 1


def test_a_change_of_nothing_that_runs_leaves_the_hull_alone(web: Subject, isolation: str) -> None:
    web.apply(isolation, SERVED)
    web.becomes("Ready")
    uid = web.hull()["metadata"]["uid"]

    web.change(service={"type": "NodePort"}, replacement={"progressDeadlineSeconds": 60})

    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] == uid


def test_a_hull_deleted_behind_our_back_comes_back(web: Subject, api: Api, isolation: str) -> None:
    web.apply(isolation)
    web.becomes("Ready")
    old = web.hull()["metadata"]

    api.delete(KINDS[isolation], old["name"], web.namespace)

    web.eventually(lambda: web.hull()["metadata"]["uid"] != old["uid"], "another one is there")
    web.becomes("Ready")
    assert web.belongings()[KINDS[isolation]] == [old["name"]]


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_deletion_leaves_nothing(
    web: Subject, isolation: str, policy: Literal["Background", "Foreground"]
) -> None:
    web.apply(isolation, SERVED)
    web.becomes("Ready")
    assert "Service" in web.belongings()

    web.delete(propagationPolicy=policy)

    web.is_gone()


def test_deletion_before_it_is_ready_leaves_nothing(web: Subject, isolation: str) -> None:
    web.apply(isolation, SERVED)
    web.eventually(lambda: KINDS[isolation] in web.belongings(), "the hull is made")
    web.delete()
    web.is_gone()


def test_the_same_again_at_once_is_served_after_the_former_has_gone(web: Subject, isolation: str) -> None:
    web.apply(isolation, SERVED)
    web.becomes("Ready")
    before = web.hull()["metadata"]

    web.delete()
    web.apply(isolation, SERVED)

    web.becomes("Ready")
    after = web.hull()["metadata"]
    assert after["name"] == before["name"]
    assert after["uid"] != before["uid"]
    assert web.belongings()["Service"] == ["web"]


def test_an_orphaned_hull_runs_on_and_is_not_taken_over(web: Subject, api: Api, isolation: str) -> None:
    web.apply(isolation, SERVED)
    web.becomes("Ready")
    kept = web.hull()["metadata"]
    left = web.belongings()

    web.delete(propagationPolicy="Orphan")
    web.eventually(lambda: api.get("Workload", "web", web.namespace) is None, "the Workload is gone")
    web.apply(isolation, SERVED)

    def is_named() -> bool:
        """The operator may see one of the objects to have lost its owner before it sees another."""
        status, reason, message = condition(web.becomes("NameConflict"), "Stalled")
        assert (status, reason) == ("True", "NameConflict")
        return message.startswith(
            f"{KINDS[isolation]} {kept['name']} has no owner but has this Workload's name"
        )

    web.eventually(is_named, "what is in the way is named")
    orphan = web.one(KINDS[isolation], kept["name"])["metadata"]
    assert (orphan["uid"], orphan.get("ownerReferences")) == (kept["uid"], None)
    assert web.belongings() == left

    for kind in (KINDS[isolation], "Service", "ConfigMap"):
        for name in left.get(kind, ()):
            api.delete(kind, name, web.namespace)
    web.becomes("Ready")
    assert web.hull()["metadata"]["uid"] != kept["uid"]
