"""A Workload that a newer CustomResourceDefinition let in: it says so, and is left alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import Subject, condition

pytestmark = pytest.mark.simulated

CRD = "workloads.twinhull.dev"
_ISOLATION = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/isolationPolicy/enum"
_HOW = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/lastChange/properties/how/enum"


@pytest.fixture
def newer(cluster: Cluster) -> Iterator[None]:
    """The kind as a newer release could have it: with one more isolation, and one more way to change."""
    words = {_ISOLATION: "MicroVM", _HOW: "Moved"}
    add = [{"op": "add", "path": f"{path}/0", "value": word} for path, word in words.items()]
    cluster.api.patch("CustomResourceDefinition", CRD, None, add)
    yield
    remove = [{"op": "remove", "path": f"{path}/0"} for path in words]
    cluster.api.patch("CustomResourceDefinition", CRD, None, remove)


@pytest.mark.usefixtures("newer")
def test_what_runs_goes_on_and_the_field_is_named(web: Subject) -> None:
    web.apply("Container")
    web.becomes("Ready")
    belongings = web.belongings()

    web.eventually(lambda: web.change(isolationPolicy="MicroVM"), "the API server takes the newer isolation")

    workload = web.becomes("Unreadable")
    assert condition(workload, "Stalled")[0] == "True"
    assert "can't read spec.isolationPolicy: Input should be 'Auto'" in condition(workload, "Ready")[2]
    assert workload["status"]["hull"]["ready"]
    assert web.belongings() == belongings
    events = [event for event in web.all_events() if event[1] == "Unreadable"]
    assert [kind for kind, _, _ in events] == ["Warning"]

    web.change(isolationPolicy="Container")
    web.becomes("Ready")
    assert web.belongings() == belongings


@pytest.mark.usefixtures("newer")
def test_a_newer_operators_words_in_the_status_are_replaced(web: Subject, cluster: Cluster) -> None:
    web.apply("Container")
    belongings = web.becomes("Ready") and web.belongings()

    moved = {"status": {"lastChange": {"how": "Moved"}}}
    web.eventually(
        lambda: cluster.api.patch("Workload", "web", web.namespace, moved, subresource="status"),
        "the API server takes the newer status",
    )

    web.eventually(lambda: web.get()["status"]["lastChange"]["how"] == "Created", "it is told anew")
    assert web.condition("Ready")[0] == "True"
    assert web.belongings() == belongings
