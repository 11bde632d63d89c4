"""Clone sources: from what a disk is cloned whose source is a DataSource, and whether it may be.

CDI asks whether the account that makes a DataVolume may clone what it names. In another namespace a right
to create Pods there is enough for it (cdi.kubevirt.io/v1beta1, authorize_utils.go), and the operator has
that right everywhere. So the operator itself asks for the one right that is meant, before it makes the
DataVolume for somebody who may have neither. The DataVolume then names the claim or snapshot that was looked
at, and not the DataSource, which somebody may lead elsewhere meanwhile.
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


async def resolved(cluster: Cluster, namespace: str, volume: Raw) -> Raw:
    """A DataVolume that is to be made in a namespace, with the claim or snapshot in place of the DataSource
    that it names. One that names none is as it was.

    Raises Refused if there is no such DataSource, or it leads to a namespace that doesn't give its disks
    away; Undone while the DataSource leads to nothing.
    """
    reference = volume["spec"].get("sourceRef")
    if reference is None:
        return volume
    what = f"DataSource {reference['name']} in namespace {reference['namespace']}"
    data_source = await cluster.get(DATA_SOURCE, reference["namespace"], reference["name"])
    if data_source is None:
        raise Refused(f"{what} doesn't exist: correct source.dataSource, or create it")
    source = (data_source.get("spec") or {}).get("source") or {}
    if source.get("dataSource"):  # of one that leads on, CDI says where it leads
        source = (data_source.get("status") or {}).get("source") or {}
    kind = next((kind for kind in _CLONED if source.get(kind)), None)
    if kind is None:
        words = ("kubectl", "get", "datasource", reference["name"])
        see = commands.others(reference["namespace"], *words)
        sentence = f"{what} leads to no claim or snapshot yet: see {see}"
        raise Undone(RefusalCause(Reason.DISK_WAITING, sentence, final=False))
    name, owner = source[kind]["name"], source[kind].get("namespace") or namespace
    if owner != namespace and not await cluster.may(_cloning(owner, name)):
        raise Refused(
            f"{what} leads to namespace {owner}, which doesn't let the operator clone disks: give the "
            "operator's ServiceAccount the right to create datavolumes/source there, if every Workload may "
            "have what is on them, or name another DataSource"
        )
    spec = {key: value for key, value in volume["spec"].items() if key != "sourceRef"}
    return {**volume, "spec": {**spec, "source": {kind: {"namespace": owner, "name": name}}}}


def _cloning(namespace: str, name: str) -> Raw:
    """The right to clone a claim or snapshot (authorization.k8s.io/v1, type ResourceAttributes)."""
    return {
        "namespace": namespace,
        "verb": "create",
        "group": DATA_SOURCE.group,
        "resource": "datavolumes",
        "subresource": "source",
        "name": name,
    }
