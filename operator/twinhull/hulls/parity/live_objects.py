"""ConfigMaps and Secrets whose changes a running Pod sees, and how many of them a machine can show.

A kubelet keeps volumes of them up to date. A container that mounts the volume as a whole sees the changes.
With subPath it sees the file as it was when the container started, so a disk made at the machine's start is
enough. An object whose changes are shown needs a virtiofs file system, for which KubeVirt adds a container to
the launcher Pod (kubevirt.io/kubevirt, pkg/virt-controller/services/virtiofs.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls.parity.walk import containers

#: The most ConfigMaps and Secrets whose changes a machine shows (docs/adr/0034).
MOST_LIVE = 16

_Shown = tuple[str, Literal["ConfigMap", "Secret"], str]

_TOO_MANY = (
    f"a machine follows the changes of {MOST_LIVE} ConfigMaps and Secrets at most, since each adds a "
    "container to the launcher Pod: mount this one with subPath, put several into one object, or use "
    "isolation Container"
)


def mounted_whole(spec: Raw) -> set[str]:
    """The names of the volumes that a container mounts as a whole, so that it sees their changes."""
    return {
        mount["name"]
        for _, container in containers(spec)
        for mount in container.get("volumeMounts") or ()
        if not (mount.get("subPath") or mount.get("subPathExpr"))
    }


def too_many_live(spec: Raw) -> Iterator[UnsupportedField]:
    """The objections to the ConfigMaps and Secrets beyond the first MOST_LIVE."""
    seen: set[tuple[str, str]] = set()
    for path, kind, name in _shown(spec):
        seen.add((kind, name))
        if len(seen) > MOST_LIVE:
            yield UnsupportedField(path=path, reason=_TOO_MANY)
            seen.discard((kind, name))


def _shown(spec: Raw) -> Iterator[_Shown]:
    """The ConfigMaps and Secrets whose changes are shown: the path in the template, the kind and the name."""
    whole = mounted_whole(spec)
    for volume in spec.get("volumes") or ():
        if volume["name"] not in whole:
            continue
        at = f"spec.volumes[{volume['name']}]"
        if secret := volume.get("secret"):
            yield f"{at}.secret", "Secret", secret.get("secretName") or ""
        if config_map := volume.get("configMap"):
            yield f"{at}.configMap", "ConfigMap", config_map.get("name") or ""
        for index, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if config_map := source.get("configMap"):
                yield f"{at}.projected.sources[{index}].configMap", "ConfigMap", config_map.get("name") or ""
            if secret := source.get("secret"):
                yield f"{at}.projected.sources[{index}].secret", "Secret", secret.get("name") or ""
