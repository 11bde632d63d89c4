"""Each state of a life as GitOps tools see it: kstatus (Flux, Helm) and Argo CD, by their own code; and as
our own verbs show it.

What the control plane gives is also the testdata of our health checks, and what tests/unit/view shows;
`--update` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.controlplane import Cluster, eventually
from tests.controlplane.polling import PATIENCE
from tests.e2e.operator.policies import Policies
from tests.e2e.operator.subject import Manifest, Subject
from tests.gitops import answers, screens
from tests.gitops.lifecycle import POLICY_STATES, STATES, State, reason
from tests.gitops.verdicts import CHECKS, health, kstatus
from tests.operator_process import OperatorProcess

pytestmark = [pytest.mark.simulated, pytest.mark.built("kstatus", "argocd")]

LIVES = {"Workload": STATES, "IsolationPolicy": POLICY_STATES}
CASES = [(kind, name) for kind, states in LIVES.items() for name in states]

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
_NODE = re.compile(r"^node-\d+$")
_ADDRESS = re.compile(r"^\d+\.\d+\.\d+\.\d+$")


@pytest.fixture
def state(kind: str, name: str) -> State:
    """The state by its name."""
    return LIVES[kind][name]


@pytest.fixture
def taken(state: State, operator: OperatorProcess, cluster: Cluster, namespace: str) -> Iterator[Manifest]:
    """An object in the state, which lasts as long as the test."""
    policies = Policies(cluster.api, namespace)
    web = Subject(cluster, namespace, alive=operator.check)
    try:
        for obj in state.scene(web, policies):
            assert reason(obj) == state.reason
            yield obj
    finally:
        policies.end()


def impersonal(value: Any, namespace: str) -> Any:
    """It without what differs from run to run."""
    if isinstance(value, dict):
        return {key: impersonal(below, namespace) for key, below in value.items()}
    if isinstance(value, list):
        return [impersonal(below, namespace) for below in value]
    if not isinstance(value, str):
        return value
    if _TIME.match(value):
        return "2026-01-01T00:00:00Z"
    if _NODE.match(value):
        return "node-0"
    return "10.64.0.1" if _ADDRESS.match(value) else value.replace(namespace, "shop")


def recorded(obj: Manifest, namespace: str) -> Manifest:
    """An object as the folder testdata has it."""
    metadata = {**obj["metadata"], "uid": "00000000-0000-0000-0000-000000000000", "resourceVersion": "1"}
    del metadata["managedFields"]
    found: Manifest = impersonal({**obj, "metadata": metadata}, namespace)
    return found


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_each_tool_sees_the_state_as_it_is(  # noqa: PLR0913, PLR0917  one parameter a fixture
    request: pytest.FixtureRequest,
    cluster: Cluster,
    state: State,
    taken: Manifest,
    namespace: str,
    kind: str,
    name: str,
) -> None:
    assert kstatus(taken) == [state.kstatus]
    ((status, message),) = health(taken)
    assert (status, bool(message)) == (state.health, True)

    path = CHECKS / "twinhull.dev" / taken["kind"] / "testdata" / f"{name}.yaml"
    if request.config.getoption("--update"):
        found = recorded(taken, namespace)
        path.write_text(yaml.safe_dump(found, sort_keys=False, width=110), encoding="utf-8")
    expected = yaml.safe_load(path.read_text(encoding="utf-8"))

    def as_recorded() -> bool:
        assert recorded(_now(cluster, taken, name), namespace) == expected
        return True

    eventually(as_recorded, PATIENCE, f"it is as {path.name} has it")
    if kind == "Workload":
        _shown(request, cluster, namespace, taken, name)
        if name not in screens.UNSEEN:
            _answered(request, cluster, taken, name)


def _shown(
    request: pytest.FixtureRequest, cluster: Cluster, namespace: str, taken: Manifest, state: str
) -> None:
    """The verbs show the state as it was recorded. `--update` records it, and tests/unit/view what they
    show.
    """
    if request.config.getoption("--update"):
        screens.save(state, screens.seen(cluster, namespace, taken, state))
    expected = screens.without_events(screens.printed(screens.load(state)))

    def as_recorded() -> bool:
        seen = screens.seen(cluster, namespace, _now(cluster, taken, state), state)
        assert screens.without_events(screens.printed(seen)) == expected
        return True

    # Endpoints, say, come after the Workload's status.
    eventually(as_recorded, PATIENCE, f"the verbs show it as {state}.yaml has it")


def _answered(request: pytest.FixtureRequest, cluster: Cluster, taken: Manifest, state: str) -> None:
    """The verbs that change a Workload or reach into it answer as they did. `--update` records it."""
    path = answers.golden(state)
    if request.config.getoption("--update"):
        path.write_text(answers.answers(cluster, taken), encoding="utf-8")
    expected = path.read_text(encoding="utf-8")

    def as_recorded() -> bool:
        assert answers.answers(cluster, taken) == expected
        return True

    eventually(as_recorded, PATIENCE, f"the verbs answer as {path.name} has it")


def _now(cluster: Cluster, taken: Manifest, state: str) -> Manifest:
    """The object as it is now, if it stays in the state for longer than a moment."""
    if state in screens.UNSEEN:
        return taken
    metadata = taken["metadata"]
    return cluster.api.get(taken["kind"], metadata["name"], metadata.get("namespace")) or taken


@pytest.mark.parametrize("kind", LIVES)
def test_the_checks_own_tests_pass_and_leave_no_testdata_out(
    request: pytest.FixtureRequest, kind: str
) -> None:
    folder = CHECKS / "twinhull.dev" / kind
    names = sorted(path.name for path in (folder / "testdata").iterdir())
    objects = [yaml.safe_load((folder / "testdata" / name).read_text(encoding="utf-8")) for name in names]
    tests = [
        {"healthStatus": {"status": status, "message": message}, "inputPath": f"testdata/{name}"}
        for name, (status, message) in zip(names, health(*objects), strict=True)
    ]
    path = folder / "health_test.yaml"
    if request.config.getoption("--update"):
        path.write_text(yaml.safe_dump({"tests": tests}, sort_keys=False, width=110), encoding="utf-8")
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == {"tests": tests}
    assert sorted(f"{name}.yaml" for name in LIVES[kind]) == names
