"""ConfigMaps and Secrets whose changes a running Pod sees, and how many of them a machine can show so.

A kubelet keeps a volume of them up to date, and a container sees that where it mounts the volume as a whole.
By subPath it sees the file as it was when the container started, so a disk that is made as the machine starts
is enough. What is to show changes is a virtiofs file system, and for each KubeVirt adds a container to the
launcher Pod (kubevirt.io/kubevirt, pkg/virt-controller/services/virtiofs.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls.parity.walk import containers

#: How many ConfigMaps and Secrets a machine shows with their changes (docs/adr/0034).
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
    """The volumes' sources that are too many to be shown with their changes."""
    seen: set[tuple[str, str]] = set()
    for path, kind, name in _shown(spec):
        seen.add((kind, name))
        if len(seen) > MOST_LIVE:
            yield UnsupportedField(path=path, reason=_TOO_MANY)
            seen.discard((kind, name))


def _shown(spec: Raw) -> Iterator[_Shown]:
    """What is shown with its changes: where the template says so, its kind and its name."""
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
