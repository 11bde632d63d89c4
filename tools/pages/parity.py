"""docs/parity.md: the parity table as a page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby

from tests.templates import machine_refuses, templates
from twinhull.hulls.parity import FIRST_GUEST, TABLE, ParityRow
from twinhull.hulls.parity.differences import DIFFERENCES
from twinhull.hulls.parity.keys import KEYS
from twinhull.hulls.parity.pod_fields import METADATA, POD
from twinhull.hulls.parity.volume_fields import VOLUME
from twinhull.hulls.types import HullType, hull_types

_INTRO = f"""\
<!-- Made by `make generate` from operator/twinhull/hulls/parity; changes belong there. -->

# What each hull makes of the template

A Workload's template runs as a Pod, as a Pod in a sandbox, or in a machine. This page lists every field of
Kubernetes 1.37's PodTemplateSpec, and its effect in each of them.

- **same**: the field has the same effect as in a Pod. Containers and sandboxes are Pods. In a machine a real
  kubelet runs the same Pod, so the same code implements the field.
- **by the machine**: KubeVirt implements the field, for the machine or for its launcher Pod. The last column
  says how.
- **refused**: the field can't be honoured. No hull is made, the Workload is Stalled, and
  `status.unsupportedFields` names the field. The last column has the reason, and what to do. A field that is
  absent, empty, zero or false isn't refused. If only some values are refused, the last column begins with
  them.

The column *change* says what a change of the field does to a hull that runs: for a Pod, a sandbox and a
machine in turn, or one word if it is the same for all. **In place**: the Pod runs on. **Live**: the machine
runs on, and its guest is given the change. **Replaced**: another hull takes over. **Nothing**: it isn't part
of what a hull is made from. [Flips](flips.md#what-needs-no-other-hull) tells the conditions. Of `resources`,
only `cpu` and `memory` change while a hull runs.

`twinhull render workload.yaml --isolation VirtualMachine` lists the fields of a template that a machine
would refuse, without a cluster. Unless the last column says otherwise, guests support a field from version
{FIRST_GUEST} on. A machine with an older guest refuses the field. For the effect of a field in a runtime such
as gVisor or Kata, see the runtime's documentation.
"""
_RESOURCES = """\
In `requests` and `limits`, a machine supports `cpu`, `memory` and `ephemeral-storage`. Other resources (huge
pages, devices) belong to a node, and are refused. A machine gets a PersistentVolumeClaim as a block device
(`volumeDevices`), or as a file system (`volumeMounts`) if KubeVirt's feature gate
`EnableVirtioFsStorageVolumes` is enabled. While the gate is disabled, a mounted filesystem claim is refused
unless `spec.virtualMachine.claims` names its volume (`as: Disk`).
"""
_KEYS = """\
## Keys

A machine refuses these labels, annotations and node labels. A Pod accepts them.

| key | honoured at | why not, and what to do |
|---|---|---|
"""
_COUNT = """\
## How many templates run in a machine as they are

Of the {every} templates in [tests/templates](../tests/templates), {taken} run in a machine unchanged ({share}
%), if KubeVirt's feature gate for filesystem claims is enabled and the operator has a key for guests. The
templates are modelled on public charts and examples, and use each feature about as often as those. All of
them run as Pods that equal those of a Deployment or a Job. The other templates use these fields:

| field | templates |
|---|---|
{lines}
"""
#: What the paths of a container's fields begin with, and of an init container's. Both have the same fields.
_CONTAINER, _INIT_CONTAINER = "spec.containers[].", "spec.initContainers[]."
#: Each table: its title, what all its paths begin with, and its rows.
_GROUPS: tuple[tuple[str, str, tuple[ParityRow, ...]], ...] = (
    ("Metadata", "metadata.", METADATA),
    ("Pod", "spec.", POD),
    (
        "Containers and initContainers",
        _CONTAINER,
        tuple(row for row in TABLE if row.path.startswith(_CONTAINER)),
    ),
    ("Volumes", "", VOLUME),
)
_INIT_CONTAINERS = {
    row.path.removeprefix(_INIT_CONTAINER): row for row in TABLE if row.path.startswith(_INIT_CONTAINER)
}


def page() -> str:
    """The page's text."""
    tables = ("\n".join([f"## {title}\n", *_table(rows, at), ""]) for title, at, rows in _GROUPS)
    differences = "".join(f"- **{what}**: {how}\n" for what, how in DIFFERENCES)
    keys = "".join(
        f"| `{key.path}[{key.key}]` | {f'`{key.unless}`' if key.unless else ''} | {key.why} |\n"
        for key in KEYS
    )
    unsaid = f"## Other differences\n\n{differences}"
    return "\n".join([_INTRO, *tables, _RESOURCES, f"{_KEYS}{keys}", _count(), unsaid])


def _count() -> str:
    """How many templates a machine takes as they are, and what the others ask for."""
    refusing = {name: machine_refuses(template) for name, template in templates().items()}
    every, as_is = len(refusing), sum(not paths for paths in refusing.values())
    fields = Counter(field for paths in refusing.values() for field in {_field(path) for path in paths})
    lines = (f"| `{field}` | {asking} |" for field, asking in sorted(fields.items(), key=_most_first))
    return _COUNT.format(every=every, taken=as_is, share=round(100 * as_is / every), lines="\n".join(lines))


def _most_first(entry: tuple[str, int]) -> tuple[int, str]:
    return -entry[1], entry[0]


def _field(path: str) -> str:
    """A field of a template without the names of containers and the like, and of which list they are."""
    field = re.sub(r"\[[^]]*\]", "[]", path)
    return re.sub(r"^spec\.(initContainers|containers|volumes)\[\]\.|^spec\.", "", field)


def _table(rows: tuple[ParityRow, ...], prefix: str) -> Iterator[str]:
    """A table's lines. Neighbours that say the same are one, unless they are parts of different fields."""
    titles = " | ".join(hull_type.title for hull_type in _types())
    yield f"| field | {titles} | change | how, or why not |"
    yield "|---" * (len(_types()) + 3) + "|"
    named = [(row.path.removeprefix(prefix), row) for row in rows]
    for (_, *cells), alike in groupby(named, lambda pair: (_whole(pair[0]), *_cells(pair[1]))):
        names = "<br>".join(f"`{name}`" for name, _ in alike)
        yield f"| {names} | {' | '.join(cells)} |"


def _types() -> list[HullType]:
    """The types that run the template."""
    return [hull_type for hull_type in hull_types() if hull_type.runs_template]


def _whole(name: str) -> str:
    """The field that a field is a part of, empty if it is a whole one."""
    whole, dot, _ = name.partition(".")
    return whole if dot else ""


def _cells(row: ParityRow) -> tuple[str, ...]:
    return *(hull_type.fate(row) for hull_type in _types()), _changes(row), _sentence(row)


def _changes(row: ParityRow) -> str:
    """What a change does to a hull that runs: one word, if it is the same for all."""
    changes = [hull_type.change_of(row) for hull_type in _types()]
    return changes[0] if len(set(changes)) == 1 else ", ".join(changes)


def _sentence(row: ParityRow) -> str:
    refusal = row.refusal
    if row.values:
        refusal = f"{', '.join(f'`{value}`' for value in row.values)}: {refusal}"
    since = f"from guest {row.since} on" if row.since != FIRST_GUEST else ""
    return "<br>".join(part for part in (refusal, row.why, since, _of_init_container(row)) if part)


def _of_init_container(row: ParityRow) -> str:
    """What a change does to an init container's field, if that is something else than to a container's."""
    if not row.path.startswith(_CONTAINER):
        return ""
    change = _changes(_INIT_CONTAINERS[row.path.removeprefix(_CONTAINER)])
    return f"of an init container: {change}" if change != _changes(row) else ""
