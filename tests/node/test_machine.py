"""A machine that lives on a real node: what its Pod is told, what changes, and what it survives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.guest.recording import FOLDER
from tests.guest.scenario import REGISTRY
from tests.node.machine import READY
from tests.node.recordings import unlike_recording

if TYPE_CHECKING:
    from tests.node.cluster import NodeCluster
    from tests.node.machine import Machine

pytestmark = pytest.mark.starts("web")

_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - the folder


@pytest.mark.node_quick
def test_the_pod_in_it_is_told_all_that_a_pod_is_told(machine: Machine, cluster: NodeCluster) -> None:
    variables = machine.ready().variables()
    assert variables["GREETING"] == "hello"
    assert variables["LOGIN"] == "only for these tests"
    assert variables["NODE"] == cluster.nodes[0].name
    assert variables["HOST_IP"] == machine.launcher()["status"]["hostIP"]
    assert variables["POD_UID"] == machine.launcher()["metadata"]["uid"]
    service = cluster.plane.api.get("Service", "kubernetes", "default")
    assert service is not None
    assert variables["KUBERNETES_SERVICE_HOST"] == service["spec"]["clusterIP"]
    assert variables["POD_IP"] == machine.address() == machine.launcher()["status"]["podIP"]


@pytest.mark.node_quick
def test_its_volumes_show_what_a_pods_show(machine: Machine) -> None:
    machine.ready()
    assert machine.file("/settings/color")["text"] == "green"
    assert machine.file("/login/user")["text"] == "bob"
    assert machine.file("/about/name")["text"] == machine.get()["status"]["hull"]["name"]
    assert machine.file(f"{_TOKEN}/namespace")["text"] == machine.namespace
    token = machine.file(f"{_TOKEN}/token")["text"]
    assert token.count(".") == 2, "a ServiceAccount's token is a JSON Web Token"


def test_qemu_is_started_as_the_harness_was_told(
    machine: Machine, cluster: NodeCluster, request: pytest.FixtureRequest
) -> None:
    assert unlike_recording(machine.ready(), cluster.nodes[0], FOLDER, request.config) == []


def test_a_changed_config_map_reaches_its_files(machine: Machine) -> None:
    machine.ready()
    change = {"data": {"color": "blue"}}
    machine.cluster.api.patch("ConfigMap", "settings", machine.namespace, change)
    machine.eventually(
        lambda: machine.file("/settings/color")["text"] == "blue", "the file is the new one", READY
    )


def test_its_image_changes_in_place(machine: Machine) -> None:
    uid = machine.ready().instance()["metadata"]["uid"]
    pod = machine.get()["spec"]["template"]
    pod["spec"]["containers"][0]["image"] = f"{REGISTRY}/late:1"
    machine.change(template=pod)
    machine.ready()

    def restarts() -> int:
        (container,) = machine.get()["status"]["containers"]
        found: int = container["restarts"]
        return found

    machine.eventually(lambda: restarts() == 1, "its container is started again, once")
    assert machine.get()["status"]["lastChange"]["how"] == "InPlace"
    assert machine.instance()["metadata"]["uid"] == uid


def test_it_outlives_virt_handler(machine: Machine, cluster: NodeCluster) -> None:
    uid = machine.ready().instance()["metadata"]["uid"]
    (handler,) = cluster.plane.api.list("Pod", "kubevirt", labels="kubevirt.io=virt-handler")
    cluster.plane.api.delete("Pod", handler["metadata"]["name"], "kubevirt")

    def restarted() -> bool:
        pods = cluster.plane.api.list("Pod", "kubevirt", labels="kubevirt.io=virt-handler")
        others = [pod for pod in pods if pod["metadata"]["uid"] != handler["metadata"]["uid"]]
        return len(pods) == 1 == len(others) and all(
            status["ready"] for status in others[0]["status"]["containerStatuses"]
        )

    machine.eventually(restarted, "another virt-handler is ready", READY)
    machine.ready()
    assert machine.instance()["metadata"]["uid"] == uid
    assert machine.report()


def test_it_comes_back_when_qemu_is_killed(machine: Machine, cluster: NodeCluster) -> None:
    uid = machine.ready().instance()["metadata"]["uid"]
    cluster.nodes[0].run("pkill", "-KILL", "-f", f"guest={machine.namespace}_{hull_name(machine)}")
    machine.eventually(
        lambda: machine.instance()["metadata"]["uid"] != uid, "KubeVirt makes another instance", READY
    )
    machine.ready()
    assert machine.report()


def test_it_comes_back_when_its_launcher_is_deleted(machine: Machine, cluster: NodeCluster) -> None:
    uid = machine.ready().instance()["metadata"]["uid"]
    cluster.plane.api.delete("Pod", machine.launcher()["metadata"]["name"], machine.namespace)
    machine.eventually(
        lambda: machine.instance()["metadata"]["uid"] != uid, "KubeVirt makes another instance", READY
    )
    machine.ready()
    assert machine.report()


def hull_name(machine: Machine) -> str:
    """The name of its hull, which QEMU's process carries."""
    name: str = machine.get()["status"]["hull"]["name"]
    return name
