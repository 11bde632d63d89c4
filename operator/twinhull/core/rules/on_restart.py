"""The rule for strategy OnRestart: a machine that boots a disk runs on unchanged until it restarts."""

from __future__ import annotations

from dataclasses import replace

from twinhull.api.reasons import Reason
from twinhull.core.case import Case
from twinhull.core.next_start import changed_for_next_start
from twinhull.core.steps import Step, how_to_restart, names
from twinhull.hulls import switching
from twinhull.hulls.hull import Hull
from twinhull.hulls.types import type_that_made


def restart_required(case: Case) -> Step | None:
    """The machine runs by a former spec. The operator gives its VirtualMachine the present spec, which
    applies from the next start on.

    Reasons: RestartRequired.
    """
    hull = _runs_on(case)
    if hull is None:
        return None
    is_ready = hull.ready and not hull.leaving
    state = "is ready" if is_ready else f"isn't ready ({hull.message or hull.reason})"
    return Step(
        "True" if is_ready else "False",
        Reason.RESTART_REQUIRED,
        f"{hull.kind} {hull.name} {state}, and runs as it was before the last change of the spec, which "
        f"takes effect when it restarts: {how_to_restart(case)}",
        reconciling=not is_ready,
        actions=tuple(changed_for_next_start(case, hull)),
    )


def while_former_runs(case: Case, step: Step) -> Step:
    """A step that doesn't let the new hull be made yet. Its message adds that former hulls keep running.

    Ready stays False, since it is about the hull that the spec asks for. Under OnRestart the spec asks for
    the running machine until that restarts: then Ready is True if this machine is ready.
    """
    running = [hull for hull in case.standing if hull.reason != Reason.HALTED]
    if not running:
        return step
    verb = "keeps" if len(running) == 1 else "keep"
    amended = replace(step, message=f"{step.message}; {names(running)} {verb} running")
    hull = _runs_on(case)
    return replace(amended, ready="True") if hull and hull.ready and not hull.leaving else amended


def _runs_on(case: Case) -> Hull | None:
    """The machine that runs on until it restarts under OnRestart. None if there is no such machine, if
    somebody has asked for a restart, or if it runs below a policy's minimum.
    """
    if case.workload.spec.replacement.strategy != "OnRestart" or not case.hull_type.lasts:
        return None
    lasting = [hull for hull in case.standing if type_that_made(hull).lasts]
    if case.current is not None or len(case.former) != 1 or not lasting or case.compliance.shortfalls:
        return None
    restart = switching.restart_of(lasting[0].instance or lasting[0].obj)
    return lasting[0] if restart == (case.workload.metadata.restart or "") else None
