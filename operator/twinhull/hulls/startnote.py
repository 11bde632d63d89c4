"""The note of what a machine that boots a disk was started from: written to its VirtualMachine before the
template changes.

The instance doesn't tell it: KubeVirt adds labels and annotations of its own, and the devices of an
instancetype, to an instance.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter

from twinhull.api.base import GROUP, Raw
from twinhull.hulls.switching import next_revision

START_ANNOTATION = f"{GROUP}/start"


@dataclass(frozen=True, slots=True)
class Start:
    """The parts of a VirtualMachine by which the evasions of a running machine are judged."""

    #: The keys of the template's labels.
    labels: tuple[str, ...]
    #: The keys of the template's annotations.
    annotations: tuple[str, ...]
    #: Which of `instancetype` and `preference` were objects of the machine's namespace.
    of_namespace: tuple[str, ...]
    #: The path of the first field that reached past the machine; empty if none did.
    past: str


_NOTES = TypeAdapter(dict[str, Start])


def starts(vm: Raw) -> dict[str, Start]:
    """The starts that are noted on a VirtualMachine, by their revisions. Empty if the note can't be read:
    whoever may change the machine may write anything there.
    """
    text = (vm["metadata"].get("annotations") or {}).get(START_ANNOTATION)
    try:
        return _NOTES.validate_json(text or "{}", strict=True)
    except ValueError:  # also pydantic's ValidationError
        return {}


def note(vm: Raw, revision: str, start: Start) -> Raw:
    """The annotation for a VirtualMachine whose template is about to change. `revision` is that of the
    running instance. `start` describes the template that the VirtualMachine still has: KubeVirt may have
    started an instance from it that the operator hasn't seen yet.
    """
    of_running = {key: noted for key, noted in starts(vm).items() if key == revision}
    return _annotation({**of_running, next_revision(vm): start})


def outlined(vm: Raw) -> Raw:
    """The note on an outlined VirtualMachine, without the keys of labels and annotations; empty if there is
    none.
    """
    noted = starts(vm)
    short = {revision: replace(start, labels=(), annotations=()) for revision, start in noted.items()}
    return _annotation(short) if short else {}


def _annotation(noted: dict[str, Start]) -> Raw:
    fields = {revision: asdict(start) for revision, start in noted.items()}
    return {START_ANNOTATION: json.dumps(fields, sort_keys=True, separators=(",", ":"))}
