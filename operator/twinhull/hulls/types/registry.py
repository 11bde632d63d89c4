"""The registry of hull types, and the choice of the type that a Workload gets."""

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

#: All types, weakest to strongest. Of the types of one isolation, the first one whose `runs` is true is
#: chosen.
TYPES: tuple[HullType, ...] = (Container(), Sandbox(), Machine(), DiskMachine())


def hull_types() -> tuple[HullType, ...]:
    """All types, weakest to strongest."""
    return TYPES


def machine_isolations() -> tuple[Isolation, ...]:
    """The isolations whose hull is a VirtualMachine, weakest to strongest."""
    return tuple(dict.fromkeys(one.isolation for one in TYPES if one.run_by_kubevirt))


def type_of(isolation: Isolation, spec: WorkloadSpec) -> HullType:
    """The type that a Workload of this isolation and spec runs as. UnknownIsolation, which makes nothing, if
    there is none.
    """
    fitting = (one for one in TYPES if one.isolation is isolation and one.runs(spec))
    return next(fitting, None) or UnknownIsolation(isolation)


def type_that_made(hull: Hull) -> HullType:
    """A type that makes hulls like this one. Of several types that make the same object, the weakest."""
    return type_that_reads(hull.kind, hull.obj)


def type_that_reads(kind: HullKind, obj: Raw) -> HullType:
    """The type that reads an object of this kind."""
    of_kind = [one for one in TYPES if one.kind == kind]
    return next((one for one in of_kind if one.recognizes(obj)), of_kind[0])


def isolation_of(hull: Hull, criteria: SandboxCriteria) -> Isolation:
    """The isolation that a hull counts as: the strongest that it certainly has."""
    isolations = (one.isolation for one in reversed(TYPES) if one.isolates(hull, criteria))
    return next(isolations, weakest())


def evasions_of(hull: Hull, isolation: Isolation) -> tuple[Evasion, ...]:
    """The fields of a hull that reach past the isolation that it counts as."""
    return _type_counting(hull, isolation).evasions_of(hull)


def evasions_added_to(hull: Hull, isolation: Isolation) -> tuple[Evasion, ...]:
    """The fields that reach past the isolation, and that somebody has added to a hull: no spec has such
    fields.
    """
    return _type_counting(hull, isolation).evasions_added_to(hull)


def _type_counting(hull: Hull, isolation: Isolation) -> HullType:
    hull_type = next((one for one in TYPES if one.isolation is isolation and one.kind == hull.kind), None)
    return hull_type or type_that_made(hull)


def type_giving(isolation: Isolation) -> HullType:
    """The first type of an isolation, for questions that don't depend on the spec."""
    return next((one for one in TYPES if one.isolation is isolation), None) or UnknownIsolation(isolation)


class UnknownIsolation(HullType):
    """The type of an isolation that this operator doesn't know: it makes nothing, and says so."""

    kind = "Pod"
    title = "not possible"
    refused_reason = Reason.POD_REFUSED
    failed_reason = Reason.POD_FAILED

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation

    def objects(self, render_input: RenderInput) -> tuple[Raw, ...]:  # noqa: ARG002
        """None."""
        return ()

    def recognizes(self, obj: Raw) -> bool:  # noqa: ARG002
        """No object is a hull of this type."""
        return False

    def read(self, source: HullSource) -> Hull:
        """Raises NotImplementedError: no object is a hull of this type, so nobody calls this."""
        raise NotImplementedError(f"no object is a hull of isolation {self.isolation}: {source.obj['kind']}")

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:  # noqa: ARG002
        """An operator that knows the isolation."""
        yield Lack(
            reason=Reason.ISOLATION_UNKNOWN,
            message=f"this operator has no way to run isolation {self.isolation}: upgrade the "
            "operator, or set spec.isolationPolicy to another",
        )

    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:  # noqa: ARG002
        """No hull certainly has this isolation."""
        return False

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:  # noqa: ARG002
        """None is known, and no hull is made."""
        return ()

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:  # noqa: ARG002
        """None is known, and no hull is made."""
        return ()

    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:  # noqa: ARG002
        """None is known, and no hull is made."""
        return ()

    def fate(self, row: ParityRow) -> str:  # noqa: ARG002
        """Refused: the isolation honours no field."""
        return Fate.REFUSED

    def change_of(self, row: ParityRow) -> ChangeEffect:  # noqa: ARG002
        """Replaced: there is no hull to change."""
        return ChangeEffect.REPLACED
