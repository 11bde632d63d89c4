"""What of a Pod would reach past its sandbox to the node.

Read from Kubernetes' Pod Security Standards (level Baseline).
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
    untold,
)
from twinhull.hulls.hull import Hull
from twinhull.hulls.parity.walk import fields

_DEBUG = "ephemeralContainers"
#: Templates have no ephemeral containers, but Pods may have (core/v1, type EphemeralContainer).
_CONTAINERS = ("spec.containers[].", "spec.initContainers[].", f"spec.{_DEBUG}[].")
_HOST_PROCESS = "securityContext.windowsOptions.hostProcess"
_CALLS = (*PROBES, "lifecycle.postStart.", "lifecycle.preStop.")
_DIRECTORY = "it is a directory of the node"
_UNCONFINED = "it removes a confinement by which the node protects itself from the sandbox"
_SELINUX_USER = "it chooses how the node's SELinux confines the sandbox"
#: Fields of a template, from spec.template on.
_IN_SANDBOX: Mapping[str, str] = {
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
#: Fields of a template of which some values reach the node, and which values don't.
_VALUES_IN_SANDBOX: Mapping[str, tuple[tuple[str, ...], str]] = {
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
    """What of a template reaches past a sandbox."""
    yield from of_annotations(template, in_machine=False)
    yield from _of_fields(template)


def of_hull(hull: Hull) -> tuple[Evasion, ...]:
    """What of a Pod that is there reaches past a sandbox, whatever the Workload says by now. Of its labels,
    annotations, containers and volumes, those of the template that it was made from: CNI plugins, webhooks
    and others add theirs. All of them, if it has no note of that template's.
    """
    return untold(hull.obj) if UNREAD in hull.obj else _in_pod(hull.obj, hull.applied)


def of_debug_containers(hull: Hull) -> tuple[Evasion, ...]:
    """What of the ephemeral containers of a Pod reaches past a sandbox. The spec says nothing of them: who
    may not create Pods may still add them (`kubectl debug`).
    """
    return tuple(_debugging(hull.obj["spec"]))


def past_sandbox(pod: Raw) -> str:
    """The first of what of a Pod reaches past a sandbox, empty if nothing does."""
    return next((evasion.path for evasion in _in_pod(pod, Applied.read(pod))), "")


def _in_pod(pod: Raw, applied: Applied | None) -> tuple[Evasion, ...]:
    metadata, spec = pod["metadata"], pod["spec"]
    if applied is not None:
        metadata = of_keys(metadata, applied.labels, applied.annotations)
        spec = applied.part_of(spec)
    template = {key: value for key, value in spec.items() if key != _DEBUG}
    return (*of_template({"metadata": metadata, "spec": template}), *_debugging(pod["spec"]))


def _debugging(spec: Raw) -> Iterator[Evasion]:
    """The same of a Pod's ephemeral containers, whose fields are told by their paths in the Pod. A volume
    that they mount may be one that a webhook added.
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
        if path in _IN_SANDBOX and asks(value):
            yield Evasion(f"spec.template.{where}", _IN_SANDBOX[path])
        elif path in _VALUES_IN_SANDBOX and value not in _VALUES_IN_SANDBOX[path][0]:
            yield Evasion(f"spec.template.{where}", _VALUES_IN_SANDBOX[path][1])
        elif hands_out(path, value):
            yield Evasion(f"spec.template.{where}", DEVICES)
