"""The claims of a machine's ephemeral volumes that don't exist yet."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.workload import State
from twinhull.core.case import Case
from twinhull.hulls.ephemeral import claims


def missing_claims(case: Case) -> Iterator[Raw]:
    """The claims of the current machine's ephemeral volumes that don't exist yet. They are created after the
    machine, which owns them; KubeVirt waits for them.
    """
    machine = case.current
    if machine is None or not case.hull_type.has_guest or machine.leaving or machine.ended:
        return
    if case.history.exit is not None or case.workload.spec.state is State.STOPPED:
        return
    metadata = case.workload.metadata
    for claim in claims(metadata.name, metadata.namespace, machine, case.workload.spec.template["spec"]):
        if case.observed.claims.get(claim["metadata"]["name"]) is None:
            yield claim
