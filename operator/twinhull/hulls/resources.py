"""The CPU and memory of a Pod, summed up as the scheduler does it, and the size of the machine
that holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from twinhull.api.base import Raw
from twinhull.hulls import quantity
from twinhull.hulls.parity import containers

Resource = Literal["cpu", "memory"]

#: The memory that the guest itself needs (docs/performance.md): 52 MiB that its kernel reserves at the start,
#: about 100 MiB in use once an image is pulled, and room for its programs' code, which would otherwise be
#: read from the disk again and again. Each container that runs beside the first one needs a shim.
GUEST_OVERHEAD = 256 * quantity.MEBIBYTE
SHIM_OVERHEAD = 12 * quantity.MEBIBYTE
#: The least memory for all containers without a limit: in a Pod they may use all that a node has left.
UNSAID_MEMORY = 512 * quantity.MEBIBYTE


@dataclass(frozen=True, slots=True)
class MachineSize:
    """The size of a machine and of its launcher Pod, to which KubeVirt adds its own overhead."""

    #: The number of virtual CPUs.
    cores: int
    #: The memory, in bytes.
    memory: Decimal
    #: The launcher Pod's requests, in cores and bytes. A resource that no container requests is missing.
    requests: dict[Resource, Decimal]
    #: The launcher Pod's limits, in cores and bytes. A resource that no container limits is missing.
    limits: dict[Resource, Decimal]


def machine_size(pod_spec: Raw) -> MachineSize:
    """The size of the machine for a Pod: the Pod's limits; without limits, its requests, and UNSAID_MEMORY at
    least.

    The node reserves as much as for the Pod, plus the guest's own overhead, so that quotas and the scheduler
    see the same. A Pod that may exceed its requests does so within the machine: the node may then be
    overcommitted as by the Pod.
    """
    cpu_request, cpu_limit = requested(pod_spec, "cpu"), limited(pod_spec, "cpu")
    memory_request, memory_limit = requested(pod_spec, "memory"), limited(pod_spec, "memory")
    cores = cpu_limit or cpu_request or Decimal(1)
    own = GUEST_OVERHEAD + SHIM_OVERHEAD * (max(map(len, _at_once(pod_spec))) - 1)
    return MachineSize(
        cores=max(1, int(cores.to_integral_value(ROUND_CEILING))),
        memory=_memory(pod_spec) + own,
        requests=_amounts(cpu_request, memory_request and memory_request + own),
        limits=_amounts(cpu_limit, memory_limit and memory_limit + own),
    )


def _memory(pod_spec: Raw) -> Decimal:
    """The memory that the containers may use: the largest sum over containers that run at the same time.

    A container uses at most its limit. Containers without a limit together get the sum of their requests, and
    at least UNSAID_MEMORY; if one of them has no request either, UNSAID_MEMORY is added.
    """
    whole = _of(pod_spec, "memory", "limits")
    if whole:
        return whole
    # The amounts are parsed once: a sidecar runs beside each container that is started after it.
    read = {id(one): (_of(one, "memory", "limits"), _of(one, "memory", "requests")) for one in _all(pod_spec)}
    most = max(_used_at_once([read[id(one)] for one in beside]) for beside in _at_once(pod_spec))
    return max(_of(pod_spec, "memory", "requests") or Decimal(0), most)


def _used_at_once(beside: list[tuple[Decimal | None, Decimal | None]]) -> Decimal:
    """The memory that containers may use at the same time, from (limit, request) of each."""
    bounded = sum((limit for limit, _ in beside if limit), Decimal(0))
    requests = [request for limit, request in beside if not limit]
    if not requests:
        return bounded
    known = sum((amount for amount in requests if amount), Decimal(0))
    unsaid = Decimal(0) if all(requests) else UNSAID_MEMORY
    return bounded + max(known + unsaid, UNSAID_MEMORY)


def _at_once(pod_spec: Raw) -> Iterator[list[Raw]]:
    """The groups of containers that run at the same time: each init container with the sidecars that were
    started before it, and in the end all sidecars and containers.
    """
    sidecars: list[Raw] = []
    for container in pod_spec.get("initContainers") or ():
        yield [*sidecars, container]
        if container.get("restartPolicy") == "Always":
            sidecars.append(container)
    yield [*sidecars, *pod_spec["containers"]]


def _amounts(cpu: Decimal | None, memory: Decimal | None) -> dict[Resource, Decimal]:
    amounts: dict[Resource, Decimal | None] = {"cpu": cpu, "memory": memory}
    return {resource: amount for resource, amount in amounts.items() if amount}


def _all(pod_spec: Raw) -> list[Raw]:
    return [container for _, container in containers(pod_spec)]


def held(pod_spec: Raw, name: str) -> Decimal | None:
    """The amount of a quota's resource that a Pod holds, None if that isn't known. The resource has a name
    such as limits.memory, requests.cpu or cpu (which means requests.cpu).

    Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core/pods.go, podComputeUsageHelper.
    """
    resource = name.removeprefix("limits.").removeprefix("requests.")
    amount = limited(pod_spec, resource) if name.startswith("limits.") else requested(pod_spec, resource)
    over = (pod_spec.get("overhead") or {}).get(resource)
    return amount if amount is None or over is None else amount + quantity.parse(over)


def requested(pod_spec: Raw, resource: str) -> Decimal:
    """The amount that the scheduler reserves for a Pod. A container's limit stands for a missing request.

    Sources: k8s.io/component-helpers/resource/helpers.go, PodRequests; for missing requests,
    k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Pod.
    """
    whole = _of(pod_spec, resource, "requests")
    if whole is not None:
        return whole
    parts = _sum(pod_spec, lambda container: _of(container, resource, "requests", "limits") or Decimal(0))
    return parts or _of(pod_spec, resource, "limits") or Decimal(0)


def limited(pod_spec: Raw, resource: str) -> Decimal | None:
    """The amount that a Pod can't exceed, None if one of its containers has no limit."""
    whole = _of(pod_spec, resource, "limits")
    if whole is not None:
        return whole
    if any(_of(container, resource, "limits") is None for container in _all(pod_spec)):
        return None
    return _sum(pod_spec, lambda container: _of(container, resource, "limits") or Decimal(0))


def _sum(pod_spec: Raw, of: Callable[[Raw], Decimal]) -> Decimal:
    """The sum over all containers and sidecars, or the need of the largest init container with the sidecars
    before it, whichever is more.
    """
    sidecars = peak = Decimal(0)
    for container in pod_spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            sidecars += of(container)
            peak = max(peak, sidecars)
        else:
            peak = max(peak, sidecars + of(container))
    return max(peak, sidecars + sum((of(container) for container in pod_spec["containers"]), Decimal(0)))


def _of(container: Raw, resource: str, *kinds: str) -> Decimal | None:
    resources = container.get("resources") or {}
    values = (amounts[resource] for kind in kinds if resource in (amounts := resources.get(kind) or {}))
    return next((quantity.parse(amount) for amount in values), None)
