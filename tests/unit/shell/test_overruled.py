"""Somebody undoes what the operator writes: that is told once, tried again ever later, and never spins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from tests.sequences import Change
from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.hulls.merge import merge_patch
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.kinds import SERVICE

from .simulation import KEY, Simulation
from .test_passes import operate, started, written

PORTS = {"spec": {"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]}}

Mutate = Callable[[Raw], None]


def admitting(world: Simulation, kind: str, mutate: Mutate, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a webhook makes something else of each object of a kind."""
    create, patch = world.server.create, world.server.patch

    def mutated(obj: Raw) -> Raw:
        made = deepcopy(obj)
        if made["kind"] == kind:
            mutate(made)
        return create(made)

    def patched(of: str, key: tuple[str, str], change: Raw, **more: Any) -> Raw:
        if of == kind and not more.get("status"):
            wanted = merge_patch(world.server.get(of, key), change)
            mutate(wanted)
            parts: Raw = {part: wanted[part] for part in ("spec", "data") if part in wanted}
            labels = wanted["metadata"].get("labels") or {}
            present = world.server.get(of, key)["metadata"].get("labels") or {}
            gone: Raw = dict.fromkeys(present.keys() - labels.keys())
            change = {**change, **parts, "metadata": {**change["metadata"], "labels": {**gone, **labels}}}
        return patch(of, key, change, **more)

    monkeypatch.setattr(world.server, "create", mutated)
    monkeypatch.setattr(world.server, "patch", patched)


def cluster_ip_only(obj: Raw) -> None:
    obj["spec"]["type"] = "ClusterIP"


def nobody_selected(obj: Raw) -> None:
    obj["spec"]["selector"] = {"team": "blue"}


def hour(world: Simulation) -> int:
    """How many writes an hour takes in which everybody does their part."""
    count = len(world.cluster.writes)
    for _ in range(60):
        world.wait(60)
        world.everybody(0)
    return len(world.cluster.writes) - count


def ready(world: Simulation) -> tuple[str, str]:
    found = world.condition("Ready")
    return found["status"], found["reason"]


def reasons(world: Simulation) -> list[str]:
    return [event.reason for event in world.events.posted]


def test_a_service_that_a_webhook_changes_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Simulation({"service": {"type": "NodePort"}, "template": PORTS})
    admitting(world, "Service", cluster_ip_only, monkeypatch)
    for _ in range(4):
        world.everybody(0)
    assert ready(world) == ("True", "Overruled")
    (pod,) = world.server.all("Pod")
    assert world.condition("Ready")["message"] == (
        f"Pod {pod['metadata']['name']} is ready, but Service web: spec.type is ClusterIP, not NodePort: "
        "a webhook or an admission policy changes it when the operator writes it: prevent that change, "
        "or ask for the value that it sets"
    )
    assert world.condition("Stalled")["status"] == "False"
    assert written(world).count("patch Service") == 1
    assert hour(world) <= 20
    assert reasons(world).count(Reason.OVERRULED) == 1
    assert not {Reason.SERVICE_CHANGED, Reason.DRIFT_CORRECTED} & set(reasons(world)), "it wasn't changed"

    monkeypatch.undo()
    world.settle()
    assert ready(world) == ("True", "Ready")
    assert world.server.get("Service", KEY)["spec"]["type"] == "NodePort"


def test_a_service_that_is_led_elsewhere_serves_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Simulation({"template": PORTS})
    admitting(world, "Service", nobody_selected, monkeypatch)
    for _ in range(4):
        world.everybody(0)
    assert ready(world) == ("False", "Overruled")
    assert world.condition("Stalled")["status"] == "True"
    assert "spec.selector" in world.condition("Ready")["message"]
    assert hour(world) <= 20
    assert reasons(world).count(Reason.OVERRULED) == 1


@pytest.mark.slow
def test_a_manifest_that_a_webhook_changes_starts_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Simulation({"isolationPolicy": "VirtualMachine"})

    def add(obj: Raw) -> None:
        obj["data"] = {name: f"{text}\n# scanned" for name, text in obj["data"].items()}

    admitting(world, "ConfigMap", add, monkeypatch)
    for _ in range(4):
        world.wait(2)
        world.everybody(0)
    assert ready(world) == ("False", "Overruled")
    assert world.server.all("VirtualMachine") == []
    assert "scanned" not in world.condition("Ready")["message"], "a manifest may hold anything"
    assert hour(world) <= 20
    monkeypatch.undo()
    world.settle()
    assert ready(world) == ("True", "Ready")


def test_a_label_that_a_webhook_takes_from_a_pod_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = Simulation({})

    def strip(obj: Raw) -> None:
        obj["metadata"].get("labels", {}).pop("twinhull.dev/revision", None)

    admitting(world, "Pod", strip, monkeypatch)
    for _ in range(4):
        world.everybody(0)
    assert ready(world) == ("True", "Overruled")
    assert "metadata.labels[twinhull.dev/revision]" in world.condition("Ready")["message"]
    assert hour(world) <= 20


def undone(world: Simulation, patch: Raw) -> None:
    """A controller undoes the Service each time that it is as it is to be."""
    world.server.patch("Service", KEY, patch)


@pytest.mark.slow
def test_a_controller_that_undoes_a_service_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    world = started(template=PORTS)
    owned = {"manager": "rival", "fieldsV1": {"f:spec": {"f:type": {}}}}
    ours = {"manager": "twinhull", "fieldsV1": {"f:spec": {"f:type": {}, "f:selector": {}}}}

    async def with_managers(*_: Any) -> list[Raw]:
        return [ours, owned]

    monkeypatch.setattr(world.cluster, "managed_fields", with_managers)
    world.cluster.writes.clear()
    for _ in range(1_000):
        if world.server.get("Service", KEY)["spec"]["type"] != "LoadBalancer":
            undone(world, {"spec": {"type": "LoadBalancer"}})
        world.wait(1)
        world.everybody(0)
    assert written(world).count("patch Service") <= 14
    assert ready(world) == ("True", "Overruled")
    message = world.condition("Ready")["message"]
    assert "spec.type is LoadBalancer, not ClusterIP: rival changes it each time that" in message
    assert reasons(world).count(Reason.OVERRULED) == 1

    for _ in range(10):
        world.wait(60)
        world.everybody(0)
    assert ready(world) == ("True", "Ready"), "once nobody undoes it any more"


@pytest.mark.slow
def test_a_service_that_somebody_deletes_each_time_is_made_ever_less_often() -> None:
    world = started(template=PORTS)
    world.cluster.writes.clear()
    for _ in range(1_000):
        if KEY in world.server.objects["Service"]:
            world.server.remove("Service", KEY)
        world.wait(1)
        world.everybody(0)
    assert written(world).count("create Service") <= 14
    assert ready(world) == ("False", "Overruled")
    assert "somebody deletes it each time that the operator creates it" in world.condition("Ready")["message"]
    world.settle()
    assert ready(world) == ("True", "Ready")


def test_what_is_undone_now_and_then_is_put_right_at_once() -> None:
    world = started(template=PORTS)
    for _ in range(5):
        undone(world, {"spec": {"type": "LoadBalancer"}})
        operate(world)
        assert world.server.get("Service", KEY)["spec"]["type"] == "ClusterIP"
        world.wait(660)
        world.everybody(0)
    assert Reason.OVERRULED not in reasons(world)


def test_a_service_that_is_moved_to_and_fro_by_replacements_has_no_rival() -> None:
    """Its changes are asked for each time, and not by the spec: a policy comes and goes."""
    world = started(template=PORTS, replacement={"strategy": "StartFirst", "drainSeconds": 1})
    for number in range(8):
        minimum = {"minimum": "Sandbox", "onViolation": "Raise"} if number % 2 == 0 else None
        world.change(Change("IsolationPolicy", minimum, "tenants"))
        for _ in range(6):
            world.wait(2)
            world.everybody(0)
    assert written(world).count("patch Service") >= 8
    assert Reason.OVERRULED not in reasons(world)
    assert ready(world) == ("True", "Ready")


@pytest.mark.parametrize(
    ("text", "managers"),
    [
        ('{"metadata": {"managedFields": [{"manager": "rival"}]}}', ["rival"]),
        ('{"metadata": {}}', []),
        ('{"metadata": {"managedFields": ' + "[" * 100_000 + "]" * 100_000 + "}}", []),
        ("no JSON", []),
    ],
)
def test_who_manages_an_object_is_read_beside_it(
    monkeypatch: pytest.MonkeyPatch, text: str, managers: list[str]
) -> None:
    cluster = Cluster(Connection(lambda: None))  # type: ignore[arg-type,return-value]

    async def exchange(_: object) -> bytes:
        return text.encode()

    monkeypatch.setattr(cluster._transport, "exchange", exchange)  # noqa: SLF001
    found = asyncio.run(cluster.managed_fields(SERVICE, *KEY))
    assert [entry["manager"] for entry in found] == managers


OTHER: Raw = {
    "spec": {"containers": [{**PORTS["spec"]["containers"][0], "env": [{"name": "A", "value": "1"}]}]}
}


@pytest.mark.parametrize("change", [{"template": OTHER}, {"isolationPolicy": "VirtualMachine"}])
@pytest.mark.parametrize("strategy", ["Recreate", "StartFirst"])
def test_a_hull_is_replaced_though_somebody_undoes_the_services_type(
    change: Raw, strategy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    replacement = {"strategy": strategy, "drainSeconds": 0}
    world = Simulation({"service": {"type": "NodePort"}, "template": PORTS, "replacement": replacement})
    admitting(world, "Service", cluster_ip_only, monkeypatch)
    world.everybody(0)
    (pod,) = world.server.all("Pod")
    world.edit(change)
    for turn in range(20):
        world.everybody(turn)
        world.wait(60)
    hulls = [*world.server.all("VirtualMachine"), *world.server.all("Pod")]
    assert pod["metadata"]["uid"] not in [hull["metadata"]["uid"] for hull in hulls]
    assert ready(world) == ("True", "Overruled")


@pytest.mark.parametrize("families", [["IPv4"], ["IPv6"], ["IPv6", "IPv4"]])
def test_the_family_that_the_api_server_adds_is_nobodys_undoing(
    families: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = {"ipFamilyPolicy": "PreferDualStack", "ipFamilies": families}
    world = Simulation({"service": service, "template": PORTS})

    def added(obj: Raw) -> None:
        obj["spec"]["ipFamilies"] = sorted({"IPv4", "IPv6"}, key=lambda family: family != families[0])

    admitting(world, "Service", added, monkeypatch)
    world.everybody(0)
    assert hour(world) <= 1, "nothing but the status"
    assert ready(world) == ("True", "Ready")


def test_what_the_api_server_puts_in_place_of_what_is_taken_away_is_nobodys_undoing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Simulation({"service": {"sessionAffinity": "ClientIP"}, "template": PORTS})

    def defaulted(obj: Raw) -> None:
        obj["spec"].setdefault("sessionAffinity", "None")

    admitting(world, "Service", defaulted, monkeypatch)
    world.everybody(0)
    world.edit({"service": {"sessionAffinity": None}})
    world.everybody(0)
    assert world.server.get("Service", KEY)["spec"]["sessionAffinity"] == "None"
    assert ready(world) == ("True", "Ready")
