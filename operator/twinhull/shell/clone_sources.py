"""Clone sources: from what a disk is cloned whose source is a DataSource, and whether it may be.

CDI asks whether the account that makes a DataVolume may clone what it names. In another namespace a right
to create Pods there is enough for it (cdi.kubevirt.io/v1beta1, authorize_utils.go), and the operator has
that right everywhere. So the operator itself asks for the one right that is meant, before it makes the
DataVolume for somebody who may have neither. The DataVolume then names the claim or snapshot that was looked
at, and not the DataSource, which somebody may lead elsewhere meanwhile.

Who names another namespace's DataSource may have no right to read it. Unless they may clone what it leads to,
the answer is always the same: it doesn't say whether there is such a DataSource, nor where that leads.
"""

from __future__ import annotations

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import DATA_SOURCE
from twinhull.shell.refusals import RefusalCause, Undone

#: What is cloned, in CDI's words.
_CLONED = ("pvc", "snapshot")
#: What to do about a right that is missing.
_GIVE = (
    "give the operator's ServiceAccount the right to create datavolumes/source {}, if every Workload may "
    "have what is on the disks there, or name another DataSource"
)


async def resolved(cluster: Cluster, namespace: str, volume: Raw) -> Raw:
    """A DataVolume that is to be made in a namespace, with the claim or snapshot in place of the DataSource
    that it names. One that names none is as it was.

    Raises Refused if there is no such DataSource, or it leads to a namespace that doesn't give its disks
    away; Undone while the DataSource leads to nothing.
    """
    reference = volume["spec"].get("sourceRef")
    if reference is None:
        return volume
    place = reference["namespace"]
    what = f"DataSource {reference['name']} in namespace {place}"
    see = commands.others(place, "kubectl", "get", "datasource", reference["name"])
    data_source = await cluster.get(DATA_SOURCE, place, reference["name"])
    source = _source(data_source) if data_source else {}
    kind = next((kind for kind in _CLONED if source.get(kind)), None)
    cloned = source[kind] if kind else {"namespace": place}
    owner, name = cloned.get("namespace") or namespace, cloned.get("name", "")
    if owner != namespace and not await cluster.may(_cloning(owner, name)):
        if place != namespace:
            missing = f"{what} doesn't exist, or the operator may not clone what it leads to"
            raise Refused(f"{missing}: {_GIVE.format(f'where that is ({see})')}")
        missing = f"{what} leads to namespace {owner}, which doesn't let the operator clone disks"
        raise Refused(f"{missing}: {_GIVE.format('there')}")
    if data_source is None:
        raise Refused(f"{what} doesn't exist: correct source.dataSource, or create it")
    if kind is None:
        sentence = f"{what} leads to no claim or snapshot yet: see {see}"
        raise Undone(RefusalCause(Reason.DISK_WAITING, sentence, final=False))
    spec = {key: value for key, value in volume["spec"].items() if key != "sourceRef"}
    return {**volume, "spec": {**spec, "source": {kind: {"namespace": owner, "name": name}}}}


def _source(data_source: Raw) -> Raw:
    """What a DataSource leads to. Of one that leads on, CDI says where it leads."""
    source: Raw = (data_source.get("spec") or {}).get("source") or {}
    if source.get("dataSource"):
        source = (data_source.get("status") or {}).get("source") or {}
    return source


def _cloning(namespace: str, name: str) -> Raw:
    """The right to clone a claim or snapshot, or any if the name is empty (authorization.k8s.io/v1, type
    ResourceAttributes).
    """
    return {
        "namespace": namespace,
        "verb": "create",
        "group": DATA_SOURCE.group,
        "resource": "datavolumes",
        "subresource": "source",
        "name": name,
    }
