"""Policies and what they look at change while no operator runs, or before their kind is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.controlplane import Api, Cluster
from tests.e2e.conftest import install_crds
from tests.e2e.operator.policies import Policies, boxes
from tests.e2e.operator.subject import Manifest, Subject, container, template
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated

BOXED: Manifest = {"minimum": "Sandbox", "sandbox": {"runtimeClassName": "strong"}}


@pytest.fixture(scope="module", autouse=True)
def runtime_class(cluster: Cluster) -> Iterator[None]:
    remove = boxes(cluster.api, "strong")
    yield
    remove()


@pytest.fixture
def start(account: Path, tmp_path: Path) -> Iterator[Callable[[], OperatorProcess]]:
    """Starts an operator, which ends with the test."""
    started: list[OperatorProcess] = []

    def begin() -> OperatorProcess:
        started.append(OperatorProcess.start(account, tmp_path / "operator.log"))
        return started[-1]

    yield begin
    for operator in started:
        if operator.process.alive():
            operator.stop()


def is_sandboxed(web: Subject) -> None:
    web.eventually(lambda: web.hull()["spec"].get("runtimeClassName") == "strong", "it runs in the sandbox")
    web.becomes("Ready")


@pytest.mark.parametrize("change", ["policy", "namespace", "label", "image"])
def test_what_changed_while_no_operator_ran_is_taken_up(
    start: Callable[[], OperatorProcess],
    cluster: Cluster,
    api: Api,
    policies: Policies,
    change: str,
) -> None:
    place = {"kubernetes.io/metadata.name": policies.namespace}
    matches: dict[str, Manifest] = {
        "policy": {},
        "namespace": {"namespaceSelector": {"matchLabels": {**place, "trust": "none"}}},
        "label": {"workloadSelector": {"matchLabels": {"trust": "none"}}},
        "image": {"images": ["ghcr.io/community/**"]},
    }
    if change != "policy":
        policies.make("boxed", **BOXED, match=matches[change])
    web = Subject(cluster, policies.namespace).served_by(operator := start())
    web.apply("Container")
    web.becomes("Ready")
    assert "runtimeClassName" not in web.hull()["spec"]
    operator.stop()

    if change == "policy":
        policies.make("boxed", **BOXED)
    elif change == "namespace":
        policies.label(trust="none")
    elif change == "label":
        api.patch("Workload", "web", web.namespace, {"metadata": {"labels": {"trust": "none"}}})
    else:
        web.change(template=template(containers=[container(image="ghcr.io/community/app")]))

    is_sandboxed(web.served_by(start()))


def test_operator_runs_without_the_kind_and_takes_it_up_when_it_is_installed(
    start: Callable[[], OperatorProcess], cluster: Cluster, policies: Policies
) -> None:
    cluster.kubectl("delete", "crd", "isolationpolicies.twinhull.dev")
    try:
        web = Subject(cluster, policies.namespace).served_by(start())
        web.apply("Container")
        web.becomes("Ready")
    finally:
        install_crds(cluster)
    cluster.eventually(lambda: policies.make("boxed", **BOXED), 30, "the API server serves the kind")
    is_sandboxed(web)
