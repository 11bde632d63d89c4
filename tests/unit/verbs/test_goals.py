"""What one can wait for: reached, on the way, or out of reach, by what a Workload says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.commands import elsewhere
from tests.unit.core.objects import NAMESPACE
from tests.unit.core.test_golden import INPUTS, read
from twinhull.api.base import Raw
from twinhull.core.plan import plan
from twinhull.core.reasons import SECTIONS, row_of
from twinhull.verbs import goals
from twinhull.verbs.goals import (
    Completed,
    Condition,
    Deleted,
    Goal,
    GoalState,
    Isolated,
    Ready,
    Restarted,
    Stopped,
    UnknownGoalError,
    Up,
    parse,
)

LOGS_AND_RESTART = "twinhull logs web -n shop shows why, and twinhull restart web -n shop runs it again"
WAIT_FOR_THAT = "twinhull wait web -n shop --for=completed waits for that, and twinhull restart web -n shop"
FLIP_IT = "twinhull flip web -n shop --to sandbox changes that"
REACHED, WAITING, HOPELESS = GoalState.REACHED, GoalState.WAITING, GoalState.HOPELESS
READY = {"Ready": ("True", "Ready")}
UNREADY = {"Ready": ("False", "Replacing"), "Reconciling": ("True", "Replacing")}
STALLED = {"Ready": ("False", "UnsupportedFields"), "Stalled": ("True", "UnsupportedFields")}
LACKS = {"Ready": ("False", "ClaimMissing"), "Stalled": ("True", "ClaimMissing")}
#: Something beside what serves is refused; and a machine that lasts runs on as it was.
BESIDE = {"Ready": ("True", "Ready"), "Stalled": ("True", "NameConflict")}
RUNS_ON = {"Ready": ("True", "DiskShrinks"), "Stalled": ("True", "DiskShrinks")}
NOT_AS_ASKED = "the hull that runs is Ready, but not as the spec asks: it is Stalled"
STOPPED = {"Ready": ("True", "Stopped")}
COMPLETED = {"Ready": ("True", "Completed")}
FAILED = {"Ready": ("False", "Failed"), "Stalled": ("True", "Failed")}


def workload(
    conditions: dict[str, tuple[str, str]], *, seen: int = 2, deleting: bool = False, **status: Any
) -> Raw:
    """A Workload of generation 2 that says so of the generation that was `seen`."""
    spec = {"isolationPolicy": "Container", **status.pop("spec", {})}
    listed = [
        {"type": kind, "status": truth, "reason": why, "message": f"said {why}", "observedGeneration": seen}
        for kind, (truth, why) in conditions.items()
    ]
    gone = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example/held"]} if deleting else {}
    return {
        "metadata": {"namespace": "shop", "name": "web", "uid": "1", "generation": 2, **gone},
        "spec": spec,
        "status": {"observedGeneration": seen, "conditions": listed, **status},
    }


def isolated(resolved: str, running: str, conditions: dict[str, tuple[str, str]], **more: Any) -> Raw:
    return workload(conditions, isolation={"resolved": resolved, "running": running}, **more)


FLIPPED = Isolated("Sandbox", is_requested=True)
GOALS = (
    *(Ready(), Ready(settled=True), Up(), Stopped(), Completed(), Deleted(), Condition("Ready"), FLIPPED),
    *(Isolated("VirtualMachine"), Isolated("Container"), Restarted(frozenset())),
)
JOB = {"template": {"spec": {"restartPolicy": "Never"}}}
OFF = {"state": "Stopped"}


@pytest.mark.parametrize(
    ("goal", "given", "state", "says"),
    [
        (Ready(), workload(READY), REACHED, "said Ready"),
        (Ready(), workload(READY, seen=1), WAITING, "the operator hasn't seen the present spec yet"),
        (Ready(), workload({}), WAITING, "the operator hasn't seen the present spec yet"),
        (Ready(), workload(UNREADY), WAITING, "Replacing: said Replacing"),
        (Ready(), workload(STALLED), HOPELESS, "it is Stalled (UnsupportedFields): said UnsupportedFields"),
        (Ready(), workload(LACKS), WAITING, "it is Stalled (ClaimMissing): said ClaimMissing"),
        (Ready(), workload(BESIDE), REACHED, "said Ready"),
        (Ready(settled=True), workload(BESIDE), REACHED, "said Ready"),
        (Ready(), workload(RUNS_ON), HOPELESS, f"{NOT_AS_ASKED} (DiskShrinks): said DiskShrinks"),
        (Ready(), workload(RUNS_ON, seen=1), WAITING, "hasn't seen"),
        (Ready(), workload(LACKS | {"Ready": ("True", "ClaimMissing")}), WAITING, f"{NOT_AS_ASKED} (ClaimM"),
        (Ready(), workload(STALLED, spec=OFF), HOPELESS, "(twinhull start web -n shop)"),
        (Up(), workload(BESIDE), REACHED, "said Ready"),
        (Up(), workload(RUNS_ON), HOPELESS, NOT_AS_ASKED),
        (Stopped(), workload(BESIDE | STOPPED, spec=OFF), REACHED, "said Stopped"),
        (Completed(), workload(BESIDE | COMPLETED, spec=JOB), REACHED, "it has run to completion"),
        (Condition("Ready"), workload(BESIDE), REACHED, "is True"),
        (Condition("Ready"), workload(RUNS_ON), REACHED, "is True"),
        (FLIPPED, isolated("Sandbox", "Sandbox", BESIDE), REACHED, "said Ready"),
        (FLIPPED, isolated("Sandbox", "Container", RUNS_ON), HOPELESS, NOT_AS_ASKED),
        (Ready(), workload({"Stalled": ("True", "Newer")}), HOPELESS, "it is Stalled (Newer)"),
        (Up(), workload(LACKS), WAITING, "ClaimMissing"),
        (Completed(), workload(LACKS, spec=JOB), WAITING, "ClaimMissing"),
        (Condition("Ready"), workload(LACKS), WAITING, "ClaimMissing"),
        (Ready(), workload(STALLED, seen=1), WAITING, "the operator hasn't seen the present spec yet"),
        (Ready(), workload(STOPPED, spec=OFF), HOPELESS, "(twinhull start web -n shop)"),
        (Ready(), workload(READY, seen=1, spec=OFF), HOPELESS, "(twinhull start web -n shop)"),
        (Ready(), workload(COMPLETED, spec=JOB), HOPELESS, WAIT_FOR_THAT),
        (Ready(), workload(FAILED, spec=JOB), HOPELESS, LOGS_AND_RESTART),
        (Ready(), workload(READY, deleting=True), HOPELESS, "it is being deleted"),
        (Ready(), None, HOPELESS, "it is gone"),
        (Ready(), workload(READY | {"Reconciling": ("True", "Draining")}), REACHED, "said Ready"),
        (Ready(settled=True), workload(READY | {"Reconciling": ("True", "Draining")}), WAITING, "said Ready"),
        (Up(), workload(COMPLETED, spec=JOB), REACHED, "it has run to completion"),
        (Up(), workload(FAILED, spec=JOB), HOPELESS, "it has ended"),
        (Stopped(), workload(STOPPED, spec=OFF), REACHED, "said Stopped"),
        (Stopped(), workload(STOPPED, seen=1, spec=OFF), WAITING, "hasn't seen"),
        (Stopped(), workload(STOPPED), WAITING, "nobody has stopped it"),
        (Stopped(), workload(UNREADY, spec=OFF), WAITING, "Replacing"),
        (Stopped(), workload(STALLED, spec=OFF), HOPELESS, "it is Stalled"),
        (Stopped(), workload(STALLED), WAITING, "nobody has stopped it"),
        (Stopped(), None, HOPELESS, "it is gone"),
        (Completed(), workload(COMPLETED, spec=JOB), REACHED, "it has run to completion"),
        (Completed(), workload(COMPLETED, seen=1, spec=JOB), WAITING, "hasn't seen"),
        (Completed(), workload(FAILED, spec=JOB), HOPELESS, "said Failed"),
        (Completed(), workload(READY, spec=JOB), WAITING, "Ready: said Ready"),
        (Completed(), workload(READY), HOPELESS, "it never completes"),
        (Completed(), workload(READY, spec=JOB | OFF), HOPELESS, "(twinhull start web -n shop)"),
        (Deleted(), None, REACHED, "it is gone"),
        (Deleted(uid="1"), workload(READY), WAITING, "nobody has asked for its deletion"),
        (Deleted(uid="1"), workload(READY, deleting=True), WAITING, "with the finalizers example/held"),
        (Deleted(uid="0"), workload(READY), REACHED, "it is gone"),
        (Condition("Stalled", "False"), workload({"Stalled": ("False", "NotStalled")}), REACHED, "is False"),
        (Condition("Stalled"), workload(STALLED), REACHED, "is True"),
        (Condition("Stalled", "False"), workload(STALLED), WAITING, "UnsupportedFields"),
        (Condition("Ready"), workload(STALLED), HOPELESS, "it is Stalled"),
        (Condition("Ready"), workload(READY, seen=1), WAITING, "hasn't seen"),
        (Condition("Odd"), workload(READY), WAITING, "it has no condition Odd"),
        (Condition("Ready"), workload(UNREADY, deleting=True), HOPELESS, "it is being deleted"),
        (Isolated("Sandbox"), isolated("Sandbox", "Sandbox", READY), REACHED, "said Ready"),
        (Isolated("Sandbox"), isolated("Sandbox", "Container", UNREADY), WAITING, "Replacing"),
        (Isolated("Sandbox"), isolated("Sandbox", "Container", READY), WAITING, "still isolated"),
        (Isolated("Sandbox"), isolated("Container", "Container", READY), WAITING, FLIP_IT),
        (FLIPPED, isolated("Container", "Container", READY), HOPELESS, "container instead"),
        (FLIPPED, isolated("Container", "Container", READY, seen=1), WAITING, "hasn't seen"),
        (FLIPPED, isolated("Sandbox", "", COMPLETED, spec=JOB), REACHED, "it has run to completion"),
        (Isolated("Sandbox"), isolated("Sandbox", "", COMPLETED, spec=JOB), HOPELESS, WAIT_FOR_THAT),
        (Isolated("Sandbox"), None, HOPELESS, "it is gone"),
    ],
)  # fmt: skip
def test_what_is_so_of_a_goal(goal: Goal, given: Raw | None, state: GoalState, says: str) -> None:
    found = goal.judge(given)
    assert found.state is state, found
    assert says in found.message


@pytest.mark.parametrize(
    ("goal", "given", "but"),
    [
        (Ready(), workload(BESIDE), "it is Stalled (NameConflict): said NameConflict"),
        (Up(), workload(BESIDE), "it is Stalled (NameConflict): said NameConflict"),
        (Condition("Ready"), workload(RUNS_ON), "it is Stalled (DiskShrinks): said DiskShrinks"),
        (Stopped(), workload(BESIDE | STOPPED, spec=OFF), "it is Stalled (NameConflict): said NameConflict"),
        (Completed(), workload(BESIDE | COMPLETED), "it is Stalled (NameConflict): said NameConflict"),
        (Condition("Stalled"), workload(RUNS_ON), ""),
        (Ready(), workload(READY | {"Stalled": ("False", "NotStalled")}), ""),
        (Deleted(uid="0"), workload(BESIDE), ""),
    ],
)
def test_what_is_wrong_is_told_though_the_goal_is_reached(goal: Goal, given: Raw, but: str) -> None:
    found = goal.judge(given)
    assert (found.state, found.but) == (REACHED, but)


@pytest.mark.parametrize("reason", [str(reason) for _, table in SECTIONS for reason in table])
def test_a_wait_ends_early_if_the_workload_itself_has_to_be_changed(reason: str) -> None:
    row = row_of(reason)
    assert row is not None
    found = Ready().judge(workload({"Ready": ("False", "Creating"), "Stalled": ("True", reason)}))
    assert found.state is (HOPELESS if row.needs_edit else WAITING)
    assert found.message == f"it is Stalled ({reason}): said {reason}"


def test_what_a_quota_has_no_room_for_is_waited_for() -> None:
    given = workload({"Stalled": ("True", "PodRefused")})
    assert Ready().judge(given).state is HOPELESS
    given["status"]["conditions"][0]["message"] = 'pods "web" is forbidden: exceeded quota: q, requested: 1'
    assert Ready().judge(given).state is WAITING


def hulled(revision: str, made: str, conditions: dict[str, tuple[str, str]] = READY, **more: Any) -> Raw:
    return workload(conditions, hull={"revision": revision}, lastChange={"at": made}, **more)


ENDED_AGAIN = workload(COMPLETED, exit={"revision": "b"}, lastChange={"at": "2026-01-01T00:00:02Z"})


@pytest.mark.parametrize(
    ("given", "state", "says"),
    [
        (hulled("a", "2026-01-01T00:00:00Z"), WAITING, "waiting for the operator to see"),
        (hulled("a", "2026-01-01T00:00:00Z", UNREADY), WAITING, "Replacing"),
        (hulled("b", "2026-01-01T00:00:02Z"), REACHED, "said Ready"),
        (hulled("b", "2026-01-01T00:00:02Z", UNREADY), WAITING, "Replacing"),
        (hulled("b", "2026-01-01T00:00:02Z", STALLED), HOPELESS, "it is Stalled"),
        (hulled("a", "2026-01-01T00:00:00Z", STALLED), HOPELESS, "it is Stalled"),
        (ENDED_AGAIN, REACHED, "it has run to completion"),
        (workload(COMPLETED, exit={"revision": "a"}), WAITING, "waiting for the operator to see"),
        (None, HOPELESS, "it is gone"),
    ],
)  # fmt: skip
def test_a_restart_is_over_once_another_revision_is_ready(
    given: Raw | None, state: GoalState, says: str
) -> None:
    found = Restarted(frozenset({"a"})).judge(given)
    assert (found.state, says in found.message) == (state, True), found


def test_the_hull_of_a_replacement_that_was_under_way_is_not_the_restarted_one() -> None:
    goal = Restarted(frozenset({"a"}), after="2026-01-01T00:00:05Z")
    assert goal.judge(hulled("b", "2026-01-01T00:00:04Z")).state is WAITING
    assert goal.judge(hulled("c", "2026-01-01T00:00:05Z")).state is REACHED


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: path.name.partition(".")[0])
def test_each_golden_status_is_understood(path: Any) -> None:
    """What is Ready, Stalled, stopped or at its end is just that, in every state of a life."""
    given, _ = read(path)
    status = plan(given).status
    assert status is not None
    raw: Raw = {
        "metadata": {
            "namespace": given.workload.metadata.namespace,
            "name": given.workload.metadata.name,
            "uid": given.workload.metadata.uid,
            "generation": given.workload.metadata.generation,
        },
        "spec": given.workload.spec.raw(),
        "status": status.raw(),
    }
    assert not [found for goal in GOALS for found in elsewhere(goal.judge(raw).message, "web", NAMESPACE)]
    conditions = {one["type"]: (one["status"], one["reason"]) for one in raw["status"]["conditions"]}
    truth, reason = conditions["Ready"]
    stalled, is_off = conditions["Stalled"][0] == "True", raw["spec"].get("state") == "Stopped"
    ready = Ready().judge(raw).state
    row = row_of(conditions["Stalled"][1])
    expected = (
        WAITING
        if stalled and row and not row.needs_edit
        else HOPELESS
        if stalled or is_off or reason in {"Completed", "Failed"}
        else REACHED
        if truth == "True"
        else WAITING
    )
    assert ready is expected
    assert (Stopped().judge(raw).state is REACHED) == (reason == "Stopped" and truth == "True")
    assert (Completed().judge(raw).state is REACHED) == (reason == "Completed" and truth == "True")


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("ready", Ready()),
        ("Ready", Ready()),
        ("deleted", Deleted()),
        ("delete", Deleted()),
        ("condition=Ready", Condition("Ready", "True")),
        ("condition=Ready=false", Condition("Ready", "False")),
        ("isolation=machine", Isolated("VirtualMachine")),
        ("isolation=vm", Isolated("VirtualMachine")),
        ("isolation=VirtualMachine", Isolated("VirtualMachine")),
    ],
)
def test_goals_are_named_as_the_help_says(text: str, goal: Goal) -> None:
    assert parse(text) == goal


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rady", goals.CHOICES),
        ("ready=yes", goals.CHOICES),
        ("condition=", "condition=TYPE"),
        ("condition=Ready=maybe", "condition=TYPE[=STATUS]"),
        ("isolation=pod", "container, sandbox, machine"),
        ("isolation=auto", "container, sandbox, machine"),
    ],
)
def test_what_is_no_goal_is_refused_with_those_that_there_are(text: str, says: str) -> None:
    with pytest.raises(UnknownGoalError) as error:
        parse(text)
    assert says in str(error.value)


def test_texts_of_others_have_no_control_characters() -> None:
    given = workload(UNREADY)
    given["status"]["conditions"][0]["message"] = "\x1b[2Jcleared\nline"
    assert Ready().judge(given).message == "Replacing: \\x1b[2Jcleared line"


@pytest.mark.parametrize(
    "odd", [{}, {"status": None, "spec": None}, {"status": {"conditions": {"a": 1}, "hull": []}, "spec": []}]
)
def test_a_workload_of_any_shape_is_waited_for(odd: Raw) -> None:
    given = {"metadata": {"name": "web", "generation": 1}, **odd}
    for goal in (Ready(), Stopped(), Condition("Ready"), Isolated("Sandbox"), Restarted(frozenset()), Up()):
        assert goal.judge(given).state is WAITING
