"""A machine that really runs, from the Workload in the API server to the container in it and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import Subject, condition
from tests.e2e.operator.test_access import access_request, answered
from tests.guest.conftest import Boot
from tests.guest.guestsession import guest_session
from tests.guest.machine import Machine
from tests.guest.reference.node import LABEL, NAME, PLACEMENT, ReferenceNode
from tests.guest.scenario import REGISTRY, container
from tests.guest.virthandler import simulated
from twinhull.reach import remote_command
from twinhull.reach.guest_tls import PersonalKey
from twinhull.reach.remote_command import Streams

#: A cluster's own address of a Service, which a machine finds by name, and the Pod's by number.
_OF_THE_CLUSTER = "KUBERNETES_"


def template(address: str, **spec: Any) -> dict[str, Any]:
    """A template whose machine is at an address."""
    return {"metadata": {"annotations": simulated(address)}, "spec": spec}


PROBE = {
    "httpGet": {"path": "/health", "port": 8080},
    "periodSeconds": 1,
    "timeoutSeconds": 60,
    "failureThreshold": 1,
}


def containers(subject: Subject) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in subject.get()["status"].get("containers", [])}


async def _run_in(web: Subject, machine: Machine, *command: str) -> str:
    """What a command writes that is run in the container by an AccessRequest, at the machine's own port."""
    key = PersonalKey()
    request = access_request(web, request=key.request())
    name = web.cluster.api.create(request)["metadata"]["name"]
    status = answered(web, name, "Issued")["status"]
    context = key.context(status["certificate"], status["guest"]["certificate"])
    query = urlencode({"command": command, "output": 1}, doseq=True)
    url = f"https://{machine.api.address}:{machine.api.port}/v1/exec/web?{query}"
    output = bytearray()
    async with (
        guest_session(context) as session,
        session.ws_connect(url, protocols=remote_command.PROTOCOLS) as socket,
    ):
        assert await remote_command.follow(socket, Streams(output.extend, output.extend)) == 0
    return output.decode()


@pytest.mark.guest_quick
def test_machine_is_ready_when_its_containers_are(web: Subject, boot: Boot, address: str) -> None:
    web.apply(
        "VirtualMachine",
        template(
            address,
            initContainers=[container("setup")],
            containers=[container("web", port=8080, readinessProbe=PROBE)],
            terminationGracePeriodSeconds=5,
        ),
    )
    handler = boot(web, address, [8080])
    web.eventually(lambda: web.condition("Ready")[0] == "False", "it isn't ready before its guest is")
    web.becomes("Ready", timeout=600)
    web.eventually(
        lambda: containers(web)["web"] == {"name": "web", "ready": True, "restarts": 0, "state": "Running"},
        "the status shows the container",
    )
    setup = containers(web)["setup"]
    assert (setup["init"], setup["state"], setup["exitCode"]) == (True, "Terminated", 0)
    assert handler.machine.report(8080)["hostname"] == "web"

    assert "hello" in asyncio.run(_run_in(web, handler.machine, "/bin/conformance", "--log=hello"))

    handler.machine.get(8080, "/set", health="bad")
    web.becomes("ContainersNotReady", timeout=600)
    # What its own container says comes from the guest, and the machine's readiness from KubeVirt.
    web.eventually(lambda: not containers(web)["web"]["ready"], "the status shows that the container isn't")
    handler.machine.get(8080, "/set", health="good")
    web.becomes("Ready", timeout=600)

    web.change(isolationPolicy="Container")
    assert handler.machine.ended(600) == "guest-shutdown"
    web.eventually(lambda: web.get()["status"]["hull"]["kind"] == "Pod", "its hull is a Pod")
    web.becomes("ContainersNotReady")


def test_exit_code_of_a_machine_is_remembered(web: Subject, boot: Boot, address: str) -> None:
    job = container("job", "--message=no rows", "--exit=3")
    web.apply("VirtualMachine", template(address, restartPolicy="Never", containers=[job]))
    handler = boot(web, address, [])
    ended = web.becomes("Failed", timeout=600)["status"]

    assert (ended["exit"]["code"], ended["exit"]["reason"], ended["exit"]["container"]) == (3, "Error", "job")
    assert ended["exit"]["message"] == "no rows"
    assert condition(web.get(), "Stalled")[0] == "True"
    web.eventually(lambda: "VirtualMachine" not in web.belongings(), "the machine is deleted")
    assert handler.machine.ended(180) == "guest-panicked", "a failure, to KubeVirt too"


@pytest.fixture
def sizes(control_plane: Cluster, namespace: str) -> Iterator[tuple[str, str]]:
    """A small and a larger instancetype, in a cluster whose KubeVirt may migrate machines."""
    api, names = control_plane.api, (f"small-{namespace}", f"large-{namespace}")
    methods = {"spec": {"workloadUpdateStrategy": {"workloadUpdateMethods": ["LiveMigrate"]}}}
    api.patch("KubeVirt", "kubevirt", "kubevirt", methods)
    for cpus, name in enumerate(names, start=1):
        api.create(
            {
                "apiVersion": "instancetype.kubevirt.io/v1beta1",
                "kind": "VirtualMachineClusterInstancetype",
                "metadata": {"name": name},
                "spec": {"cpu": {"guest": cpus}, "memory": {"guest": f"{cpus}Gi"}},
            }
        )
    yield names
    for name in names:
        api.delete("VirtualMachineClusterInstancetype", name)
    api.patch("KubeVirt", "kubevirt", "kubevirt", {"spec": {"workloadUpdateStrategy": None}})


def test_a_machine_takes_another_size_and_another_image_while_it_runs(
    web: Subject, boot: Boot, address: str, sizes: tuple[str, str]
) -> None:
    """KubeVirt's own controller says what is to be plugged in, the guest's kubelet restarts the container."""
    small, large = sizes

    def apply(instancetype: str, **fields: Any) -> None:
        served = container("web", port=8080, readinessProbe=PROBE, **fields)
        spec = template(address, containers=[served], terminationGracePeriodSeconds=5)
        spec["metadata"]["annotations"]["simulate.twinhull.dev/migratable"] = "true"
        web.apply("VirtualMachine", spec, virtualMachine={"instancetype": {"name": instancetype}})

    def settles(how: str, restarts: int) -> None:
        web.becomes("Ready", timeout=600)
        assert web.get()["status"]["lastChange"]["how"] == how
        web.eventually(
            lambda: containers(web)["web"]["restarts"] == restarts, f"it was started again {restarts} times"
        )

    apply(small)
    handler = boot(web, address, [8080])
    settles("Created", 0)
    vm = web.hull()["metadata"]["uid"]

    def processors() -> bytes:
        return handler.machine.get(8080, "/file", path="/sys/devices/system/cpu/online").strip()

    assert processors() == b"0"
    apply(large)
    settles("InPlace", 0)
    web.eventually(lambda: processors() == b"0-1", "the container has both processors")
    assert handler.machine.running

    apply(large, image=f"{REGISTRY}/numeric-user:1")
    settles("InPlace", 1)
    assert handler.machine.report(8080)["uid"] == 1234
    assert web.hull()["metadata"]["uid"] == vm


def test_flip_to_a_machine_and_back_changes_no_answer(
    web: Subject, node: ReferenceNode, boot: Boot, address: str
) -> None:
    """The Pods run on a real node, the machine really boots; only where they run differs."""
    web.cluster.api.create(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": web.namespace},
            "data": {"greeting": "good day"},
        }
    )
    served = container(
        "web",
        "--paths=/etc/settings/greeting",
        port=8080,
        readinessProbe=PROBE,
        env=[
            {"name": "GREETING", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "greeting"}}},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
        ],
        securityContext={"runAsUser": 1000, "capabilities": {"drop": ["ALL"]}},
        volumeMounts=[{"name": "settings", "mountPath": "/etc/settings"}],
    )
    spec = {
        "initContainers": [container("setup", "--log=set up")],
        "containers": [served],
        "volumes": [{"name": "settings", "configMap": {"name": "settings"}}],
        "terminationGracePeriodSeconds": 5,
        "enableServiceLinks": False,  # a machine doesn't see Services
        **PLACEMENT,
    }
    # The launcher Pod's node is a simulated one.
    elsewhere = {"nodeSelector": {LABEL: None}, "tolerations": []}
    web.apply("Container", template(address, **spec), virtualMachine={"overrides": elsewhere})

    def at_the_pod() -> dict[str, Any]:
        hull = web.becomes("Ready", timeout=600)["status"]["hull"]
        assert (hull["kind"], hull["node"]) == ("Pod", NAME)
        return shown_by(json.loads(node.get(hull["address"], 8080)), containers(web))

    before = at_the_pod()
    web.change(isolationPolicy="VirtualMachine")
    handler = boot(web, address, [8080])
    assert web.becomes("Ready", timeout=600)["status"]["hull"]["kind"] == "VirtualMachine"
    web.eventually(lambda: containers(web)["web"]["ready"], "the status shows the machine's container")
    inside = shown_by(handler.machine.report(8080), containers(web))
    web.change(isolationPolicy="Container")
    assert handler.machine.ended(180) == "guest-shutdown"
    after = at_the_pod()

    assert inside == before
    assert after == before
    assert before["greeting"] == "good day"


def shown_by(report: dict[str, Any], shown: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What users see of a container: what it answers, and what the status says of it."""
    kept = ("argv", "cwd", "uid", "gid", "groups", "hostname", "capabilities")
    env = sorted(entry for entry in report["env"] if not entry.startswith(_OF_THE_CLUSTER))
    greeting = report["files"]["/etc/settings/greeting"]["text"]
    return {**{key: report[key] for key in kept}, "env": env, "greeting": greeting, "status": shown}
