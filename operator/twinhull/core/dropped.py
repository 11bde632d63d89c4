"""The fields of a template that the running Pod lacks, since the API server or a webhook dropped them."""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.api.workloadstatus import UnsupportedField
from twinhull.hulls import confinement, fidelity
from twinhull.hulls.hull import Hull
from twinhull.hulls.types import type_that_made

_DROPPED = "left out by the API server: its feature gate is off, or a webhook took it away"
_WEAKENED = "left out by the API server, or changed by a webhook or policy: the Pod is less isolated for it"
_RUNTIME_CLASS = "spec.runtimeClassName"


def weakened_fields(hull: Hull, spec: Raw, runtime_class: str | None) -> tuple[str, ...]:
    """The paths of the fields of a template's spec that a hull lacks and without which it is less isolated.

    `runtime_class` is the RuntimeClass that the hull is to have, None if any will do.
    """
    has_another = runtime_class is not None and hull.runtime_class != runtime_class
    present = _spec_of(hull)
    weakened = tuple(confinement.weakened(spec, present)) if present else ()
    return (*weakened, *((_RUNTIME_CLASS,) if has_another and _RUNTIME_CLASS not in weakened else ()))


def dropped_fields(hull: Hull, spec: Raw, weakened: tuple[str, ...]) -> tuple[UnsupportedField, ...]:
    """All fields of a template's spec that a hull lacks. The `weakened` ones come first."""
    present = _spec_of(hull)
    dropped = fidelity.dropped(spec, present, "spec") if present else ()
    reasons = {**dict.fromkeys(weakened, _WEAKENED), **dict.fromkeys(dropped, _DROPPED)}
    return tuple(UnsupportedField(path=path, reason=why) for path, why in reasons.items())


def _spec_of(hull: Hull) -> Raw | None:
    """The spec of the Pod, None for a machine or if the Pod is too large to be kept. Only the current hull is
    compared with the template: whoever may write Pods can add others, and comparing takes long.
    """
    is_pod = not type_that_made(hull).run_by_kubevirt
    return hull.obj["spec"] if is_pod and UNREAD not in hull.obj else None
