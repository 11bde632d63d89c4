"""What the operator renders for a Workload, with the objects that it refers to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from twinhull.api.registry import ClusterRegistry
from twinhull.api.workload import Workload
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Observed
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.manifest import DIGEST_ANNOTATION, MANIFEST_FILE, digest, text
from twinhull.shell.guest_certificate import new_client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.controlplane import Api

Raw = dict[str, Any]
#: The containerDisk's name; nothing pulls it, the harness has the files.
GUEST_IMAGE = "guest.test/twinhull-guest:1"
#: What the operator works out the guests' certificates from.
SECRET = b"of these tests, for these tests, and no longer than they run"


class Objects(Protocol):
    """Where a launcher Pod's node finds what the Pod's volumes show."""

    def get(self, kind: str, name: str, namespace: str) -> Raw | None:
        """The object, None if there is none."""


@dataclass
class ObjectStore:
    """Objects in memory, all of one namespace."""

    objects: dict[tuple[str, str], Raw] = field(default_factory=dict)

    def put(self, *objects: Raw) -> None:
        """Adds objects, or changes them."""
        self.objects |= {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}

    def get(self, kind: str, name: str, namespace: str) -> Raw | None:  # noqa: ARG002
        """The object, None if there is none."""
        return self.objects.get((kind, name))


@dataclass(frozen=True)
class Rendered:
    """A VirtualMachine, its Workload's uid, and the objects that it refers to."""

    workload_uid: str
    vm: Raw
    objects: Objects
    secret: bytes = SECRET

    def client(self) -> bytes:
        """A key and certificate (PEM) by which the guest knows the operator."""
        return new_client(self.secret, self.workload_uid, datetime.now(UTC))


def render(  # noqa: PLR0913  one parameter a part
    workload: Mapping[str, Any],
    store: ObjectStore,
    mirrors: Mapping[str, str],
    changes: Mapping[str, Any] | None = None,
    registries: tuple[ClusterRegistry, ...] = (),
    *,
    keyed: bool = True,
) -> Rendered:
    """What the operator would make of a Workload, without any API server. A manifest goes into `store`.

    `mirrors` are the addresses of the registries that the operator is configured with, by the host that
    images are named with. `registries` are further ones, with all of their settings. `changes` replace parts
    of the manifest by what no operator would write. Unless `keyed`, the operator has no key for guests.
    """
    known = (*(ClusterRegistry(host=host, mirrors=(url,)) for host, url in mirrors.items()), *registries)
    defaults = OperatorDefaults(
        guest_image=GUEST_IMAGE, registries=known, guest_secret=SECRET if keyed else None
    )
    seen = Observed(capabilities=Capabilities(kubevirt="Deployed", panic_devices=True))
    case = Case(Workload.model_validate(workload), seen, defaults, datetime.now(UTC))
    *manifests, vm = case.desired.hull_objects  # none for a machine that boots a disk of its own
    if changes:
        (manifest,) = manifests
        changed = json.loads(manifest["data"][MANIFEST_FILE]) | dict(changes)
        manifest = {**manifest, "data": {MANIFEST_FILE: json.dumps(changed)}}
        vm["spec"]["template"]["metadata"]["annotations"][DIGEST_ANNOTATION] = digest(text(manifest))
        manifests = [manifest]
    store.put(*manifests)
    return Rendered(case.workload.metadata.uid, vm, store)


def forged(store: ObjectStore, rendered: Rendered, image: str) -> Raw:
    """The machine's ConfigMap with another image, as anybody can change it who may write ConfigMaps."""
    about = rendered.vm["metadata"]
    manifest = store.get("ConfigMap", about["name"], about["namespace"])
    assert manifest is not None
    changed = json.loads(text(manifest))
    for container in changed["pod"]["spec"]["containers"]:
        container["image"] = image
    return {**manifest, "data": {MANIFEST_FILE: json.dumps(changed)}}


def fetch(api: Api, namespace: str, workload: str, secret: bytes = SECRET) -> Rendered:
    """What the operator created for a Workload in a cluster. Raises LookupError while that isn't there."""
    found = api.get("Workload", workload, namespace)
    vms = api.list("VirtualMachine", namespace, labels=f"twinhull.dev/workload={workload}")
    if found is None or not vms:
        raise LookupError(f"there is no machine for {workload} yet")
    return Rendered(found["metadata"]["uid"], vms[0], _Cluster(api), secret)


@dataclass(frozen=True)
class _Cluster:
    api: Api

    def get(self, kind: str, name: str, namespace: str) -> Raw | None:
        found = self.api.get(kind, name, namespace)
        return None if found is None else {"kind": kind, **found}
