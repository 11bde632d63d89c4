"""What becomes of a new Workload in a cluster that lacks nothing: only its own spec can keep it from running.

`twinhull render` makes its objects by the operator's rules, and `twinhull validate` says what they refuse.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from twinhull.api.base import Raw
from twinhull.api.templatebounds import excess
from twinhull.api.workload import Workload
from twinhull.core import references
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import resolve
from twinhull.core.nodeports import unknown_node_ports
from twinhull.core.observed import Observed
from twinhull.hulls.capabilities import Capabilities

#: What stands for what only an API server knows.
UID = "00000000-0000-0000-0000-000000000000"
_CREATED = datetime(1970, 1, 1, tzinfo=UTC)
#: How a message begins that names a field.
_FIELD = re.compile(r"(spec(?:\.\w+|\[[^\]]*\])+): (.*)", re.DOTALL)


def new_workload(metadata: Raw, spec: Raw) -> Workload:
    """The Workload that an API server would make of valid metadata and a valid spec."""
    return Workload.model_validate(
        {
            "metadata": {
                "name": metadata["name"],
                "namespace": str(metadata.get("namespace") or "default"),
                "uid": str(metadata.get("uid") or UID),
                "generation": 1,
                "creationTimestamp": _CREATED,
            },
            "spec": spec,
        }
    )


def new_case(metadata: Raw, spec: Raw, defaults: OperatorDefaults) -> Case:
    """The case of a Workload with valid metadata and spec. Whatever it refers to is taken to be there."""
    workload = new_workload(metadata, spec)
    runtime_class = resolve(workload.spec, defaults).runtime_class
    capabilities = Capabilities(
        kubevirt="Deployed",
        cdi="Deployed",
        virtiofs_storage=True,
        runtime_classes=frozenset([runtime_class] if runtime_class else []),
    )
    referred: dict[references.KindAndName, Raw] = {
        reference.target: {} for reference in references.of_spec(spec)
    }
    observed = Observed(capabilities=capabilities, referred=referred)
    return Case(workload, observed, defaults, _CREATED)


def objection(case: Case, spec: Raw) -> str:
    """Why the operator would make no hull of a new Workload, or no Service; empty if it would. `spec` is the
    Workload's as it is written.
    """
    if too_large := excess(spec):
        return too_large
    step = decide(case)
    return step.message if step.stalled else unknown_node_ports(case)


def field_of(message: str) -> tuple[str, str]:
    """The path of the field that a message begins with, empty if it names none, and the rest of it."""
    match = _FIELD.fullmatch(message)
    return (match[1], match[2]) if match else ("", message)
