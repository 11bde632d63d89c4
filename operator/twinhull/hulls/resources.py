"""What a Pod asks of its node, summed up as the scheduler does, and the machine that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from twinhull.api.base import Raw
from twinhull.hulls import quantity
from twinhull.hulls.parity import containers

Resource = Literal["cpu", "memory"]

#: What the guest takes for itself (docs/performance.md): 52 MiB that its kernel keeps from the start, some
#: 100 that are used once an image is pulled, and room for its programs' code, which would else be read from
#: the disk again and again; and for each container that runs beside the first its shim.
GUEST_OVERHEAD = 256 * quantity.MEBIBYTE
SHIM_OVERHEAD = 12 * quantity.MEBIBYTE
#: What the containers without a limit are given together, at least: they may take all that a node has left.
UNSAID_MEMORY = 512 * quantity.MEBIBYTE


@dataclass(frozen=True, slots=True)
class MachineSize:
    """The size of a machine and of its launcher Pod, to which KubeVirt adds its own overhead."""

    #: The number of virtual CPUs.
    cores: int
    #: In bytes.
    memory: Decimal
    #: The launcher Pod's requests, in cores and bytes. Resources that no container requests are left out.
    requests: dict[Resource, Decimal]
    #: The launcher Pod's limits, in cores and bytes. Resources that no container limits are left out.
    limits: dict[Resource, Decimal]


def machine_size(pod_spec: Raw) -> MachineSize:
    """The machine that holds a Pod: as large as its limits; where there are none, as its requests, and with
    UNSAID_MEMORY at least.

    The node reserves what it would for the Pod, and the guest's own on top, so quotas and the scheduler see
    the same. A Pod that may grow beyond its request does so within the machine: its node may be overcommitted
    as it would be by the Pod.
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
    """What the containers may use: the most that those use which run at the same time.

    What has a limit uses no more. What has none may take all that a node has left, so those get what they
    request together, UNSAID_MEMORY at least; and those of which nothing is said get that beside the others.
    """
    whole = _of(pod_spec, "memory", "limits")
    if whole:
        return whole
    # Read once: a sidecar runs beside each container that is started after it.
    read = {id(one): (_of(one, "memory", "limits"), _of(one, "memory", "requests")) for one in _all(pod_spec)}
    most = max(_used_at_once([read[id(one)] for one in beside]) for beside in _at_once(pod_spec))
    return max(_of(pod_spec, "memory", "requests") or Decimal(0), most)


def _used_at_once(beside: list[tuple[Decimal | None, Decimal | None]]) -> Decimal:
    """What containers use of which these are the limits and the requests."""
    bounded = sum((limit for limit, _ in beside if limit), Decimal(0))
    requests = [request for limit, request in beside if not limit]
    if not requests:
        return bounded
    known = sum((amount for amount in requests if amount), Decimal(0))
    unsaid = Decimal(0) if all(requests) else UNSAID_MEMORY
    return bounded + max(known + unsaid, UNSAID_MEMORY)


def _at_once(pod_spec: Raw) -> Iterator[list[Raw]]:
    """The containers that run at the same time: each init container beside the sidecars that were started
    before it, and in the end all sidecars and containers.
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
    """What a Pod holds of a quota's resource, such as limits.memory or requests.cpu, which may be called cpu;
    None if that can't be told.

    Source: k8s.io/kubernetes/pkg/quota/v1/evaluator/core/pods.go, podComputeUsageHelper.
    """
    resource = name.removeprefix("limits.").removeprefix("requests.")
    amount = limited(pod_spec, resource) if name.startswith("limits.") else requested(pod_spec, resource)
    over = (pod_spec.get("overhead") or {}).get(resource)
    return amount if amount is None or over is None else amount + quantity.parse(over)


def requested(pod_spec: Raw, resource: str) -> Decimal:
    """What the scheduler reserves for a Pod; a limit stands for a request that is left out.

    Sources: k8s.io/component-helpers/resource/helpers.go, PodRequests; for what is left out,
    k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, SetDefaults_Pod.
    """
    whole = _of(pod_spec, resource, "requests")
    if whole is not None:
        return whole
    parts = _sum(pod_spec, lambda container: _of(container, resource, "requests", "limits") or Decimal(0))
    return parts or _of(pod_spec, resource, "limits") or Decimal(0)


def limited(pod_spec: Raw, resource: str) -> Decimal | None:
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


def _of(container: Raw, resource: str, *kinds: str) -> Decimal | None:
    resources = container.get("resources") or {}
    values = (amounts[resource] for kind in kinds if resource in (amounts := resources.get(kind) or {}))
    return next((quantity.parse(amount) for amount in values), None)
