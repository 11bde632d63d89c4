"""What a Pod asks of its node, summed up as the scheduler does, and the machine that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from twinhull.api.base import Raw
from twinhull.hulls import quantity
from twinhull.hulls.parity import containers

Resource = Literal["cpu", "memory"]

#: What the guest takes for itself (docs/performance.md): 52 MiB that its kernel keeps from the start, some
#: 100 that are used once an image is pulled, and room for its programs' code, which would else be read from
#: the disk again and again; and for each container beyond the first its shim.
GUEST_OVERHEAD = 256 * quantity.MEBIBYTE
SHIM_OVERHEAD = 12 * quantity.MEBIBYTE
#: What the containers of which nothing is said are given together: they may take all that a node has left.
UNSAID_MEMORY = 512 * quantity.MEBIBYTE


@dataclass(frozen=True, slots=True)
class MachineSize:
    """A machine's virtual CPUs and memory, and what its launcher Pod requests and is limited to, in cores
    and bytes; KubeVirt adds its own overhead to the latter. What nothing was said of is left out.
    """

    cores: int
    memory: Decimal
    requests: dict[Resource, Decimal]
    limits: dict[Resource, Decimal]


def machine_size(pod_spec: Raw) -> MachineSize:
    """The machine that holds a Pod: as large as its limits, or its requests where there are none.

    The node reserves what it would for the Pod, and the guest's own on top, so quotas and the scheduler see
    the same. A Pod that may grow beyond its request does so within the machine: its node may be overcommitted
    as it would be by the Pod.
    """
    cpu_request, cpu_limit = requested(pod_spec, "cpu"), limited(pod_spec, "cpu")
    memory_request, memory_limit = requested(pod_spec, "memory"), limited(pod_spec, "memory")
    cores = cpu_limit or cpu_request or Decimal(1)
    own = GUEST_OVERHEAD + SHIM_OVERHEAD * (len(_all(pod_spec)) - 1)
    return MachineSize(
        cores=max(1, int(cores.to_integral_value(ROUND_CEILING))),
        memory=_memory(pod_spec) + own,
        requests=_said(cpu_request, memory_request and memory_request + own),
        limits=_said(cpu_limit, memory_limit and memory_limit + own),
    )


def _memory(pod_spec: Raw) -> Decimal:
    """What the containers may use: their limits, or requests without; and more if one of them has neither."""
    whole = _of(pod_spec, "memory", "limits", "requests")
    if whole:
        return whole
    silent = any(not _of(container, "memory", "limits", "requests") for container in _all(pod_spec))
    said = _sum(pod_spec, lambda container: _of(container, "memory", "limits", "requests") or Decimal(0))
    return said + UNSAID_MEMORY if silent else said


def _said(cpu: Decimal | None, memory: Decimal | None) -> dict[Resource, Decimal]:
    said: dict[Resource, Decimal | None] = {"cpu": cpu, "memory": memory}
    return {resource: amount for resource, amount in said.items() if amount}


def _all(pod_spec: Raw) -> list[Raw]:
    return [container for _, container in containers(pod_spec)]


def requested(pod_spec: Raw, resource: Resource) -> Decimal:
    """What the scheduler reserves for a Pod; a limit stands for a request that is left out.

    Sources: k8s.io/component-helpers/resource/helpers.go, PodRequests; for what is left out,
    k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Pod.
    """
    whole = _of(pod_spec, resource, "requests")
    if whole is not None:
        return whole
    parts = _sum(pod_spec, lambda container: _of(container, resource, "requests", "limits") or Decimal(0))
    return parts or _of(pod_spec, resource, "limits") or Decimal(0)


def limited(pod_spec: Raw, resource: Resource) -> Decimal | None:
    """What a Pod can't exceed, None when one of its containers is without a limit."""
    whole = _of(pod_spec, resource, "limits")
    if whole is not None:
        return whole
    if any(_of(container, resource, "limits") is None for container in _all(pod_spec)):
        return None
    return _sum(pod_spec, lambda container: _of(container, resource, "limits") or Decimal(0))


def _sum(pod_spec: Raw, of: Callable[[Raw], Decimal]) -> Decimal:
    """All containers and sidecars at once, or the init container that needs most, whichever is more."""
    sidecars = peak = Decimal(0)
    for container in pod_spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            sidecars += of(container)
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + of(container))
    return max(peak, sidecars + sum((of(container) for container in pod_spec["containers"]), Decimal(0)))


def _of(container: Raw, resource: Resource, *kinds: str) -> Decimal | None:
    resources = container.get("resources") or {}
    said = (amounts[resource] for kind in kinds if resource in (amounts := resources.get(kind) or {}))
    return next((quantity.parse(amount) for amount in said), None)
