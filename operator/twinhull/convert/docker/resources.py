"""The resources of a container: memory, CPUs, devices.

Sources: docker run's reference (`--memory`, `--cpus`, `--gpus`);
k8s.io/kubernetes/pkg/kubelet/cm/helpers_linux.go (MilliCPUToShares: a request of one CPU is 1024 shares).
"""

from __future__ import annotations

import re
from decimal import Decimal

from twinhull.api.group import Raw
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.docker.amounts import cores, number, quantity, whole, whole_bytes
from twinhull.convert.docker.draft import Draft
from twinhull.convert.docker.givenoptions import GivenOptions, InputValue

_SHARES = 1024
#: The period of the CFS in microseconds, if none is given.
_PERIOD = Decimal(100_000)
#: The resource of NVIDIA's device plugin. `--gpus` means NVIDIA's GPUs, unless it names a driver.
_GPU = "nvidia.com/gpu"
_NO_ALL = (
    f"Kubernetes counts GPUs: set limits of {_GPU}, or of your device plugin's resource, to how many there "
    "are to be"
)


def resources(options: GivenOptions, draft: Draft) -> None:
    """Requests and limits."""
    limits: Raw = {}
    requests: Raw = {}
    _memory(options, draft, limits, requests)
    _cpus(options, draft, limits, requests)
    for gpus in options.take("gpus"):
        _gpus(gpus, draft, limits)
    requirements = {key: amounts for key, amounts in (("requests", requests), ("limits", limits)) if amounts}
    if requirements:
        draft.container["resources"] = requirements


def _memory(options: GivenOptions, draft: Draft, limits: Raw, requests: Raw) -> None:
    most, least = options.last("memory"), options.last("memory-reservation")
    limit = whole_bytes(most) if most else 0
    if limit:
        limits["memory"] = quantity(limit)
    request = whole_bytes(least) if least else 0
    if least and limit and request > limit:
        raise CannotConvert(f"{least.path}: it is more than the limit of memory: correct one of the two")
    if request:
        requests["memory"] = quantity(request)
    swap = options.last("memory-swap")
    # A limit of swap that equals the limit of memory means no swap, as in a Pod.
    if swap and not (limit and str(swap.value).strip() != "-1" and whole_bytes(swap) == limit):
        draft.leave(swap, "a node decides about swap: set memorySwap in the kubelet's configuration")


def _cpus(options: GivenOptions, draft: Draft, limits: Raw, requests: Raw) -> None:
    cpus, quota, period = options.last("cpus"), options.last("cpu-quota"), options.last("cpu-period")
    limit = number(cpus) if cpus else Decimal(0)
    if quota and whole(quota) > 0:
        if limit:
            raise CannotConvert(
                f"{quota.path}: it sets the same as {cpus.path if cpus else ''}: remove one of the two"
            )
        limit = number(quota) / ((number(period) if period else None) or _PERIOD)
    elif period:
        draft.leave(period, "it has no effect without a quota, and a Pod has no period of its own")
    if limit:
        limits["cpu"] = cores(limit)
    shares = options.last("cpu-shares")
    count = number(shares) if shares else Decimal(0)
    if reservation := options.last("cpu-reservation"):
        _request(reservation, number(reservation), limit, draft, requests)
    elif shares and count:
        _request(shares, count / _SHARES, limit, draft, requests)


def _request(value: InputValue, count: Decimal, limit: Decimal, draft: Draft, requests: Raw) -> None:
    if limit and count > limit:
        draft.leave(
            value,
            f"a request of {cores(count)} CPUs is more than the limit of {cores(limit)}: set one below it",
        )
    elif count:
        requests["cpu"] = cores(count)


def _gpus(gpus: InputValue, draft: Draft, limits: Raw) -> None:
    text = str(gpus.value).strip().strip('"')
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    count = text.removeprefix("count=")
    if re.fullmatch(r"[1-9][0-9]{0,3}", count):
        limits[_GPU] = count
    elif parts.get("driver", "nvidia") == "nvidia" and re.fullmatch(
        r"[1-9][0-9]{0,3}", parts.get("count", "")
    ):
        limits[_GPU] = parts["count"]
        draft.leave(gpus, "Kubernetes takes only the number of GPUs")
    else:
        draft.leave(gpus, _NO_ALL)
