"""Mounts: reads `--volume`, `--mount` and `--tmpfs`, and Compose's `volumes` and `tmpfs`, into one form.

Source: docker run's reference, docs.docker.com/engine/storage, and the Compose Specification (`volumes`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.amounts import whole_bytes
from twinhull.convert.docker.draft import Refused
from twinhull.convert.docker.givenoptions import InputValue

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]")
_VOLUME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
#: The beginnings of a path of the host. The last two are those of variables that a shell didn't expand.
_HOST = ("/", ".", "~", "\\", "$", "%")
Kind = Literal["volume", "bind", "tmpfs", "image"]


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount of a container."""

    #: Its place in the input.
    path: str
    kind: Kind
    #: The path in the container.
    target: str
    #: A volume's name, a path of the host, or an image; empty if the mount has none.
    source: str = ""
    read_only: bool = False
    #: The path in the volume or the image.
    subpath: str = ""
    #: The size of a tmpfs in bytes.
    size: int | None = None
    #: The propagation of a bind mount, such as rslave.
    propagation: str = ""
    #: Options without a meaning in Kubernetes: (option, why it is left out).
    left: tuple[tuple[str, str], ...] = field(default=())


#: Options of `--volume`, and why each of them isn't carried over; None for options that aren't named.
_SELINUX = "the kubelet labels volumes for SELinux itself, and leaves the node's own files as they are"
_CACHED = "it tuned Docker Desktop's file sharing"
_IGNORED: dict[str, str | None] = {
    "rw": None,
    "nocopy": None,  # Kubernetes copies nothing
    "z": _SELINUX,
    "Z": _SELINUX,
    "U": "the kubelet gives a claim to the Pod's fsGroup: set it in the Pod's securityContext",
    **dict.fromkeys(("cached", "delegated", "consistent"), _CACHED),
}
_PROPAGATIONS = ("shared", "slave", "private", "rshared", "rslave", "rprivate")
_TMPFS = "an emptyDir has no mount options: the node mounts it with its own"


def short(entry: InputValue) -> Mount:
    """A mount as `--volume` takes it: [source:]target[:options]. Raises CannotConvert for an invalid one."""
    source, target, options = _parts(entry)
    left: list[tuple[str, str]] = []
    propagation = ""
    for option in filter(None, options.split(",")):
        if option in _PROPAGATIONS:
            propagation = option
        elif option not in {"ro", "readonly", *_IGNORED}:
            left.append((option, "it has no counterpart in Kubernetes"))
        elif why := _IGNORED.get(option):
            left.append((option, why))
    return mount(
        entry,
        _kind(entry, source),
        target,
        source=source,
        read_only=bool({"ro", "readonly"} & set(options.split(","))),
        propagation=propagation,
        left=tuple(left),
    )


def tmpfs(entry: InputValue) -> Mount:
    """A mount as `--tmpfs` takes it: target[:options]. Raises CannotConvert for an invalid one."""
    target, _, options = str(entry.value).strip().partition(":")
    size, read_only, left = None, False, []
    for option in filter(None, options.split(",")):
        key, _, value = option.partition("=")
        if key == "size" and not value.endswith("%"):
            size = whole_bytes(InputValue(entry.path, value))
        elif key == "ro":
            read_only = True
        elif key not in {"rw", "defaults"}:
            left.append((option, _TMPFS))
    return mount(entry, "tmpfs", target, size=size, read_only=read_only, left=tuple(left))


#: The keys of `--mount`, each with its name in this code.
_KEYS = {
    **dict.fromkeys(("source", "src"), "source"),
    **dict.fromkeys(("target", "dst", "destination"), "target"),
    **dict.fromkeys(("readonly", "ro"), "readonly"),
    **{
        key: key
        for key in (
            "type",
            "volume-subpath",
            "image-subpath",
            "tmpfs-size",
            "bind-propagation",
            "volume-nocopy",
        )
    },
}
_CLASS = "the cluster's StorageClass decides what a claim is made of: set storageClassName of the claim"
_MOUNT_LEFT = {
    "tmpfs-mode": _TMPFS,
    "consistency": _CACHED,
    "bind-nonrecursive": "Kubernetes mounts what is below the path, too",
    "bind-recursive": "Kubernetes mounts what is below the path, too",
    "bind-create-src": "the path has to be there",
    **dict.fromkeys(("volume-driver", "volume-opt"), _CLASS),
    "volume-label": "set it as a label of the claim",
}


def long(entry: InputValue) -> Mount:
    """A mount as `--mount` takes it: key=value,…. Raises CannotConvert for an invalid one."""
    values: dict[str, str] = {}
    left: list[tuple[str, str]] = []
    for part in str(entry.value).split(","):
        key, _, value = part.strip().partition("=")
        if why := _MOUNT_LEFT.get(key):
            left.append((part, why))
        elif key not in _KEYS:
            raise CannotConvert(f"{entry.path}: {key[:40]!r} is no key of a mount: correct it, or remove it")
        else:
            values[_KEYS[key]] = value
    kind = values.get("type", "volume")
    size = values.get("tmpfs-size")
    return mount(
        entry,
        kind_of(entry, kind),
        values.get("target", ""),
        source=values.get("source", ""),
        read_only=_is_on(values.get("readonly")),
        subpath=values.get("volume-subpath", values.get("image-subpath", "")),
        size=whole_bytes(InputValue(entry.path, size)) if size else None,
        propagation=values.get("bind-propagation", ""),
        left=tuple(left),
    )


def kind_of(entry: InputValue, kind: str) -> Kind:
    """A kind of mount. Raises Refused for a kind without a counterpart in Kubernetes."""
    if kind not in {"volume", "bind", "tmpfs", "image"}:
        raise Refused(
            f"{entry.path}: a mount of type {kind[:40]!r} has no counterpart here: use volume, bind, tmpfs "
            "or image"
        )
    return kind  # type: ignore[return-value]


def mount(entry: InputValue, kind: Kind, target: str, **fields: object) -> Mount:
    """A mount whose target is checked. Raises CannotConvert if that isn't a path, and Refused for a path of
    Windows.
    """
    cleaned = target.strip()
    if _WINDOWS.match(cleaned):
        raise Refused(f"{entry.path}: {cleaned[:80]!r} is a path of Windows: a Workload runs Linux")
    cleaned = re.sub(r"/+", "/", cleaned).rstrip("/") if cleaned != "/" else cleaned
    if not cleaned.startswith("/") or cleaned == "/" or ":" in cleaned or ".." in cleaned.split("/"):
        raise CannotConvert(
            f"{entry.path}: {target[:80]!r} is no path in a container: write one such as /data"
        )
    return Mount(entry.path, kind, cleaned, **fields)  # type: ignore[arg-type]


def _parts(entry: InputValue) -> tuple[str, str, str]:
    """Source, target and options. A drive of Windows has a colon of its own."""
    text = str(entry.value).strip()
    drive = text[:2] if _WINDOWS.match(text) else ""
    parts = text[len(drive) :].split(":")
    if not drive and len(parts) == 1:
        return "", text, ""
    source, *rest = parts
    if not 1 <= len(rest) <= 2 or not (drive + source):  # noqa: PLR2004  target and options
        raise CannotConvert(
            f"{entry.path}: {text[:80]!r} is no mount: write one such as data:/var/lib/data:ro"
        )
    return drive + source, rest[0], rest[1] if len(rest) > 1 else ""


def _kind(entry: InputValue, source: str) -> Kind:
    if not source:
        return "volume"
    if source.startswith(_HOST) or _WINDOWS.match(source):
        return "bind"
    if not _VOLUME.fullmatch(source):
        raise CannotConvert(
            f"{entry.path}: {source[:80]!r} is neither a path nor a volume's name: correct it"
        )
    return "volume"


def _is_on(value: str | None) -> bool:
    return value is not None and value.lower() not in {"false", "0"}
