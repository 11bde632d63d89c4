"""What a machine that lasts was started from: a note on its VirtualMachine, once that has another template.

The instance doesn't tell it. KubeVirt writes labels and annotations of its own on an instance, and into it
the devices of an instancetype.
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
    """What of a VirtualMachine a start is judged by."""

    #: The keys of the template's labels.
    labels: tuple[str, ...]
    #: The keys of the template's annotations.
    annotations: tuple[str, ...]
    #: Which of `instancetype` and `preference` were objects of the namespace.
    of_namespace: tuple[str, ...]
    #: The path of the first field that reached past the machine; empty if none did.
    past: str


_NOTES = TypeAdapter(dict[str, Start])


def starts(vm: Raw) -> dict[str, Start]:
    """The starts that are noted on a VirtualMachine, by the revision that was started. None, if the note
    can't be read: whoever may change the machine may write anything there.
    """
    text = (vm["metadata"].get("annotations") or {}).get(START_ANNOTATION)
    try:
        return _NOTES.validate_json(text or "{}", strict=True)
    except ValueError:  # pydantic's are such, too
        return {}


def note(vm: Raw, revision: str, start: Start) -> Raw:
    """The annotation for a VirtualMachine that is about to get another template. `revision` is by which it is
    seen to run, and `start` how it would start now: it may have done so and not be seen to.
    """
    of_running = {key: noted for key, noted in starts(vm).items() if key == revision}
    return _annotation({**of_running, next_revision(vm): start})


def outlined(vm: Raw) -> Raw:
    """The note of a VirtualMachine that isn't held as a whole, without the keys; empty if it has none."""
    noted = starts(vm)
    short = {revision: replace(start, labels=(), annotations=()) for revision, start in noted.items()}
    return _annotation(short) if short else {}


def _annotation(noted: dict[str, Start]) -> Raw:
    fields = {revision: asdict(start) for revision, start in noted.items()}
    return {START_ANNOTATION: json.dumps(fields, sort_keys=True, separators=(",", ":"))}
