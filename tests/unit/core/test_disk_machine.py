"""What a machine that boots a disk of its own is made like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from twinhull.api.base import Raw
from twinhull.core.actions import Rehearse
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.plan import plan
from twinhull.core.rehearsal import rehearsals
from twinhull.hulls.hull import WORKLOAD_LABEL

from .diskworld import CDI, World, running, wl
from .objects import KUBEVIRT, NAME, case


@pytest.mark.parametrize(
    ("machine", "seconds"),
    [
        ({}, 180),
        ({"os": "Windows"}, 3600),
        ({"preference": {"name": "fedora"}}, None),
        ({"overrides": {"terminationGracePeriodSeconds": 600}}, 600),
    ],
)
def test_a_system_has_time_to_shut_down(machine: Raw, seconds: int | None) -> None:
    (made,) = World(wl(machine)).case().desired.hull_objects
    assert made["spec"]["template"]["spec"].get("terminationGracePeriodSeconds") == seconds


@pytest.mark.parametrize(
    ("machine", "version", "card"),
    [
        ({"devices": "Virtio"}, "v1.9.0", {"type": "virtio"}),
        ({"devices": "Virtio"}, "v1.8.4", None),
        ({"devices": "Compatible"}, "v1.9.0", None),
        ({"devices": "Virtio", "preference": {"name": "windows.11"}}, "v1.9.0", None),
        ({"devices": "Virtio", "os": "Linux"}, "v1.9.0", None),
    ],
)
def test_a_windows_has_the_graphics_card_that_kubevirt_lets_it_name(
    machine: Raw, version: str, card: Raw | None
) -> None:
    (made,) = with_version(World(wl({"os": "Windows"} | machine)), version).desired.hull_objects
    assert made["spec"]["template"]["spec"]["domain"]["devices"].get("video") == card


@pytest.mark.parametrize(
    ("overridden", "clock"),
    [
        (None, {"utc": {}}),
        ({"timezone": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}),
        ({"timezone": None}, {"utc": {}}),
        ({"utc": {"offsetSeconds": 3600}}, {"utc": {"offsetSeconds": 3600}}),
        ({"timer": {"kvm": {}}}, {"utc": {}}),
    ],
)
def test_a_windows_has_the_time_zone_that_is_asked_for(overridden: Raw | None, clock: Raw) -> None:
    """KubeVirt ignores a time zone beside utc."""
    overrides = {"overrides": {"domain": {"clock": overridden}}} if overridden else {}
    (made,) = World(wl({"os": "Windows"} | overrides)).case().desired.hull_objects
    found = made["spec"]["template"]["spec"]["domain"]["clock"]
    assert {key: found[key] for key in found if key != "timer"} == clock


def test_a_windows_without_a_screen_names_no_graphics_card() -> None:
    overrides = {"domain": {"devices": {"autoattachGraphicsDevice": False}}}
    world = World(wl({"os": "Windows", "devices": "Virtio", "overrides": overrides}))
    (made,) = with_version(world, "v1.9.0").desired.hull_objects
    assert "video" not in made["spec"]["template"]["spec"]["domain"]["devices"]


def with_version(world: World, version: str) -> Case:
    """The case as it is with a KubeVirt of that version."""
    kubevirt = KUBEVIRT | {"status": {"phase": "Deployed", "observedKubeVirtVersion": version}}
    return case(world.raw, kubevirt, CDI, *world.objects.values())


@pytest.mark.parametrize("versions", [("v1.8.4", "v1.9.0"), ("v1.9.0", "")])
def test_another_kubevirt_restarts_no_machine_for_its_graphics_card(versions: tuple[str, str]) -> None:
    former, present = versions
    windows = {"os": "Windows", "devices": "Virtio"}
    world = running(windows)
    devices = world.vm["spec"]["template"]["spec"]["domain"]["devices"]
    (made,) = with_version(world, former).desired.hull_objects
    devices.update(made["spec"]["template"]["spec"]["domain"]["devices"])
    found = with_version(world, present)
    assert (plan(found).actions, decide(found).reason) == ((), "Ready")
    devices["video"] = {"type": "vga"}
    assert decide(with_version(world, present)).reason == "MachineEdited"


def test_without_a_template_no_container_runs() -> None:
    found = case(wl(isolationPolicy="Container"), KUBEVIRT, CDI)
    assert (decide(found).reason, plan(found).actions) == ("TemplateMissing", ())
    assert "spec.virtualMachine.bootDisk" in decide(found).message


def test_two_machines_never_have_one_disk() -> None:
    found = case(wl(replacement={"strategy": "StartFirst"}), KUBEVIRT, CDI)
    assert (decide(found).reason, plan(found).actions) == ("CannotStartFirst", ())


def test_its_service_has_the_ports_that_are_given() -> None:
    port: Raw = {"port": 80, "targetPort": 8080}
    service = case(wl(service={"ports": [port]}), KUBEVIRT, CDI).desired.service
    assert service is not None
    assert service["spec"]["ports"] == [{"name": "tcp-80", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    assert service["spec"]["selector"] == {WORKLOAD_LABEL: NAME}


def test_a_pod_like_its_launcher_is_tried_out_under_a_name_that_hulls_have() -> None:
    (tried,) = [
        action.obj
        for action in rehearsals(replace_with_memory())
        if isinstance(action, Rehearse) and action.stands_for == "launcher"
    ]
    revision = tried["metadata"]["labels"]["twinhull.dev/revision"]
    assert tried["metadata"]["name"] == f"{NAME}-{revision}"


def replace_with_memory() -> Case:
    """A machine that runs is to have more memory, and nothing of that was tried out yet."""
    world = running()
    world.ask({"memory": "8Gi"})
    found = world.case()
    return replace(found, observed=replace(found.observed, rehearsed=frozenset()))


def test_a_card_keeps_the_address_that_it_was_given() -> None:
    world = running()
    (card,) = world.vm["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"]
    card["macAddress"] = "02:00:00:00:00:01"
    world.ask({"memory": "8Gi"})
    world.settle()
    world.end()
    assert world.settle() == "Pending"
    (card,) = world.vm["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"]
    assert card["macAddress"] == "02:00:00:00:00:01"
    assert world.vm["spec"]["template"]["spec"]["domain"]["memory"] == {"guest": "8Gi"}
