"""QEMU's command lines, so that two of them can be compared: without what is another on each run."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
#: What is another on each run, or on each node, and what stands for it.
_VARIES = (
    (re.compile(r"(^|[=:\s])/(?!dev/)[^,\s]*"), r"\1<path>"),
    (re.compile(_UUID), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b"), "<mac>"),
    (re.compile(r"\bfd=\d+"), "fd=<number>"),
    (re.compile(r"^guest=[^,]*"), "guest=<name>"),
    (re.compile(r"^(?:pc-)?q35(?:-[0-9.]+)?"), "q35"),
)


@dataclass(frozen=True)
class Difference:
    """Lines that two command lines may differ in, by how they begin, and why; one of the two may be empty."""

    reason: str
    real: str = ""
    here: str = ""


def normalise(argv: Sequence[str]) -> list[str]:
    """A line for each option, with its value, in their order. The program's own name may be the first word.

    Paths (but those of devices), UUIDs, MAC addresses, file descriptors, the machine's name and the version
    of its type are replaced by words for them. Values in JSON have their keys in alphabetical order.
    """
    lines: list[str] = []
    for word in argv[not argv[0].startswith("-") :]:
        if word.startswith("-"):
            lines.append(word)
        else:
            lines[-1] += f" {_cleaned(word)}"
    return lines


def differences(real: Sequence[str], here: Sequence[str], allowed: Sequence[Difference]) -> list[str]:
    """What is wrong between two normalised command lines, a sentence each.

    Lines that only one of them has and that aren't allowed, differences that are allowed and aren't there,
    and lines that both have in another order.
    """
    lines = [
        *_unlike("the real launcher", real, here, [one.real for one in allowed if one.real]),
        *_unlike("the harness", here, real, [one.here for one in allowed if one.here]),
    ]
    common = Counter(real) & Counter(here)
    order = [line for line in real if line in common], [line for line in here if line in common]
    if order[0] != order[1]:
        first = next(pair for pair in zip(*order, strict=False) if pair[0] != pair[1])
        lines.append(f"the real launcher says {first[0]!r} where the harness says {first[1]!r}")
    return lines


def _unlike(who: str, own: Sequence[str], others: Sequence[str], allowed: list[str]) -> Iterator[str]:
    alone = list((Counter(own) - Counter(others)).elements())
    for line in alone:
        if not line.startswith(tuple(allowed)):
            yield f"only {who} has {line!r}"
    for beginning in allowed:
        if not any(line.startswith(beginning) for line in alone):
            yield f"{who} has no {beginning!r} of its own any more: the difference isn't one"


def _cleaned(word: str) -> str:
    if word.startswith("{"):
        return json.dumps(_cleaned_values(json.loads(word)), sort_keys=True)
    for pattern, placeholder in _VARIES:
        word = pattern.sub(placeholder, word)
    return word


def _cleaned_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "<number>" if key == "fd" else _cleaned_values(one) for key, one in value.items()}
    return _cleaned(value) if isinstance(value, str) else value
