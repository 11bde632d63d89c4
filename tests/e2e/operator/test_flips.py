"""A flip: the same Workload in another kind of hull, at the same address, never twice at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest

from tests.controlplane import Api
from tests.e2e.operator.history import History
from tests.e2e.operator.subject import NEVER_READY, WORKLOAD_LABEL, Manifest, Subject, container, template

pytestmark = pytest.mark.simulated

ISOLATIONS = ("Container", "Sandbox", "VirtualMachine")
KINDS = {"Container": "Pod", "Sandbox": "Pod", "VirtualMachine": "VirtualMachine"}
SERVED = template(containers=[container(ports=[{"name": "http", "containerPort": 80}])])


@pytest.fixture(autouse=True, scope="module")
def _runtime_class(api: Api) -> Iterator[None]:
    name = "flips"
    api.create(
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": name},
            "handler": "runsc",
        }
    )
    yield
    api.delete("RuntimeClass", name)


def flippable(web: Subject, isolation: str) -> Manifest:
    web.apply(isolation, SERVED, sandbox={"runtimeClassName": "flips"})
    return web.becomes("Ready")


def endpoints(web: Subject) -> list[tuple[str, bool]]:
    """(address, ready) of what the Service leads to, as the real controller publishes it."""
    slices = web.cluster.api.list("EndpointSlice", web.namespace, labels="kubernetes.io/service-name=web")
    return [
        (address, endpoint["conditions"]["ready"])
        for found in slices
        for endpoint in found["endpoints"] or ()
        for address in endpoint["addresses"]
    ]


@pytest.mark.parametrize(("before", "after"), list(permutations(ISOLATIONS, 2)))
def test_flip_keeps_the_service_and_never_runs_twice(web: Subject, before: str, after: str) -> None:
    history = History.begin(web.cluster, web.namespace)
    first = flippable(web, before)["status"]["hull"]
    service = web.one("Service", "web")
    web.eventually(
        lambda: endpoints(web) == [(first["address"], True)], "the Service leads to the first hull"
    )

    web.change(isolationPolicy=after)
    workload = web.becomes("Ready")
    second = workload["status"]["hull"]

    assert workload["status"]["isolation"]["resolved"] == after
    assert "previousHull" not in workload["status"]
    assert (first["kind"], second["kind"]) == (KINDS[before], KINDS[after])
    assert first["name"] != second["name"]
    web.eventually(
        lambda: endpoints(web) == [(second["address"], True)], "the Service leads to the second hull alone"
    )
    assert web.one("Service", "web")["spec"]["clusterIP"] == service["spec"]["clusterIP"]
    assert web.belongings()[KINDS[after]][-1] == second["name"] or after == "VirtualMachine"
    # Whichever the hull, it is a Pod that runs: the hull itself, or the machine's launcher.
    old, new = history.lives("Pod", f"{WORKLOAD_LABEL}=web")
    assert not old.overlaps(new), "two Pods of one Workload at once"
    if before == "VirtualMachine":
        (instance,) = history.lives("VirtualMachineInstance", f"{WORKLOAD_LABEL}=web")
        assert not instance.overlaps(new), "a machine beside its Pod"


def test_endpoint_of_a_hull_that_is_not_ready_is_not_ready(web: Subject) -> None:
    hull = flippable(web, "Container")["status"]["hull"]
    web.annotate("Pod", hull["name"], **{NEVER_READY: "true"})
    web.eventually(lambda: endpoints(web) == [(hull["address"], False)], "the endpoint isn't ready")

    web.change(isolationPolicy="VirtualMachine")
    hull = web.becomes("Ready")["status"]["hull"]
    web.eventually(lambda: endpoints(web) == [(hull["address"], True)], "the machine's endpoint is ready")
    # virt-controller keeps the launcher Pod's annotation what the machine's template says.
    unready = {"metadata": {"annotations": {NEVER_READY: "true"}}}
    web.cluster.api.patch("VirtualMachine", hull["name"], web.namespace, {"spec": {"template": unready}})
    web.eventually(lambda: endpoints(web) == [(hull["address"], False)], "the machine's endpoint isn't ready")


def test_status_names_the_hull_that_is_going_during_a_flip(web: Subject) -> None:
    history = History.begin(web.cluster, web.namespace)
    first = flippable(web, "VirtualMachine")["status"]["hull"]
    web.change(isolationPolicy="Container")
    web.becomes("Ready")

    replacing = [
        change.obj["status"]
        for change in history.of("Workload")
        if change.obj["status"].get("conditions", [{}])[0].get("reason") == "Replacing"
    ]
    assert replacing, "it was never said that the machine is being replaced"
    for status in replacing:
        hull = status.get("previousHull") or status["hull"]
        assert (hull["kind"], hull["name"]) == ("VirtualMachine", first["name"])


def test_flip_back_at_once_ends_where_it_began(web: Subject) -> None:
    first = flippable(web, "Container")["status"]["hull"]
    web.change(isolationPolicy="VirtualMachine")
    web.change(isolationPolicy="Container")

    hull = web.becomes("Ready")["status"]["hull"]

    assert hull["name"] == first["name"]
    web.eventually(
        lambda: web.belongings() == {"Pod": [first["name"]], "Service": ["web"]},
        "nothing of the machine is left",
    )
