"""How much CPU and memory hulls use, beside their requests and limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from twinhull.api.base import Raw
from twinhull.hulls.hull import HULL_LABEL, WORKLOAD_LABEL
from twinhull.hulls.objectmeta import labels
from twinhull.hulls.quantity import mebibytes, milli, parse
from twinhull.view.screen import Cell, Table, TableRow, Tone
from twinhull.view.workloadobjects import is_launcher, named, part

#: From this part of a limit on, a use is shown as high.
_HIGH = Decimal("0.9")
_RESOURCES = ("cpu", "memory")
_OF = ("OF REQUEST", "OF LIMIT")


@dataclass(frozen=True, slots=True)
class Amount:
    """A use of CPU (in cores) or memory (in bytes)."""

    #: The use; None if it isn't known.
    used: Decimal | None
    #: The request; None if there is none.
    request: Decimal | None
    #: The limit; None if there is none.
    limit: Decimal | None


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a Pod, or of one of its containers."""

    namespace: str
    workload: str
    pod: str
    #: The container, empty for the whole Pod.
    container: str
    cpu: Amount
    memory: Amount
    #: Whether the Pod is a machine's launcher, which holds KubeVirt's own processes beside the guest.
    is_launcher: bool
    #: The CPUs and the memory that the guest of a machine has; empty if unknown.
    guest: str

    def raw(self) -> Raw:
        """The use as JSON, in quantities of Kubernetes. Unknown values are left out."""
        names: Raw = {"namespace": self.namespace, "workload": self.workload, "pod": self.pod}
        texts = {
            "container": self.container,
            "guest": self.guest,
            **{
                f"{name}{what}": written(value)
                for name, amount, written in (("cpu", self.cpu, milli), ("memory", self.memory, mebibytes))
                for what, value in (("", amount.used), ("Request", amount.request), ("Limit", amount.limit))
                if value is not None
            },
        }
        return {**names, "launcher": self.is_launcher, **{key: text for key, text in texts.items() if text}}


def uses(
    pods: Iterable[Raw], metrics: Sequence[Raw], instances: Sequence[Raw] = (), *, containers: bool = False
) -> Iterator[Use]:
    """The use of each hull and each launcher among these Pods, or with `containers` of each of their
    containers, by PodMetrics (metrics.k8s.io/v1beta1). Pods that have ended are left out.
    """
    measured = {_place(one): one for one in metrics}
    for pod in pods:
        ended = part(pod, "status").get("phase") in {"Succeeded", "Failed"}
        if ended or not (HULL_LABEL in labels(pod) or is_launcher(pod)):
            continue
        by_name = {str(one.get("name")): one for one in measured.get(_place(pod), {}).get("containers") or ()}
        running = {str(one.get("name")): one for one in _running(part(pod, "spec"))}
        if containers:
            for name, container in running.items():
                resources = [part(container, "resources")]
                yield _use(pod, name, _amounts(resources, [by_name.get(name)]), instances)
        else:
            whole = part(part(pod, "spec"), "resources")
            resources = [part(container, "resources") for container in running.values()]
            amounts = _amounts(resources, [by_name.get(name) for name in running], whole)
            yield _use(pod, "", amounts, instances)


def table(
    all_uses: Sequence[Use], order: str = "name", *, namespaces: bool = False, containers: bool = False
) -> Table:
    """A table of uses; with the namespaces, if they are from several."""
    with_guests = any(use.guest for use in all_uses)
    head = (
        *(("NAMESPACE",) if namespaces else ()),
        *("NAME", "POD"),
        *(("CONTAINER",) if containers else ()),
        *("CPU", *_OF, "MEMORY", *_OF),
        *(("GUEST",) if with_guests else ()),
    )
    rows = (
        _row(use, namespaces=namespaces, containers=containers, guests=with_guests)
        for use in in_order(all_uses, order)
    )
    return Table(head, tuple(rows))


def in_order(all_uses: Iterable[Use], order: str) -> list[Use]:
    """The uses in one of ORDERS: those by CPU and memory begin with the largest."""
    return sorted(all_uses, key=lambda use: (ORDERS[order](use), use.namespace, use.workload, use.pod))


def unmeasured(all_uses: Iterable[Use]) -> list[str]:
    """The names of Pods whose use is unknown."""
    return list(
        dict.fromkeys(use.pod for use in all_uses if use.cpu.used is None and use.memory.used is None)
    )


#: The keys by which uses can be sorted.
ORDERS: dict[str, Callable[[Use], Decimal]] = {
    "name": lambda _: Decimal(0),
    "cpu": lambda use: -(use.cpu.used or Decimal(0)),
    "memory": lambda use: -(use.memory.used or Decimal(0)),
}


def _use(pod: Raw, container: str, amounts: tuple[Amount, Amount], instances: Sequence[Raw]) -> Use:
    workload = str(labels(pod).get(WORKLOAD_LABEL) or "")
    return Use(
        namespace=str(pod["metadata"].get("namespace") or ""),
        workload=workload,
        pod=str(pod["metadata"]["name"]),
        container=container,
        cpu=amounts[0],
        memory=amounts[1],
        is_launcher=is_launcher(pod),
        guest=_guest(pod, instances) if is_launcher(pod) else "",
    )


def _guest(pod: Raw, instances: Sequence[Raw]) -> str:
    """The CPUs and the memory that a machine's guest has (kubevirt.io/api/core/v1, types CPUTopology and
    MemoryStatus).
    """
    owners = [str(one.get("name")) for one in pod["metadata"].get("ownerReferences") or ()]
    namespace = pod["metadata"].get("namespace")
    near = [one for one in instances if one["metadata"].get("namespace") == namespace]
    instance = next((candidate for name in owners if (candidate := named(near, name))), {})
    status = part(instance, "status")
    topology, memory = part(status, "currentCPUTopology"), part(status, "memory")
    cpus = 1
    for count in ("cores", "sockets", "threads"):
        cpus *= int(topology.get(count) or 1)
    current = memory.get("guestCurrent") or memory.get("guestAtBoot")
    parts = (
        f"{cpus} CPU{'s' * (cpus != 1)}" if topology else "",
        str(current) if current else "",
    )
    return ", ".join(filter(None, parts))


def _running(spec: Raw) -> list[Raw]:
    """The containers that run side by side, with the sidecars among the init containers."""
    sidecars = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    return [*sidecars, *(spec.get("containers") or ())]


def _amounts(
    resources: Sequence[Raw], metrics: Sequence[Raw | None], whole: Raw | None = None
) -> tuple[Amount, Amount]:
    """CPU and memory of containers with these `resources` and metrics. Resources of the Pod as a `whole` have
    precedence (core/v1, type PodSpec, resources).
    """
    known = [part(metric, "usage") for metric in metrics if metric is not None]
    cpu, memory = (
        Amount(
            _sum([usage.get(name) for usage in known if name in usage]),
            _of(whole, "requests", name) or _sum([_raw(one, "requests", name) for one in resources]),
            _of(whole, "limits", name) or _limit(resources, name),
        )
        for name in _RESOURCES
    )
    return cpu, memory


def _limit(resources: Sequence[Raw], name: str) -> Decimal | None:
    """The limit of all containers together: none if one of them has none."""
    limits = [_raw(one, "limits", name) for one in resources]
    return None if None in limits else _sum(limits)


def _of(whole: Raw | None, key: str, name: str) -> Decimal | None:
    return _sum([_raw(whole or {}, key, name)])


def _raw(resources: Raw, key: str, name: str) -> object:
    return part(resources, key).get(name)


def _sum(quantities: Iterable[object]) -> Decimal | None:
    """The sum of the values that are quantities, None if none is one."""
    known = [number for quantity in quantities if (number := _number(quantity)) is not None]
    return sum(known, Decimal(0)) if known else None


def _number(quantity: object) -> Decimal | None:
    if not isinstance(quantity, (str, int, float)):
        return None
    try:
        return parse(quantity)
    except ValueError:
        return None


def _place(obj: Raw) -> tuple[str, str]:
    return str(obj["metadata"].get("namespace") or ""), str(obj["metadata"]["name"])


def _row(use: Use, *, namespaces: bool, containers: bool, guests: bool) -> TableRow:
    return (
        *((Cell(use.namespace),) if namespaces else ()),
        *(Cell(use.workload), Cell(use.pod)),
        *((Cell(use.container),) if containers else ()),
        *_cells(use.cpu, milli),
        *_cells(use.memory, mebibytes),
        *((Cell(use.guest),) if guests else ()),
    )


def _cells(amount: Amount, written: Callable[[Decimal], str]) -> TableRow:
    if amount.used is None:
        return Cell("<unknown>", Tone.FAINT), _share(amount, amount.request), _share(amount, amount.limit)
    near = amount.limit is not None and amount.used >= amount.limit * _HIGH
    tone = Tone.BAD if near else Tone.PLAIN
    used = Cell(written(amount.used), tone)
    return used, _share(amount, amount.request, written), _share(amount, amount.limit, written, tone)


def _share(
    amount: Amount,
    whole: Decimal | None,
    written: Callable[[Decimal], str] = str,
    tone: Tone = Tone.PLAIN,
) -> Cell:
    if whole is None or amount.used is None:
        return Cell("", tone)
    percent = f"{amount.used / whole:.0%} of " if whole else ""
    return Cell(f"{percent}{written(whole)}", tone)
