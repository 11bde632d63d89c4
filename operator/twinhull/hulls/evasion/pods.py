"""The fields of a Pod that reach past its sandbox to the node.

Source: Kubernetes' Pod Security Standards (level Baseline).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.hulls.applied import Applied
from twinhull.hulls.evasion.fields import (
    CALLED,
    DEVICES,
    PROBES,
    Evasion,
    asks,
    hands_out,
    of_annotations,
    of_keys,
    of_outlined,
)
from twinhull.hulls.hull import Hull
from twinhull.hulls.parity.walk import fields

_DEBUG = "ephemeralContainers"
#: The lists of containers. Pods may have ephemeral containers, templates may not (core/v1, type
#: EphemeralContainer).
_CONTAINERS = ("spec.containers[].", "spec.initContainers[].", f"spec.{_DEBUG}[].")
_HOST_PROCESS = "securityContext.windowsOptions.hostProcess"
_CALLS = (*PROBES, "lifecycle.postStart.", "lifecycle.preStop.")
_DIRECTORY = "it is a directory of the node"
_UNCONFINED = "it removes a confinement by which the node protects itself from the sandbox"
_SELINUX_USER = "it chooses how the node's SELinux confines the sandbox"
#: The fields of a template, by their paths from spec.template on, that reach the node, each with the reason.
_REACHING_FIELDS: Mapping[str, str] = {
    "spec.hostNetwork": "it is the node's network",
    "spec.hostPID": "it shows the node's processes",
    "spec.hostIPC": "it is the node's shared memory",
    "spec.volumes[].hostPath": _DIRECTORY,
    "spec.resourceClaims": DEVICES,
    **{f"{at}ports[].hostPort": "it is a port of the node" for at in _CONTAINERS},
    **{f"{at}securityContext.privileged": "it gives access to the node's devices" for at in _CONTAINERS},
    **{f"{at}{_HOST_PROCESS}": "it is a process of the node" for at in ("spec.", *_CONTAINERS)},
    **{
        f"{at}{call}{host}.host": CALLED
        for at in _CONTAINERS
        for call in _CALLS
        for host in ("httpGet", "tcpSocket")
    },
    **{
        f"{at}securityContext.seLinuxOptions.{field}": _SELINUX_USER
        for at in ("spec.", *_CONTAINERS)
        for field in ("user", "role")
    },
}
#: The fields of a template that reach the node with any other than these values, each with the reason.
_HARMLESS_VALUES: Mapping[str, tuple[tuple[str, ...], str]] = {
    **{f"{at}securityContext.procMount": (("Default",), "it shows all of /proc") for at in _CONTAINERS},
    **{
        f"{at}securityContext.{field}.type": (("", "RuntimeDefault", "Localhost"), _UNCONFINED)
        for at in ("spec.", *_CONTAINERS)
        for field in ("appArmorProfile", "seccompProfile")
    },
    **{
        f"{at}securityContext.seLinuxOptions.type": (
            ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"),
            _SELINUX_USER,
        )
        for at in ("spec.", *_CONTAINERS)
    },
}


def of_template(template: Raw) -> Iterator[Evasion]:
    """The evasions of a template in a sandbox."""
    yield from of_annotations(template, in_machine=False)
    yield from _of_fields(template)


def of_hull(hull: Hull) -> tuple[Evasion, ...]:
    """The evasions of an existing Pod in a sandbox, whatever the Workload's spec says now. Of its labels,
    annotations, containers and volumes only those of the template count that it was made from: CNI plugins,
    webhooks and others add theirs. All of them count if the Pod has no note of the template's.
    """
    return of_outlined(hull.obj) if UNREAD in hull.obj else _in_pod(hull.obj, hull.applied)


def of_debug_containers(hull: Hull) -> tuple[Evasion, ...]:
    """The evasions of a Pod's ephemeral containers. No spec has these: people who may not create Pods may
    still add ephemeral containers (`kubectl debug`).
    """
    return tuple(_debugging(hull.obj["spec"]))


def past_sandbox(pod: Raw) -> str:
    """The path of a Pod's first evasion in a sandbox, empty if it has none."""
    return next((evasion.path for evasion in _in_pod(pod, Applied.read(pod))), "")


def _in_pod(pod: Raw, applied: Applied | None) -> tuple[Evasion, ...]:
    metadata, spec = pod["metadata"], pod["spec"]
    if applied is not None:
        metadata = of_keys(metadata, applied.labels, applied.annotations)
        spec = applied.part_of(spec)
    template = {key: value for key, value in spec.items() if key != _DEBUG}
    return (*of_template({"metadata": metadata, "spec": template}), *_debugging(pod["spec"]))


def _debugging(spec: Raw) -> Iterator[Evasion]:
    """The evasions of a Pod's ephemeral containers, with their paths in the Pod. A volume that they mount may
    be a webhook's.
    """
    added = spec.get(_DEBUG) or ()
    for evasion in _of_fields({"spec": {_DEBUG: added}}) if added else ():
        yield Evasion(evasion.path.removeprefix("spec.template."), evasion.why)
    of_node = {volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath")}
    for container in added:
        for mount in container.get("volumeMounts") or ():
            if mount["name"] in of_node:
                path = f"spec.{_DEBUG}[{container['name']}].volumeMounts[{mount['name']}]"
                yield Evasion(path, _DIRECTORY)


def _of_fields(template: Raw) -> Iterator[Evasion]:
    for path, where, value in fields(template):
        if path in _REACHING_FIELDS and asks(value):
            yield Evasion(f"spec.template.{where}", _REACHING_FIELDS[path])
        elif path in _HARMLESS_VALUES and value not in _HARMLESS_VALUES[path][0]:
            yield Evasion(f"spec.template.{where}", _HARMLESS_VALUES[path][1])
        elif hands_out(path, value):
            yield Evasion(f"spec.template.{where}", DEVICES)
