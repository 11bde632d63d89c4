"""Labels, annotations and node labels whose meaning in Kubernetes or KubeVirt a machine can't honour.

All others mean the same to a machine and to a Pod, or nothing to both.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from twinhull.api.base import Raw
from twinhull.api.workloadstatus import UnsupportedField


class Key(NamedTuple):
    """A pattern of keys in a map of the template that a machine can't honour."""

    #: The map's path within the template.
    path: str
    #: A pattern of the keys.
    key: str
    #: Why a machine can't honour them, and what to do.
    why: str
    #: A pattern of values that a machine honours; None if it honours none.
    unless: str | None = None


_ANNOTATIONS, _LABELS, _NODES = "metadata.annotations", "metadata.labels", "spec.nodeSelector"
_WINDOWS = "the guest runs Linux; remove it, or use isolation Container"
_WRITTEN = "KubeVirt sets it on machines and their launcher Pods, and depends on its value; remove it"

#: Sources: kubernetes.io/docs/reference/labels-annotations-taints; k8s.io/kubernetes, pkg/kubelet/types
#: (pod_update.go); kubevirt.io/api/core/v1 (types.go); kubevirt.io/kubevirt, pkg/virt-controller/services
#: (template.go, podLabels) and pkg/virt-api (vmi-create-admitter.go, restrictedVmiLabels).
KEYS: tuple[Key, ...] = (
    Key(
        _ANNOTATIONS,
        "container.apparmor.security.beta.kubernetes.io/*",
        "the guest has no AppArmor, and the API server refuses it on the launcher Pod, which has no such "
        "container; remove it",
    ),
    Key(
        _ANNOTATIONS,
        "kubernetes.io/config.*",
        "the kubelet sets it, and recognizes static Pods by it; remove it",
    ),
    Key(_ANNOTATIONS, "experimental.windows.kubernetes.io/*", _WINDOWS),
    Key(
        _ANNOTATIONS,
        "k8s.v1.cni.cncf.io/networks",
        "it attaches networks to the launcher Pod, which don't reach the machine; use networks and "
        "interfaces in spec.virtualMachine.overrides, or isolation Container",
    ),
    *(
        Key(_LABELS, key, _WRITTEN)
        for key in (
            *("kubevirt.io", "kubevirt.io/created-by", "kubevirt.io/migrationJobUID", "kubevirt.io/nodeName"),
            *("kubevirt.io/migrationTargetNodeName", "kubevirt.io/schedulable"),
            *("kubevirt.io/install-strategy", "vm.kubevirt.io/name", "vmi.kubevirt.io/id"),
        )
    ),
    Key(
        _LABELS,
        "logVerbosity",
        "KubeVirt sets the launcher's log verbosity from it, and makes no launcher if it isn't a number; "
        "remove it, or use another key",
        unless="[0-9]",
    ),
    Key(_NODES, "kubernetes.io/os", _WINDOWS, unless="linux"),
    Key(_NODES, "beta.kubernetes.io/os", _WINDOWS, unless="linux"),
    Key(_NODES, "node.kubernetes.io/windows-build", _WINDOWS),
)


def unsupported_keys(template: Raw) -> Iterator[UnsupportedField]:
    """The objections to the keys of a template."""
    for path in dict.fromkeys(key.path for key in KEYS):
        above, _, name = path.partition(".")
        for key, value in ((template.get(above) or {}).get(name) or {}).items():
            if why := next((row.why for row in KEYS if row.path == path and _refuses(row, key, value)), ""):
                yield UnsupportedField(path=f"{path}[{key}]", reason=why)


def _refuses(row: Key, key: str, value: object) -> bool:
    honoured = row.unless is not None and fnmatchcase(str(value), row.unless)
    return fnmatchcase(key, row.key) and not honoured
