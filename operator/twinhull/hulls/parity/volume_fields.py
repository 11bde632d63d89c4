"""The parity table's rows of a volume, with paths from the volume on."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.hulls.parity.container_fields import ALPHA, PULLS, field_reference
from twinhull.hulls.parity.filesystem_claims import VIRTIOFS_STORAGE
from twinhull.hulls.parity.live_objects import MOST_LIVE
from twinhull.hulls.parity.row import ParityRow, all_same, but, machine, refused, same

_LIVE = (
    f"KubeVirt shares the object with the guest by virtiofs, and the guest sees its changes: {MOST_LIVE} "
    "objects at most. If it is mounted only by subPath, it is a disk with the content that it had when "
    "the machine started"
)
_SIZE = (
    "a volume in memory is as in a Pod; for a volume on disk, the size of the machine's own disk is the "
    "bound, and exceeding the limit evicts nothing"
)
_NEEDS_API_SERVER = (
    "its content comes from the API server, to which the guest has no access; use a {kind}, or "
    "isolation Container"
)
_STORAGE = "the guest can't mount such volumes; use a PersistentVolumeClaim, or isolation Container"
_AUDIENCE = (
    "KubeVirt gives a machine tokens for the cluster's own audience only; remove it, or use "
    "isolation Container"
)

_NO_NODE_ADDRESS = "no volume can have the node's address, not even in a Pod; use a variable"

#: The sources of volumes that only a node can mount, or that Kubernetes itself no longer mounts.
_NODE_SOURCES = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "fc"),
    *("flexVolume", "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "iscsi", "nfs"),
    *("photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume"),
)


def _files(at: str) -> Iterator[ParityRow]:
    """The rows of a ConfigMap's or Secret's files."""
    yield from all_same(at, "optional items[].key items[].path items[].mode")
    yield refused(f"{at}items[].user", ALPHA)


def _downward(at: str) -> Iterator[ParityRow]:
    yield from all_same(f"{at}items[].", "path mode")
    yield from field_reference(f"{at}items[].", _NO_NODE_ADDRESS)
    yield refused(f"{at}items[].user", ALPHA)


def _modes(at: str) -> Iterator[ParityRow]:
    yield same(f"{at}defaultMode")
    yield refused(f"{at}defaultUser", ALPHA)


def _projected(at: str) -> Iterator[ParityRow]:
    yield same(f"{at}configMap.name", _LIVE)
    yield from _files(f"{at}configMap.")
    yield same(f"{at}secret.name", _LIVE)
    yield from _files(f"{at}secret.")
    yield from _downward(f"{at}downwardAPI.")
    token = f"{at}serviceAccountToken."
    yield same(f"{token}path")
    yield machine(f"{token}expirationSeconds", "KubeVirt's token may expire sooner; it is renewed in time")
    yield refused(f"{token}audience", _AUDIENCE)
    yield refused(f"{token}user", ALPHA)
    yield refused(f"{at}clusterTrustBundle", _NEEDS_API_SERVER.format(kind="ConfigMap"))
    yield refused(f"{at}podCertificate", _NEEDS_API_SERVER.format(kind="Secret"))


VOLUME: tuple[ParityRow, ...] = (
    same("name"),
    same("configMap.name", _LIVE),
    *_files("configMap."),
    *_modes("configMap."),
    same("secret.secretName", _LIVE),
    *_files("secret."),
    *_modes("secret."),
    *_downward("downwardAPI."),
    *_modes("downwardAPI."),
    *_projected("projected.sources[]."),
    *_modes("projected."),
    but(
        same("emptyDir.medium"),
        "the machine has no huge pages; use Memory, or isolation Container",
        "HugePages*",
    ),
    machine("emptyDir.sizeLimit", _SIZE),
    refused("emptyDir.mode", ALPHA, "[0-9]*"),
    same("image.reference", "the guest pulls it, as it pulls its containers' images"),
    same("image.pullPolicy", PULLS),
    machine(
        "persistentVolumeClaim.claimName",
        "a block claim (volumeDevices) is a disk of the machine; KubeVirt shares a filesystem claim "
        f"(volumeMounts) with it by virtiofs, which needs KubeVirt's feature gate {VIRTIOFS_STORAGE}, or the "
        "machine has either claim as a disk with a file system (spec.virtualMachine.claims)",
    ),
    same("persistentVolumeClaim.readOnly", "containers can only read the device or the files"),
    machine(
        "ephemeral",
        "the operator makes the claim, as Kubernetes makes it for a Pod; it is named after the "
        "VirtualMachine, which owns it; the machine uses it like a persistentVolumeClaim",
        below=True,
    ),
    refused("hostPath", "the machine can't see its node's files; use isolation Container"),
    *(refused(source, _STORAGE) for source in _NODE_SOURCES),
)
