"""The registry: which types of hulls there are, and which of them a Workload gets."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation, weakest
from twinhull.api.reasons import Reason
from twinhull.api.workload import WorkloadSpec
from twinhull.api.workloadstatus import HullKind, Lack, UnsupportedField
from twinhull.hulls.evasion import Evasion
from twinhull.hulls.hull import Hull
from twinhull.hulls.parity import ChangeEffect, Fate, ParityContext, ParityRow
from twinhull.hulls.types.base import HullSource, HullType, Needs, RenderInput, SandboxCriteria
from twinhull.hulls.types.diskmachine import DiskMachine
from twinhull.hulls.types.machine import Machine
from twinhull.hulls.types.pods import Container, Sandbox

#: All types, weakest to strongest. Of those of one isolation, the first one is asked first.
TYPES: tuple[HullType, ...] = (Container(), Sandbox(), Machine(), DiskMachine())


def hull_types() -> tuple[HullType, ...]:
    """All types, weakest to strongest."""
    return TYPES


def machine_isolations() -> tuple[Isolation, ...]:
    """The isolations whose hull is a VirtualMachine, weakest to strongest."""
    return tuple(dict.fromkeys(one.isolation for one in TYPES if one.run_by_kubevirt))


def type_of(isolation: Isolation, spec: WorkloadSpec) -> HullType:
    """The type that a Workload of that isolation runs as. One that makes nothing, if there is none."""
    fitting = (one for one in TYPES if one.isolation is isolation and one.runs(spec))
    return next(fitting, None) or UnknownIsolation(isolation)


def type_that_made(hull: Hull) -> HullType:
    """A type that makes hulls like this one. Of several that make the same object, the weakest."""
    return type_that_reads(hull.kind, hull.obj)


def type_that_reads(kind: HullKind, obj: Raw) -> HullType:
    """The type that reads an object of that kind."""
    of_kind = [one for one in TYPES if one.kind == kind]
    return next((one for one in of_kind if one.recognizes(obj)), of_kind[0])


def isolation_of(hull: Hull, criteria: SandboxCriteria) -> Isolation:
    """What a hull counts as: the strongest isolation that it has for sure."""
    isolations = (one.isolation for one in reversed(TYPES) if one.isolates(hull, criteria))
    return next(isolations, weakest())


def evasions_of(hull: Hull, isolation: Isolation) -> tuple[Evasion, ...]:
    """What of a hull reaches past the isolation that it counts as, by the type that made it."""
    return _type_counting(hull, isolation).evasions_of(hull)


def evasions_added_to(hull: Hull, isolation: Isolation) -> tuple[Evasion, ...]:
    """What of that somebody has added to a hull, of which the spec says nothing."""
    return _type_counting(hull, isolation).evasions_added_to(hull)


def _type_counting(hull: Hull, isolation: Isolation) -> HullType:
    hull_type = next((one for one in TYPES if one.isolation is isolation and one.kind == hull.kind), None)
    return hull_type or type_that_made(hull)


def type_giving(isolation: Isolation) -> HullType:
    """The first type of an isolation, for what doesn't depend on the spec."""
    return next((one for one in TYPES if one.isolation is isolation), None) or UnknownIsolation(isolation)


class UnknownIsolation(HullType):
    """What stands for an isolation that no type gives: it makes nothing, and says so."""

    kind = "Pod"
    title = "not possible"
    refused_reason = Reason.POD_REFUSED
    failed_reason = Reason.POD_FAILED

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation

    def objects(self, render_input: RenderInput) -> tuple[Raw, ...]:  # noqa: ARG002
        """Nothing."""
        return ()

    def recognizes(self, obj: Raw) -> bool:  # noqa: ARG002
        """No object is one of its hulls."""
        return False

    def read(self, source: HullSource) -> Hull:
        """It isn't asked, since no object is one of its hulls."""
        raise NotImplementedError(f"no object is a hull of isolation {self.isolation}: {source.obj['kind']}")

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:  # noqa: ARG002
        """An operator that knows the isolation."""
        yield Lack(
            reason=Reason.ISOLATION_UNKNOWN,
            message=f"this operator has no way to run isolation {self.isolation}: upgrade the "
            "operator, or set spec.isolationPolicy to another",
        )

    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:  # noqa: ARG002
        """No hull is known to be isolated so."""
        return False

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:  # noqa: ARG002
        """None is known; nothing is made anyhow."""
        return ()

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:  # noqa: ARG002
        """None is known; nothing is made anyhow."""
        return ()

    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:  # noqa: ARG002
        """None is known; nothing is made anyhow."""
        return ()

    def fate(self, row: ParityRow) -> str:  # noqa: ARG002
        """Nothing can be honoured."""
        return Fate.REFUSED

    def change_of(self, row: ParityRow) -> ChangeEffect:  # noqa: ARG002
        """There is nothing to change."""
        return ChangeEffect.REPLACED
