"""What a Pod asks of its node, summed up as the scheduler does, and the machine that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from twinhull.api.base import Raw
from twinhull.hulls import quantity

Resource = Literal["cpu", "memory"]

#: What the guest takes for itself: kernel, containerd, kubelet (110 MiB were measured in an idle guest).
GUEST_OVERHEAD = 192 * quantity.MEBIBYTE
#: What a template that says nothing of memory is given.
UNSAID_MEMORY = 512 * quantity.MEBIBYTE


@dataclass(frozen=True, slots=True)
class MachineSize:
    """A machine's virtual CPUs and memory; the request and limit are of the launcher Pod, in cores."""

    cores: int
    memory: Decimal
    cpu_request: Decimal
    cpu_limit: Decimal | None


def machine_size(pod_spec: Raw) -> MachineSize:
    """The machine that holds a Pod: as large as its limits, or its requests where it has none."""
    cpu_request = requested(pod_spec, "cpu")
    cpu_limit = limited(pod_spec, "cpu")
    wanted = cpu_limit or cpu_request or Decimal(1)
    memory = limited(pod_spec, "memory") or requested(pod_spec, "memory") or UNSAID_MEMORY
    return MachineSize(
        cores=max(1, int(wanted.to_integral_value(ROUND_CEILING))),
        memory=memory + GUEST_OVERHEAD,
        cpu_request=cpu_request,
        cpu_limit=cpu_limit,
    )


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
    containers = [*(pod_spec.get("initContainers") or ()), *pod_spec["containers"]]
    if any(_of(container, resource, "limits") is None for container in containers):
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
