"""api/reasons and core/reasons have the same reasons, and the code gives each of them.

That nothing else is given as a reason is mypy's to see; that nothing of ours is quoted, this test's.
"""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import twinhull
from tools.pages.rules import Reasons
from twinhull.api.reasons import Reason
from twinhull.core import backoff, prerequisites, steps
from twinhull.core.isolation import resolution
from twinhull.core.reasons import SECTIONS
from twinhull.core.reasons.stalled import STALLED
from twinhull.core.reasons.writes import WRITES
from twinhull.core.rules import RULES, Rule
from twinhull.hulls.types import diskmachine, machine, pods, registry

PACKAGE = Path(twinhull.__file__).parent
#: The files that list reasons. Code elsewhere gives them.
LISTS = (PACKAGE / "api" / "reasons.py", PACKAGE / "core" / "reasons")
#: The modules by which rules give reasons, beside the rules' own.
SHARED = (steps, backoff, prerequisites, resolution, pods, machine, diskmachine, registry)


def nodes() -> Iterator[ast.AST]:
    for path in PACKAGE.rglob("*.py"):
        if not any(path.is_relative_to(listed) for listed in LISTS):
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def test_every_reason_has_one_row() -> None:
    rows = Counter(str(reason) for _, table in SECTIONS for reason in table)
    assert [reason for reason, times in rows.items() if times > 1] == []
    assert set(Reason) - rows.keys() == set()


@pytest.mark.slow
def test_every_reason_is_given() -> None:
    named = (node for node in nodes() if isinstance(node, ast.Attribute))
    assert {node.attr for node in named if ast.unparse(node.value) == "Reason"} == set(Reason.__members__)


@pytest.mark.slow
def test_what_the_code_itself_says_is_not_quoted() -> None:
    calls = (node for node in nodes() if isinstance(node, ast.Call) and ast.unparse(node.func) == "Quoted")
    assert [ast.unparse(call) for call in calls if isinstance(call.args[0], ast.Constant)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_has_the_reasons_in_its_docstring(rule: Rule) -> None:
    """conftest.py checks that a rule gives no other reasons."""
    modules = [inspect.getmodule(rule), *SHARED]
    code = "".join(inspect.getsource(module) for module in modules if module)
    assert [why for why in Reasons.of(rule).own if f"Reason.{why.name}" not in code] == []


#: Reasons of Stalled Workloads that continue by themselves, once an object exists, a resource is free, or a
#: component works again.
GOES_ON = {
    *("TerminationDeadlineExceeded", "PolicyUnreadable", "InternalError", "KubeVirtMissing"),
    *("KubeVirtNotReady", "KubeVirtTooOld", "CDIMissing", "CDINotReady", "DiskConflict", "NoMachineNodes"),
    *("GuestImageMissing", "RuntimeClassMissing", "IsolationUnknown", "ClaimMissing", "StorageClassMissing"),
    *("InstancetypeMissing", "PreferenceMissing", "NameConflict", "LauncherRefused", "Overruled"),
    *("ClaimRefused", "PodFailed", "VirtualMachineFailed", "ServiceFailed", "ConfigMapFailed"),
    *("DataVolumeFailed", "ClaimFailed", "IsolationDropped", "DiskFailed", "ClaimHasFiles", "ServiceRefused"),
    "DiskReplaced",
}
#: Reasons of Stalled Workloads that continue only after a change of the Workload, or of what refuses it.
NEEDS_EDIT = {
    *("Failed", "ProgressDeadlineExceeded", "CannotStartFirst", "UnsupportedFields"),
    *("RejectedByPolicy", "Unreadable", "TooLarge", "EvadesFloor", "ImageRejected", "TemplateMissing"),
    *("DiskSourceChanged", "DiskShrinks", "RuntimeClassConflict", "ClaimIsDisk"),
    *("ClaimReadOnly", "ResizeError", "ResizeInfeasible", "PodRefused"),
    *("VirtualMachineRefused", "ConfigMapRefused", "DataVolumeRefused"),
}


def test_of_each_reason_it_is_decided_whether_the_workload_itself_has_to_be_changed() -> None:
    rows = {str(reason): row for _, table in SECTIONS for reason, row in table.items()}
    assert {str(reason) for reason in STALLED | WRITES} == GOES_ON | NEEDS_EDIT
    assert {reason for reason, row in rows.items() if row.needs_edit} == NEEDS_EDIT
