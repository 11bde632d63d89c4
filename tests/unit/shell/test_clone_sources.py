"""From what a disk is cloned: from nothing that its DataSource has no right to lead to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from twinhull.api.base import Raw
from twinhull.api.workload import Workload
from twinhull.hulls import datavolume, diskstate
from twinhull.hulls.disknotes import DATA_SOURCE_ANNOTATION
from twinhull.shell.clone_sources import resolved
from twinhull.shell.errors import Refused
from twinhull.shell.refusals import Undone

from .apiserver import ApiServer, FakeCluster
from .simulation import run

VOLUME: Raw = {
    "kind": "DataVolume",
    "metadata": {"name": "web-boot", "namespace": "shop"},
    "spec": {
        "sourceRef": {"kind": "DataSource", "name": "golden", "namespace": "images"},
        "storage": {"storageClassName": "fast"},
    },
}


def cluster(spec: Raw | None = None, status: Raw | None = None) -> FakeCluster:
    server = ApiServer(lambda: datetime(2026, 1, 1, tzinfo=UTC))
    if spec is not None:
        about = {"name": "golden", "namespace": "images"}
        made = {"kind": "DataSource", "metadata": about, "spec": {"source": spec}}
        server.objects["DataSource"]["images", "golden"] = {**made, "status": {"source": status or {}}}
    return FakeCluster(server)


def to(namespace: str, kind: str = "pvc", name: str = "disk") -> Raw:
    return {kind: {"namespace": namespace, "name": name}}


@pytest.mark.parametrize(
    ("spec", "status", "source"),
    [
        (to("shop"), {}, to("shop")),
        (to("images"), {}, to("images")),
        (to("images", "snapshot"), {}, to("images", "snapshot")),
        (to("elsewhere", "dataSource", "other"), to("images"), to("images")),
        ({"pvc": {"name": "disk"}}, {}, to("shop")),
    ],
    ids=["its own namespace's", "given away", "a snapshot", "by way of another", "without a namespace"],
)
def test_it_is_cloned_from_what_was_looked_at(spec: Raw, status: Raw, source: Raw) -> None:
    found = cluster(spec, status)
    found.gives_away = {"images"}
    made = run(resolved(found, "shop", VOLUME))
    assert made["spec"] == {"source": source, "storage": {"storageClassName": "fast"}}


#: What another namespace's DataSource may be, of which nobody is told without a right.
HIDDEN: dict[str, tuple[Raw | None, Raw]] = {
    "its namespace's claim": (to("images"), {}),
    "its namespace's snapshot": (to("images", "snapshot"), {}),
    "by way of another": (to("shop", "dataSource", "other"), to("images")),
    "a third namespace's": (to("secret"), {}),
    "nothing yet": (to("images", "dataSource"), {}),
    "not there": (None, {}),
}


@pytest.mark.parametrize("what", HIDDEN)
def test_the_answer_tells_nothing_of_another_namespace(what: str) -> None:
    with pytest.raises(Refused) as refused:
        run(resolved(cluster(*HIDDEN[what]), "shop", VOLUME))
    assert str(refused.value) == (
        "DataSource golden in namespace images doesn't exist, or the operator may not clone what it leads "
        "to: give the operator's ServiceAccount the right to create datavolumes/source where that is "
        "(kubectl get datasource golden -n images), if every Workload may have what is on the disks there, "
        "or name another DataSource"
    )


def test_a_data_source_of_its_own_that_leads_elsewhere_is_told() -> None:
    with pytest.raises(Refused, match="leads to namespace secret, which doesn't let the operator clone"):
        run(resolved(cluster(to("secret")), "images", VOLUME))


@pytest.mark.parametrize("namespace", ["images", "shop"])
def test_a_data_source_that_is_missing_is_told_to_who_may_clone_it(namespace: str) -> None:
    allowing = cluster()
    allowing.gives_away = {"images"}
    with pytest.raises(Refused, match="DataSource golden in namespace images doesn't exist: correct"):
        run(resolved(allowing, namespace, VOLUME))


def test_a_data_source_that_leads_to_nothing_yet_is_waited_for() -> None:
    allowing = cluster(to("images", "dataSource"), {})
    allowing.gives_away = {"images"}
    with pytest.raises(Undone) as undone:
        run(resolved(allowing, "shop", VOLUME))
    assert not undone.value.cause.final
    assert undone.value.cause.message.endswith(": see kubectl get datasource golden -n images")


def test_any_other_source_stays() -> None:
    blank = {**VOLUME, "spec": {"source": {"blank": {}}}}
    assert run(resolved(cluster(), "shop", blank)) == blank


def test_a_clone_is_known_by_the_note_of_its_data_source() -> None:
    """One of an earlier operator names the DataSource itself."""
    boot = {"source": {"dataSource": {"name": "golden", "namespace": "images"}}}
    raw = {
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "uid": "u",
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"isolationPolicy": "VirtualMachine", "virtualMachine": {"memory": "1Gi", "bootDisk": boot}},
    }
    workload = Workload.model_validate(raw)
    disk = workload.spec.virtual_machine.all_disks()[0]
    former = datavolume.render(workload.metadata, disk)
    former["metadata"] |= {"uid": "v"}
    made = {**former, "spec": {**former["spec"], "source": to("images")}}
    del made["spec"]["sourceRef"]
    assert not diskstate.read(workload.metadata, disk, former, None).source_changed
    assert not diskstate.read(workload.metadata, disk, made, None).source_changed
    noted = {**made["metadata"]["annotations"], DATA_SOURCE_ANNOTATION: "images/other"}
    other = {**made, "metadata": {**made["metadata"], "annotations": noted}}
    assert diskstate.read(workload.metadata, disk, other, None).source_changed
    blank = {**made, "spec": {"source": {"blank": {}}}}
    assert diskstate.read(workload.metadata, disk, blank, None).source_changed
