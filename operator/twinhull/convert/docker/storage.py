"""The mounts of a container: claims, emptyDirs, images, and the few paths that each node has."""

from __future__ import annotations

from typing import Any

from twinhull.api.group import Raw
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker import mounts
from twinhull.convert.docker.amounts import quantity, whole_bytes
from twinhull.convert.docker.bounds import MOST_VOLUMES
from twinhull.convert.docker.draft import ClaimUse, Draft
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue
from twinhull.convert.docker.images import image
from twinhull.convert.docker.mounts import Mount

#: Paths that every Linux node has itself, so that a hostPath means the same; with a `/` at the end, also the
#: paths below.
_NODES_OWN = (
    *(
        "/",
        "/proc",
        "/sys",
        "/sys/",
        "/dev",
        "/dev/",
        "/boot",
        "/lib/modules",
        "/usr/lib/modules",
        "/usr/src",
    ),
    *("/var/log", "/var/log/", "/run/udev", "/run/udev/", "/etc/os-release", "/etc/machine-id"),
)
#: Sockets of container runtimes. A node doesn't have them, or they aren't Docker's.
_SOCKETS = ("docker.sock", "podman.sock", "containerd.sock")
_CLOCKS = ("/etc/localtime", "/etc/timezone")
_PROPAGATIONS = {"rslave": "HostToContainer", "rshared": "Bidirectional", "rprivate": None}


def storage(options: GivenOptions, draft: Draft) -> None:
    """The options `volume`, `mount`, `tmpfs` and `shm-size`."""
    parsed = [_parsed(value, mounts.short) for value in options.take("volume")]
    parsed += [_parsed(value, mounts.long) for value in options.take("mount")]
    parsed += [_parsed(value, mounts.tmpfs) for value in options.take("tmpfs")]
    if (shm_size := options.last("shm-size")) is not None:
        parsed.append(Mount(shm_size.path, "tmpfs", "/dev/shm", size=whole_bytes(shm_size)))  # noqa: S108  the container's
    if len(parsed) > MOST_VOLUMES:
        raise CannotConvert(f"{parsed[-1].path}: a Workload has at most {MOST_VOLUMES} volumes: mount fewer")
    targets: dict[str, str] = {}
    for mount in parsed:
        if (first := targets.setdefault(mount.target, mount.path)) is not mount.path:
            raise CannotConvert(
                f"{mount.path}: {first} is mounted at {mount.target}, too: remove one of them"
            )
        _add(mount, draft)


def _parsed(value: InputValue, parse: Any) -> Mount:  # noqa: ANN401  Callable[[InputValue], Mount]
    return value.value if isinstance(value.value, Mount) else parse(value)


def _add(mount: Mount, draft: Draft) -> None:
    count_before = len(draft.mounts)
    match mount.kind:
        case "tmpfs":
            limit = {"sizeLimit": quantity(mount.size)} if mount.size else {}
            _mount(mount, draft, _own(mount, draft), {"emptyDir": {"medium": "Memory", **limit}})
        case "image":
            reference = image(InputValue(mount.path, mount.source))
            _mount(mount, draft, _own(mount, draft), {"image": {"reference": reference}})
        case "volume" if not mount.source:
            _mount(mount, draft, _own(mount, draft), {"emptyDir": {}})
            draft.leave(
                mount.path,
                "the volume is an emptyDir, which is new with each hull: name it to have a claim; Docker "
                "fills it with the image's files at that path, and Kubernetes doesn't",
            )
        case "volume":
            claim = draft.claim_names.of(mount.source)
            draft.claims.append(ClaimUse(mount.path, mount.source, claim))
            name = draft.volume_names.of(f"claim {claim}", claim)
            _mount(mount, draft, name, {"persistentVolumeClaim": {"claimName": claim}})
        case "bind":
            _bind(mount, draft)
    if len(draft.mounts) > count_before:
        for option, why in mount.left:
            draft.leave(f"{mount.path}: {option}" if " " in mount.path else f"{mount.path}.{option}", why)


_FILES = (
    "it is a path of this host, which a Pod doesn't have: put the files into a ConfigMap, a Secret, the "
    "image or a PersistentVolumeClaim, and mount that"
)
_DATA = (
    "it is a path of this host, which a Pod doesn't have, and what the container writes there is lost when "
    "its Pod ends: mount a PersistentVolumeClaim for data, or a ConfigMap or Secret for files that it reads"
)


def _bind(mount: Mount, draft: Draft) -> None:
    source = mount.source.rstrip("/") or "/"
    if source.endswith(_SOCKETS):
        draft.leave(
            mount.path,
            "it is the socket of a container runtime, which Pods must not have: use the API server",
        )
    elif source in _CLOCKS:
        draft.leave(mount.path, "it is this host's time zone: set the variable TZ")
    elif not _is_nodes_own(source):
        draft.leave(
            mount.path,
            _FILES if mount.read_only else _DATA,
        )
    else:
        _mount(
            mount,
            draft,
            draft.volume_names.of(f"host {source}", f"host-{source}"),
            {"hostPath": {"path": source}},
        )


def _is_nodes_own(source: str) -> bool:
    below = tuple(path for path in _NODES_OWN if path.endswith("/") and path != "/")
    return ".." not in source.split("/") and (source in _NODES_OWN or source.startswith(below))


def _own(mount: Mount, draft: Draft) -> str:
    return draft.volume_names.of(mount.target)


def _mount(mount: Mount, draft: Draft, name: str, volume: Raw) -> None:
    """Mount a volume, and add it to the template unless that has it."""
    if name not in {other["name"] for other in draft.volumes}:
        draft.volumes.append({"name": name, **volume})
    if mount.subpath.startswith("/") or ".." in mount.subpath.split("/"):
        raise CannotConvert(
            f"{mount.path}: {mount.subpath[:80]!r} can't be a path in a volume: remove the '/' or '..'"
        )
    propagation = _PROPAGATIONS.get(mount.propagation)
    if propagation == "Bidirectional" and not draft.security.get("privileged"):
        draft.leave(mount.path, "mounts go from a container to its node only if it is privileged")
        propagation = None
    if mount.propagation and mount.propagation not in _PROPAGATIONS:
        draft.leave(mount.path, f"Kubernetes has nothing like the propagation {mount.propagation[:20]}")
    draft.mounts.append(
        {
            "name": name,
            "mountPath": mount.target,
            **({"readOnly": True} if mount.read_only or mount.kind == "image" else {}),
            **({"subPath": mount.subpath} if mount.subpath else {}),
            **({"mountPropagation": propagation} if propagation else {}),
        }
    )
