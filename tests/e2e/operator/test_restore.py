"""Workloads from a backup, as Velero restores them: without uids, owners and, unless asked for, status.

(github.com/vmware-tanzu/velero, pkg/restore/restore.go, resetMetadata and resetStatus.)
"""

from __future__ import annotations

import pytest

from tests.e2e.operator.subject import WORKLOAD_LABEL, Manifest, Subject, condition, container, template

pytestmark = pytest.mark.simulated

_RESET = ("uid", "resourceVersion", "generation", "creationTimestamp", "ownerReferences", "managedFields")
#: What a Workload may have, in the order in which Velero restores it.
_KINDS = ("Pod", "ConfigMap", "Service", "VirtualMachine")


def restorable(obj: Manifest) -> Manifest:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _RESET}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}


def backed_up(web: Subject) -> list[Manifest]:
    """What belongs to a Workload, and the Workload."""
    mine = [web.one(kind, name) for kind in _KINDS for name in web.belongings().get(kind, ())]
    return [*map(restorable, mine), restorable(web.get())]


def lose(web: Subject) -> None:
    web.delete()
    web.is_gone()


def running(web: Subject, isolation: str) -> None:
    web.apply(isolation, template(containers=[container(ports=[{"containerPort": 80}])]))
    web.becomes("Ready")


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_the_workload_alone_is_all_that_a_backup_needs(web: Subject, isolation: str) -> None:
    running(web, isolation)
    *mine, workload = backed_up(web)
    before = web.hull()
    assert all(obj["metadata"]["labels"][WORKLOAD_LABEL] == "web" for obj in mine)
    assert WORKLOAD_LABEL not in workload["metadata"].get("labels", {})  # as `--selector '!…'` counts on
    lose(web)
    web.cluster.api.create(workload)
    web.becomes("Ready")
    assert web.hull()["metadata"]["name"] == before["metadata"]["name"]
    assert web.hull()["metadata"]["uid"] != before["metadata"]["uid"]


@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_restored_hulls_are_told_of_and_never_doubled(web: Subject, isolation: str) -> None:
    running(web, isolation)
    *mine, workload = backed_up(web)
    lose(web)
    for obj in (*mine, workload):
        web.cluster.api.create(obj)
    found = web.becomes("NameConflict")
    assert condition(found, "Stalled")[0] == "True"
    assert "belongs to nobody" in condition(found, "Ready")[2]
    kind = "VirtualMachine" if isolation == "VirtualMachine" else "Pod"
    (hull,) = (obj for obj in mine if obj["kind"] == kind)
    assert web.belongings()[kind] == [hull["metadata"]["name"]]
    web.cluster.kubectl(
        *("delete", "pods,services,configmaps,virtualmachines", "--selector", f"{WORKLOAD_LABEL}=web"),
        *("--namespace", web.namespace),
    )
    web.becomes("Ready")
