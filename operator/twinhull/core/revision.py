"""The revision: a hash of what a hull is made from, which its name ends in.

The same content has the same name, so a creation repeated after a crash is the same creation. What the
operator itself renders isn't part of the content, nor is its default guest image, or the Secret that this
is pulled with: upgrading the operator restarts nothing.
"""

from __future__ import annotations

import hashlib
import json

from twinhull.api.base import Raw
from twinhull.api.workload import RESTART_ANNOTATION, Isolation, WorkloadSpec
from twinhull.core.isolation.evasion import ANNOTATIONS
from twinhull.hulls import machine
from twinhull.hulls.applied import RESIZABLE, resizable
from twinhull.hulls.merge import merge_patch

#: The first character of every revision: how it was worked out. A new way gets a new character, and the
#: hulls of the old way stay current for as long as their content does.
FORMAT = "1"

_DIGITS = 9
#: What KubeVirt changes of a machine that runs, as a patch that takes it away.
_LIVE: Raw = {"domain": {"cpu": {"sockets": None}, "memory": {"guest": None}}}
#: The beginnings of those of the template's annotations that take effect at its start only: ours and that of
#: `kubectl rollout restart`, which are there to restart it, and those by which its sandbox is made.
_AT_START = (RESTART_ANNOTATION, "kubectl.kubernetes.io/restartedAt", *ANNOTATIONS)


def revision(
    spec: WorkloadSpec, isolation: Isolation, runtime_class: str | None, restart: str | None = None
) -> str:
    """The revision of what this spec would run: 10 characters, fit for a name.

    `restart` is whatever was last said to restart it, None if nothing ever was.

    Fields at their defaults leave no trace, so that a field added later changes no revision; nor do those of
    another kind of hull, or of the Service.
    """
    return _hash(_content(spec, isolation, runtime_class, restart))


def fixed(
    spec: WorkloadSpec, isolation: Isolation, runtime_class: str | None, restart: str | None = None
) -> str:
    """The same of what can't change while a Pod runs: all but the template's labels and annotations (without
    those that are read at its start), and its containers' images and, in a plain Pod, their CPU and memory.

    A sandbox may not be able to grow.
    """
    content = _content(spec, isolation, runtime_class, restart)
    annotations = content["metadata"].pop("annotations", {})
    content["metadata"].pop("labels", None)
    content["metadata"]["restarts"] = {
        key: value for key, value in annotations.items() if key.startswith(_AT_START)
    }
    grows = isolation is Isolation.CONTAINER
    containers = [_without_changeable(container, grows) for container in spec.template["spec"]["containers"]]
    content["spec"] = {**spec.template["spec"], "containers": containers}
    return _hash(content)


def fixed_in_machine(spec: WorkloadSpec, restart: str | None = None) -> str:
    """The same of what can't change while a machine runs: all but its containers' images, how much CPU and
    memory they have, and its own size where an instancetype of the cluster or the overrides say it. What an
    instancetype of the namespace brings beside may be what a floor refuses, and stays until the machine goes.

    KubeVirt gives labels and annotations to a machine's launcher Pod at its start only, and a size that comes
    from the containers is also what the node reserves, which KubeVirt doesn't change while a machine runs.
    """
    content = _content(spec, Isolation.VIRTUAL_MACHINE, None, restart)
    pod_spec, built = spec.template["spec"], spec.virtual_machine
    content["spec"] = {**pod_spec, "containers": [_without_values(one) for one in pod_spec["containers"]]}
    if built.instancetype and built.instancetype.kind == "VirtualMachineClusterInstancetype":
        content["virtualMachine"]["instancetype"] = "any"
    elif built.instancetype is None:
        content["size"] = machine.size(pod_spec)
    if built.overrides:
        content["virtualMachine"]["overrides"] = merge_patch(built.overrides, _LIVE)
    return _hash(content)


def other(name: str, uid: str) -> str:
    """A stand-in for a revision in the name of a hull, while another hull has that name."""
    return _hash({"name": name, "uid": uid})


def _content(spec: WorkloadSpec, isolation: Isolation, runtime_class: str | None, restart: str | None) -> Raw:
    template = spec.template
    metadata = template.get("metadata") or {}
    content: Raw = {
        "isolation": isolation,
        "runtimeClass": runtime_class,
        "metadata": {
            key: metadata[key] for key in ("annotations", "finalizers", "labels") if metadata.get(key)
        },
        "spec": template["spec"],
    }
    if isolation is Isolation.VIRTUAL_MACHINE:
        content["virtualMachine"] = spec.virtual_machine.model_dump(
            mode="json", by_alias=True, exclude_defaults=True
        )
    if restart is not None:
        content["restart"] = restart
    return content


def _without_values(container: Raw) -> Raw:
    """A container without its image and the amounts of its CPU and memory, but with what is said of them and
    what of it is the same: the kubelet can't make another QoS class of a Pod that runs.
    """
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    shape = {
        name: [name in requests, name in limits, requests.get(name) == limits.get(name)] for name in RESIZABLE
    }
    return {**_without_changeable(container, grows=True), "shape": shape}


def _without_changeable(container: Raw, grows: bool) -> Raw:  # noqa: FBT001
    kept = {key: value for key, value in container.items() if key not in {"image", "resources"}}
    resources = container.get("resources") or {}
    if grows:
        amounts = resizable(container)
        rest = {
            kind: {name: value for name, value in said.items() if name not in amounts.get(kind, {})}
            if isinstance(said, dict)
            else said
            for kind, said in resources.items()
        }
        resources = {kind: said for kind, said in rest.items() if said}
    return {**kept, **({"resources": resources} if resources else {})}


def _hash(content: Raw) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return FORMAT + hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
