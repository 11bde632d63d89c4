"""The table of Workloads: its columns, which are those of `kubectl get twl`, its filters and its orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from twinhull.api.base import Raw
from twinhull.hulls.objectmeta import condition
from twinhull.view.age import age, moment
from twinhull.view.screen import Cell, Table, TableRow, Tone
from twinhull.view.workloadobjects import part

_HEAD = ("NAME", "READY", "REASON", "ISOLATION", "RUNNING", "HULL", "NODE", "AGE")
_WIDE = ("REQUESTED", "POLICY", "ADDRESS", "REVISION", "MESSAGE")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters and the order of a list of Workloads."""

    #: The isolations to list: one has to run, or to be resolved if nothing runs. All if empty.
    isolations: frozenset[str] = frozenset()
    #: Whether Workloads are left out that `is_ready`.
    not_ready: bool = False
    #: A key of ORDERS.
    order: str = "name"

    def of(self, workloads: Iterable[Raw]) -> list[Raw]:
        """The Workloads that the filters let through, in order."""
        matching = [one for one in workloads if self._matches(one)]
        return sorted(matching, key=lambda one: (ORDERS[self.order](one), _name(one)))

    def _matches(self, workload: Raw) -> bool:
        isolation = part(part(workload, "status"), "isolation")
        effective = isolation.get("running") or isolation.get("resolved")
        if self.isolations and effective not in self.isolations:
            return False
        return not (self.not_ready and is_ready(workload))


def is_ready(workload: Raw) -> bool:
    """Whether a Workload is Ready for its present spec. A Workload that is stopped as asked, or has
    completed, is Ready.
    """
    seen = part(workload, "status").get("observedGeneration", -1)
    is_true = _condition(workload).get("status") == "True"
    return is_true and seen >= (workload["metadata"].get("generation") or 0)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns beside the usual ones."""

    #: Whether the columns of `-o wide` are shown.
    wide: bool = False
    #: Whether the namespaces come first, since Workloads of several are listed.
    namespaces: bool = False
    #: The keys of the labels that get a column each.
    labels: tuple[str, ...] = ()
    #: Whether the last column has all labels.
    all_labels: bool = False

    @property
    def head(self) -> tuple[str, ...]:
        """The titles of all columns. The title of a label is the last part of its key, as for `kubectl get
        -L`.
        """
        return (
            *(("NAMESPACE",) if self.namespaces else ()),
            *_HEAD,
            *(_WIDE if self.wide else ()),
            *(key.rpartition("/")[2].upper() for key in self.labels),
            *(("LABELS",) if self.all_labels else ()),
        )


_USUAL = Columns()


def table(
    workloads: Iterable[Raw], now: datetime, columns: Columns = _USUAL, *, headless: bool = False
) -> Table:
    """A table of Workloads; without the head, if it is `headless`."""
    return Table(columns.head, tuple(row(one, now, columns) for one in workloads), headless)


def row(workload: Raw, now: datetime, columns: Columns = _USUAL, *, gone: bool = False) -> TableRow:
    """The row of a Workload. If it is `gone`, the row has its last state."""
    metadata, status = workload["metadata"], part(workload, "status")
    ready, isolation, hull = _condition(workload), part(status, "isolation"), part(status, "hull")
    running, resolved = isolation.get("running"), isolation.get("resolved")
    cells = (
        Cell(metadata["name"]),
        Cell(ready.get("status"), Tone.GOOD if ready.get("status") == "True" else Tone.BAD),
        Cell("Deleted" if gone else _reason(workload)),
        Cell(resolved),
        Cell(running, Tone.PLAIN if running == resolved else Tone.WAITING),
        Cell(hull.get("name")),
        Cell(hull.get("node")),
        Cell(age(metadata.get("creationTimestamp"), now)),
    )
    more = (
        Cell(isolation.get("requested") or part(workload, "spec").get("isolationPolicy")),
        Cell(isolation.get("policy")),
        Cell(hull.get("address")),
        Cell(hull.get("revision")),
        Cell(ready.get("message")),
    )
    labels = part(metadata, "labels")
    return (
        *((Cell(metadata.get("namespace")),) if columns.namespaces else ()),
        *cells,
        *(more if columns.wide else ()),
        *(Cell(labels.get(key)) for key in columns.labels),
        *((Cell(",".join(f"{key}={labels[key]}" for key in sorted(labels))),) if columns.all_labels else ()),
    )


def shown_part(workload: Raw) -> Raw:
    """The part of a Workload that rows, filters and orders need. Most of the object is left out."""
    metadata, spec = workload["metadata"], part(workload, "spec")
    return {
        **workload,
        "metadata": {key: metadata[key] for key in metadata if key not in {"managedFields", "annotations"}},
        "spec": {"isolationPolicy": spec["isolationPolicy"]} if "isolationPolicy" in spec else {},
    }


def _reason(workload: Raw) -> str:
    if workload["metadata"].get("deletionTimestamp"):
        return "BeingDeleted"
    return str(_condition(workload).get("reason") or "NeverSeen")


def _condition(workload: Raw) -> Raw:
    return condition({"status": part(workload, "status")}, "Ready")


def _name(workload: Raw) -> tuple[str, str]:
    return str(workload["metadata"].get("namespace") or ""), str(workload["metadata"]["name"])


def _running(workload: Raw) -> str:
    isolation = part(part(workload, "status"), "isolation")
    return str(isolation.get("running") or isolation.get("resolved") or "")


def _youngest_first(workload: Raw) -> float:
    created = moment(workload["metadata"].get("creationTimestamp"))
    return -created.timestamp() if created else 0.0


def _longest_unready_first(workload: Raw) -> tuple[bool, str]:
    return is_ready(workload), str(_condition(workload).get("lastTransitionTime") or "")


#: The keys by which Workloads can be sorted.
ORDERS: dict[str, Callable[[Raw], object]] = {
    "name": lambda _: "",
    "age": _youngest_first,
    "ready": _longest_unready_first,
    "reason": _reason,
    "isolation": _running,
    "node": lambda one: str(part(part(one, "status"), "hull").get("node") or ""),
}
