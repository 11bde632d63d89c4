"""The types of hulls: the ways to run a Workload, in an ordered registry."""

from __future__ import annotations

from twinhull.hulls.types.base import (
    GOES_ON,
    HullSource,
    HullType,
    Needs,
    RenderInput,
    SandboxCriteria,
    SpecSection,
)
from twinhull.hulls.types.pods import pod_of
from twinhull.hulls.types.registry import (
    evasions_added_to,
    evasions_of,
    hull_types,
    isolation_of,
    machine_isolations,
    type_giving,
    type_of,
    type_that_made,
    type_that_reads,
)

__all__ = [
    "GOES_ON",
    "HullSource",
    "HullType",
    "Needs",
    "RenderInput",
    "SandboxCriteria",
    "SpecSection",
    "evasions_added_to",
    "evasions_of",
    "hull_types",
    "isolation_of",
    "machine_isolations",
    "pod_of",
    "type_giving",
    "type_of",
    "type_that_made",
    "type_that_reads",
]
