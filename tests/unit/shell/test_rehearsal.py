"""Rehearsals: what the API server says against a replacement, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from twinhull.api.base import Raw
from twinhull.api.workload import RESTART_ANNOTATION
from twinhull.shell.errors import ApiError, Refused, ServerError

from .simulation import Simulation
from .test_disk_labels import asking, boot
from .test_passes import operate

#: A limit that a LimitRange gives what has none.
TOO_LOW = (
    'Pod "web-1" is invalid: spec.containers[0].resources.requests: Invalid value: "768Mi": must be less '
    "than or equal to memory limit of 256Mi"
)


def flipped(answer: Callable[[Raw], ApiError | None], *quotas: Raw | ApiError) -> Simulation:
    """A Pod that is to be a machine, and what the API server says to each object that is tried out."""
    world = Simulation({"isolationPolicy": "Container"})
    world.settle()

    def say(obj: Raw) -> None:
        if error := answer(obj):
            raise error

    def read() -> list[Raw]:
        for quota in quotas:
            if isinstance(quota, ApiError):
                raise quota
        return [quota for quota in quotas if not isinstance(quota, ApiError)]

    world.cluster.rehearsed, world.cluster.its_quotas = say, read
    world.edit({"isolationPolicy": "VirtualMachine"})
    for _ in range(40):
        world.everybody(0)
    return world


def runs(world: Simulation) -> set[str]:
    return {obj["kind"] for obj in world.hulls()}


def is_kind(*kinds: str) -> Callable[[Raw], bool]:
    return lambda obj: obj["kind"] in kinds


def without_limits(obj: Raw) -> bool:
    return obj["kind"] == "Pod" and not obj["spec"]["containers"][0]["resources"]["limits"]


@pytest.mark.parametrize(
    ("what", "sentence", "reason"),
    [
        (is_kind("PodTemplate"), 'PodTemplate "web-1" is invalid: template.spec: no', "PodRefused"),
        (is_kind("ConfigMap"), "house rule: no such ConfigMaps", "ConfigMapRefused"),
        (is_kind("VirtualMachine"), "house rule: no machines", "VirtualMachineRefused"),
        (is_kind("Pod"), 'pods "web-1" is forbidden: violates PodSecurity "restricted"', "PodRefused"),
        (is_kind("Pod"), "exceeded quota: q, requested: pods=1, used: pods=6, limited: pods=5", "PodRefused"),
        (without_limits, TOO_LOW, "PodRefused"),
    ],
)
def test_refusal_stalls_at_once_and_what_runs_goes_on(
    what: Callable[[Raw], bool], sentence: str, reason: str
) -> None:
    world = flipped(lambda obj: Refused(sentence) if what(obj) else None)
    assert sentence.partition("invalid: ")[2] in world.condition("Stalled")["message"]
    assert (world.condition("Stalled")["status"], world.condition("Stalled")["reason"]) == ("True", reason)
    assert runs(world) == {"Pod"}
    assert not world.server.objects["ConfigMap"]

    world.cluster.rehearsed = lambda _: None
    world.settle()
    assert (world.condition("Ready")["reason"], runs(world)) == ("Ready", {"VirtualMachine"})


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (is_kind("PodTemplate"), 'podtemplates is forbidden: User "x" cannot create resource "podtemplates"'),
        (is_kind("Pod"), 'admission webhook "images" denied the request: unknown registry'),
        (is_kind("Pod"), "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1"),
        (is_kind("VirtualMachine", "ConfigMap"), 'admission webhook "x" does not support dry run'),
    ],
)
def test_what_need_not_be_so_for_the_machine_keeps_nothing(
    what: Callable[[Raw], bool], sentence: str
) -> None:
    world = flipped(lambda obj: Refused(sentence) if what(obj) else None)
    world.settle()
    assert (world.condition("Ready")["reason"], runs(world)) == ("Ready", {"VirtualMachine"})


@pytest.mark.parametrize(
    ("quota", "kind"),
    [
        ({"spec": {"hard": {"limits.memory": "9Gi"}}}, "VirtualMachine"),
        ({"spec": {"hard": {"limits.cpu": "9", "pods": "5"}}}, "Pod"),
        ({"spec": {}}, "Pod"),
        (Refused("may not list resourcequotas"), "VirtualMachine"),
        (ServerError("etcd is slow"), "VirtualMachine"),
    ],
)
def test_default_limit_counts_unless_kubevirt_may_give_the_launcher_limits(
    quota: Raw | ApiError, kind: str
) -> None:
    world = flipped(lambda obj: Refused(TOO_LOW) if without_limits(obj) else None, quota)
    assert runs(world) == {kind}


def test_change_of_the_service_that_is_refused_keeps_what_it_leads_to() -> None:
    ports = [{"name": "web", "port": 80}]
    world = Simulation({"isolationPolicy": "Container", "service": {"ports": ports}})
    world.settle()
    (before,) = world.hulls()
    world.cluster.refused["patch", "Service"] = Refused("house rule: no port 81")
    containers = [{"name": "web", "image": "nginx:1", "command": ["other"], "ports": [{"containerPort": 81}]}]
    world.edit({"template": {"spec": {"containers": containers}}, "service": {"ports": None}})
    for _ in range(40):
        world.everybody(0)
    (after,) = world.hulls()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert world.condition("Stalled")["reason"] == "ServiceRefused"


@pytest.mark.slow
def test_resize_that_a_quota_refuses_leaves_the_pod() -> None:
    def of(cpu: str) -> Raw:
        resources = {"requests": {"cpu": cpu}}
        return {"spec": {"containers": [{"name": "web", "image": "nginx:1", "resources": resources}]}}

    world = Simulation({"isolationPolicy": "Container", "template": of("1")})
    world.settle()
    (before,) = world.hulls()
    sentence = "exceeded quota: q, requested: requests.cpu=4, used: requests.cpu=1, limited: requests.cpu=2"
    world.cluster.refused["patch/resize", "Pod"] = Refused(sentence)
    world.edit({"template": of("5")})
    for _ in range(60):
        world.everybody(0)
        world.wait(10)
        world.make_pass()
    (after,) = world.hulls()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
    assert world.condition("Stalled")["message"] == sentence

    world.cluster.refused.clear()
    world.settle()
    (after,) = world.hulls()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "5"


def test_a_machine_that_lasts_is_tried_out_at_each_restart_though_its_name_stays() -> None:
    world = asking(filled=True)
    boot(world)
    generation = world.server.get("Workload", ("shop", "web"))["metadata"]["generation"]
    tried: list[Raw] = []
    world.cluster.rehearsed = tried.append
    for restart in ("first", "second"):
        tried.clear()
        annotations = {"metadata": {"annotations": {RESTART_ANNOTATION: restart}}}
        world.server.patch("Workload", ("shop", "web"), annotations)
        operate(world)
        assert [obj["metadata"]["name"] for obj in tried if obj["kind"] == "VirtualMachine"] == ["web"], (
            restart
        )
        world.server.remove("VirtualMachineInstance", ("shop", "web"))
        status = {"printableStatus": "Stopped", "created": False, "ready": False}
        world.server.patch("VirtualMachine", ("shop", "web"), {"status": status}, status=True)
        operate(world)
        boot(world)
    assert world.server.get("Workload", ("shop", "web"))["metadata"]["generation"] == generation
