"""A fourth way to run a Workload, all of it in this file: the product isn't told of it anywhere else.

Isolation is a closed enumeration, so the checks run in a process of their own, in which it has one value more
(one_more_isolation.py). Another such process has that value and no type for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.core.objects import GVISOR, case, hull, workload
from tests.unit.core.policies import namespace, policy
from tools.pages import parity
from twinhull.api import admission, crd
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation, order, strongest
from twinhull.api.workload import WorkloadSpec
from twinhull.core.actions import Create
from twinhull.core.decision import decide
from twinhull.hulls.evasion import Evasion
from twinhull.hulls.hull import Hull
from twinhull.hulls.types import RenderInput, SandboxCriteria, hull_types, machine_isolations, registry
from twinhull.hulls.types.pods import Sandbox, pod_of

ROOT = Path(__file__).parents[4]


def _add_type() -> None:
    class MicroVM(Sandbox):
        """A Pod that one certain RuntimeClass runs, which no annotation may configure."""

        isolation = Isolation("MicroVM")
        title = "micro VM"

        def objects(self, given: RenderInput) -> tuple[Raw, ...]:
            pod = pod_of(given)
            return ({**pod, "spec": {**pod["spec"], "runtimeClassName": "firecracker"}},)

        def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:  # noqa: ARG002
            return hull.runtime_class == "firecracker"

        def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:
            hosts = spec.template["spec"].get("hostNetwork")
            return (Evasion("spec.template.spec.hostNetwork", "it is the node's network"),) if hosts else ()

    registry.TYPES = (*registry.TYPES, MicroVM())


def check_rendered() -> None:
    found = case(workload({"isolationPolicy": "MicroVM", "sandbox": {"runtimeClassName": "gvisor"}}), GVISOR)
    (created,) = [action for action in decide(found).actions if isinstance(action, Create)]
    assert (created.obj["kind"], created.obj["spec"]["runtimeClassName"]) == ("Pod", "firecracker")
    assert found.compliance.isolation_status.resolved == "MicroVM"


def check_ordered() -> None:
    assert order() == "Container < Sandbox < VirtualMachine < MicroVM"
    assert list(dict.fromkeys(one.isolation for one in hull_types())) == list(Isolation)
    assert strongest() == "MicroVM"
    pod = hull("Pod", "web-2123456789", spec={"containers": [], "runtimeClassName": "firecracker"})
    assert case(workload(), pod).compliance.isolation_status.running == "MicroVM"


def check_refused_by_policies() -> None:
    strict = policy("strict", minimum="MicroVM", onViolation="Reject")
    weaker = case(workload({"isolationPolicy": "VirtualMachine"}), strict, namespace())
    assert decide(weaker).reason == "RejectedByPolicy"
    assert not decide(weaker).actions
    less = policy("less", minimum="VirtualMachine", onViolation="Reject")
    stronger = case(workload({"isolationPolicy": "MicroVM"}), less, namespace())
    assert not stronger.blueprint.resolution.rejected


def check_raised_to() -> None:
    raising = policy("raising", minimum="MicroVM")
    found = case(workload({"isolationPolicy": "VirtualMachine"}), raising, namespace())
    assert found.blueprint.resolution.resolved == "MicroVM"


def check_evasion_refused() -> None:
    raising = policy("raising", minimum="MicroVM")
    found = case(workload({}, pod={"hostNetwork": True}), raising, namespace())
    assert decide(found).reason == "EvadesFloor"
    assert "spec.template.spec.hostNetwork" in decide(found).message


def check_admitted() -> None:
    workloads, policies = json.dumps(crd.workloads()), json.dumps(crd.isolation_policies())
    assert '"enum": ["Auto", "Container", "Sandbox", "VirtualMachine", "MicroVM"]' in workloads
    assert '"enum": ["Container", "Sandbox", "VirtualMachine", "MicroVM"]' in policies
    assert "'MicroVM': 3" in policies
    assert "'MicroVM': 3" in json.dumps(admission.admission(machine_isolations()))


def check_woken() -> None:
    woken = {str(one.isolation) for one in hull_types() if "RuntimeClass" in one.woken_by}
    assert woken == {"Sandbox", "MicroVM"}


def check_documented() -> None:
    assert "| field | Pod | sandbox | machine | micro VM | change |" in parity.page()


WITH_TYPE: tuple[Callable[[], None], ...] = (
    check_rendered,
    check_ordered,
    check_refused_by_policies,
    check_raised_to,
    check_evasion_refused,
    check_admitted,
    check_woken,
    check_documented,
)


def check_nothing_is_made() -> None:
    step = decide(case(workload({"isolationPolicy": "MicroVM"})))
    assert (step.ready, step.reason, step.stalled) == ("False", "IsolationUnknown", True)
    assert step.actions == ()


def check_what_runs_is_left() -> None:
    for kind in ("Pod", "VirtualMachine"):
        running = hull(kind, "web-2123456789", status={"phase": "Running"})
        step = decide(case(workload({"isolationPolicy": "MicroVM"}), running))
        assert (step.reason, step.actions) == ("IsolationUnknown", ())


def check_nothing_is_said_to_be_isolated_so() -> None:
    pod = hull("Pod", "web-2123456789", status={"phase": "Running"})
    assert (
        case(workload({"isolationPolicy": "MicroVM"}), pod).compliance.isolation_status.running == "Container"
    )


def check_policies_hold() -> None:
    found = case(workload({}), policy("raising", minimum="MicroVM"), namespace())
    assert decide(found).reason == "IsolationUnknown"
    assert decide(found).actions == ()


WITHOUT_TYPE: tuple[Callable[[], None], ...] = (
    check_nothing_is_made,
    check_what_runs_is_left,
    check_nothing_is_said_to_be_isolated_so,
    check_policies_hold,
)


def _results(checks: tuple[Callable[[], None], ...]) -> Iterator[tuple[str, str]]:
    for check in checks:
        try:
            check()
        except Exception:  # noqa: BLE001  told to the process that asks
            yield check.__name__, traceback.format_exc()
        else:
            yield check.__name__, ""


def _run(which: str) -> Any:
    package = "tests.unit.hulls.types"
    command = [sys.executable, "-m", f"{package}.one_more_isolation", f"{package}.test_fourth_type", which]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def with_type() -> Any:
    return _run("with-type")


@pytest.fixture(scope="module")
def without_type() -> Any:
    return _run("without-type")


@pytest.mark.slow
@pytest.mark.parametrize("check", WITH_TYPE)
def test_fourth_type(check: Callable[[], None], with_type: Any) -> None:
    assert with_type[check.__name__] == ""


@pytest.mark.slow
@pytest.mark.parametrize("check", WITHOUT_TYPE)
def test_isolation_without_a_type(check: Callable[[], None], without_type: Any) -> None:
    assert without_type[check.__name__] == ""


if __name__ == "__main__":
    if sys.argv[1] == "with-type":
        _add_type()
    print(json.dumps(dict(_results(WITH_TYPE if sys.argv[1] == "with-type" else WITHOUT_TYPE))))
