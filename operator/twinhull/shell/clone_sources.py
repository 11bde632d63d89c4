"""Clone sources: the claim or snapshot to which a disk's DataSource leads, and whether the operator may clone
it.

CDI checks whether the account that creates a DataVolume may clone its source. For another namespace the right
to create Pods there is enough (cdi.kubevirt.io/v1beta1, authorize_utils.go), and the operator has that right
everywhere. So the operator checks the specific right itself, before it creates the DataVolume for somebody
who may have neither. The DataVolume then names the claim or snapshot that was checked, and not the
DataSource, which somebody may change meanwhile.

Somebody who names another namespace's DataSource may have no right to read it. Unless the operator may clone
its claim or snapshot, the message is always the same: it doesn't tell whether the DataSource exists, or where
it leads.
"""

from __future__ import annotations

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import DATA_SOURCE
from twinhull.shell.refusals import RefusalCause, Undone

#: The kinds of sources that are cloned, in CDI's words.
_CLONED = ("pvc", "snapshot")
#: The advice if the right is missing.
_GIVE = (
    "give the operator's ServiceAccount the right to create datavolumes/source {}, if every Workload may "
    "have what is on the disks there, or name another DataSource"
)


async def resolved(cluster: Cluster, namespace: str, volume: Raw) -> Raw:
    """A DataVolume with the claim or snapshot in place of its DataSource. A DataVolume without a DataSource
    is returned as it is.

    Raises Refused if the DataSource doesn't exist, or leads to a namespace whose disks the operator may not
    clone. Raises Undone while the DataSource leads to nothing.
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
    """The source of a DataSource. If it leads to another DataSource, the one that CDI has put into its
    status.
    """
    source: Raw = (data_source.get("spec") or {}).get("source") or {}
    if source.get("dataSource"):
        source = (data_source.get("status") or {}).get("source") or {}
    return source


def _cloning(namespace: str, name: str) -> Raw:
    """The right to clone a claim or snapshot, or all of a namespace if the name is empty
    (authorization.k8s.io/v1, type ResourceAttributes).
    """
    return {
        "namespace": namespace,
        "verb": "create",
        "group": DATA_SOURCE.group,
        "resource": "datavolumes",
        "subresource": "source",
        "name": name,
    }
