"""The test control plane itself: what other tests build on, and how it starts and ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.controlplane import (
    Api,
    ApiError,
    Cluster,
    ComponentDied,
    ControlPlane,
    Kubectl,
    eventually,
    leftovers,
)
from tests.controlplane.__main__ import main
from tests.controlplane.build import KUBERNETES_VERSION, KUBEVIRT_VERSION
from tests.controlplane.process import start, stop
from tests.controlplane.state import State
from tests.controlplane.supervisor import Launch, Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.controlplane.process import Process

pytestmark = pytest.mark.simulated


def pod(namespace: str, annotations: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": namespace, "annotations": annotations or {}},
        "spec": {"containers": [{"name": "main", "image": "registry.k8s.io/pause:3.10"}], **spec},
    }


def virtual_machine(
    namespace: str, annotations: dict[str, str] | None = None, run_strategy: str = "Always"
) -> dict[str, Any]:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "runStrategy": run_strategy,
            "template": {
                "metadata": {"annotations": annotations or {}},
                "spec": {
                    "domain": {
                        "memory": {"guest": "128Mi"},
                        "devices": {
                            "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                            "interfaces": [{"name": "default", "masquerade": {}}],
                        },
                    },
                    "networks": [{"name": "default", "pod": {}}],
                    "volumes": [
                        {"name": "root", "containerDisk": {"image": "quay.io/containerdisks/debian:13"}}
                    ],
                },
            },
        },
    }


def condition(thing: dict[str, Any] | None, kind: str) -> str | None:
    """The status of a condition; None when the thing or the condition isn't there."""
    conditions = (thing or {}).get("status", {}).get("conditions", [])
    return next((c["status"] for c in conditions if c["type"] == kind), None)


def of(api: Api, kind: str, namespace: str) -> dict[str, Any]:
    """The one called web."""
    found = api.get(kind, "web", namespace)
    assert found, f"there is no {kind}"
    return found


def test_every_part_says_its_true_version(control_plane: Cluster, api: Api, kubectl: Kubectl) -> None:
    assert api.request("GET", "/version")["gitVersion"] == KUBERNETES_VERSION
    assert f"Client Version: {KUBERNETES_VERSION}" in kubectl("version")
    # The API server leaves out a virt-api for a while that was slow to answer.
    version = control_plane.eventually(
        lambda: api.request("GET", "/apis/subresources.kubevirt.io/v1/version"),
        30,
        "virt-api answers",
    )
    assert version["gitVersion"] == KUBEVIRT_VERSION


def test_a_pod_gets_an_address_and_becomes_ready(control_plane: Cluster, api: Api, namespace: str) -> None:
    api.create(pod(namespace, initContainers=[{"name": "first", "image": "registry.k8s.io/pause:3.10"}]))

    control_plane.eventually(
        lambda: condition(of(api, "Pod", namespace), "Ready") == "True", 30, "Pod is Ready"
    )
    status = of(api, "Pod", namespace)["status"]
    assert status["phase"] == "Running"
    assert status["podIP"].startswith("10.")
    assert status["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


@pytest.mark.parametrize("outcome", [(0, "Succeeded", "Completed"), (3, "Failed", "Error")])
def test_an_annotation_ends_a_pod(
    control_plane: Cluster, api: Api, namespace: str, outcome: tuple[int, str, str]
) -> None:
    code, phase, reason = outcome
    api.create(pod(namespace, {"simulate.twinhull.dev/exit": str(code)}, restartPolicy="Never"))

    control_plane.eventually(
        lambda: of(api, "Pod", namespace)["status"]["phase"] == phase, 30, f"Pod {phase}"
    )
    found = of(api, "Pod", namespace)
    ended = found["status"]["containerStatuses"][0]["state"]
    assert list(ended) == ["terminated"]
    assert ended["terminated"]["exitCode"] == code
    assert ended["terminated"]["reason"] == reason
    assert condition(found, "Ready") == "False"


def test_an_annotation_keeps_a_pod_from_being_ready(control_plane: Cluster, api: Api, namespace: str) -> None:
    api.create(pod(namespace, {"simulate.twinhull.dev/never-ready": "true"}))
    control_plane.eventually(
        lambda: of(api, "Pod", namespace)["status"]["phase"] == "Running", 30, "Pod runs"
    )
    assert condition(of(api, "Pod", namespace), "Ready") == "False"

    annotate(api, "Pod", namespace, None)
    control_plane.eventually(lambda: condition(of(api, "Pod", namespace), "Ready") == "True", 30, "Pod Ready")
    assert of(api, "Pod", namespace)["status"]["containerStatuses"][0]["ready"]

    annotate(api, "Pod", namespace, "true")
    control_plane.eventually(
        lambda: condition(of(api, "Pod", namespace), "Ready") == "False", 30, "Pod isn't Ready"
    )


def annotate(api: Api, kind: str, namespace: str, never_ready: str | None) -> None:
    patch: dict[str, Any] = {"metadata": {"annotations": {"simulate.twinhull.dev/never-ready": never_ready}}}
    if kind == "VirtualMachine":
        patch = {"spec": {"template": patch}}
    api.patch(kind, "web", namespace, patch)


@pytest.mark.parametrize("mode", ["Filesystem", "Block"])
def test_a_claim_is_bound(control_plane: Cluster, api: Api, namespace: str, mode: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "volumeMode": mode,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    api.create(claim)
    control_plane.eventually(
        lambda: of(api, "PersistentVolumeClaim", namespace)["status"]["phase"] == "Bound",
        30,
        "claim is bound",
    )


def test_a_job_completes(control_plane: Cluster, api: Api, namespace: str) -> None:
    template = {"metadata": {}, "spec": pod(namespace, restartPolicy="Never")["spec"]}
    metadata = {"name": "web", "namespace": namespace}
    api.create(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template}}
    )
    control_plane.eventually(
        lambda: condition(of(api, "Job", namespace), "Complete") == "True", 30, "Job is Complete"
    )


def test_a_machine_becomes_ready_and_its_deletion_ends(
    control_plane: Cluster, api: Api, namespace: str
) -> None:
    api.create(virtual_machine(namespace))

    def is_ready() -> bool:
        return condition(of(api, "VirtualMachine", namespace), "Ready") == "True"

    control_plane.eventually(is_ready, 60, "VM is Ready")
    assert of(api, "VirtualMachine", namespace)["status"]["printableStatus"] == "Running"
    instance = of(api, "VirtualMachineInstance", namespace)
    assert condition(instance, "Ready") == "True"
    (launcher,) = api.list("Pod", namespace, labels="kubevirt.io=virt-launcher")
    assert instance["status"]["interfaces"][0]["ipAddress"] == launcher["status"]["podIP"]

    delete_and_wait(control_plane, namespace)


def delete_and_wait(control_plane: Cluster, namespace: str) -> None:
    """Deletes the VM and waits for the end of all that came of it."""
    api = control_plane.api
    api.delete("VirtualMachine", "web", namespace)
    kinds = ("VirtualMachine", "VirtualMachineInstance", "Pod")
    control_plane.eventually(
        lambda: not any(api.list(kind, namespace) for kind in kinds), 60, f"{', '.join(kinds)} are gone"
    )


def test_a_machine_is_restarted_by_kubevirts_own_api(
    control_plane: Cluster, api: Api, namespace: str
) -> None:
    def ready_instance() -> str:
        instance = of(api, "VirtualMachineInstance", namespace)
        assert condition(instance, "Ready") == "True"
        uid: str = instance["metadata"]["uid"]
        return uid

    api.create(virtual_machine(namespace))
    first = control_plane.eventually(ready_instance, 60, "VMI is Ready")

    machine = f"/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachines/web"
    # It is refused while virt-controller writes the machine's status.
    control_plane.eventually(
        lambda: api.raw("PUT", f"{machine}/restart", {}) == (202, b""), 60, "the restart is taken"
    )

    control_plane.eventually(lambda: ready_instance() != first, 60, "another VMI is Ready")


@pytest.mark.parametrize(("code", "phase"), [("0", "Succeeded"), ("1", "Failed")])
def test_an_annotation_ends_a_machine(
    control_plane: Cluster, api: Api, namespace: str, code: str, phase: str
) -> None:
    api.create(virtual_machine(namespace, {"simulate.twinhull.dev/exit": code}, run_strategy="Once"))

    control_plane.eventually(
        lambda: of(api, "VirtualMachineInstance", namespace)["status"]["phase"] == phase, 60, f"VMI {phase}"
    )
    control_plane.eventually(
        lambda: condition(of(api, "VirtualMachine", namespace), "Ready") == "False", 30, "VM isn't Ready"
    )

    delete_and_wait(control_plane, namespace)


def test_an_annotation_keeps_a_machine_from_being_ready(
    control_plane: Cluster, api: Api, namespace: str
) -> None:
    api.create(virtual_machine(namespace, {"simulate.twinhull.dev/never-ready": "true"}))

    control_plane.eventually(
        lambda: of(api, "VirtualMachineInstance", namespace)["status"]["phase"] == "Running", 60, "VMI runs"
    )
    control_plane.eventually(
        lambda: condition(of(api, "VirtualMachineInstance", namespace), "Ready") == "False", 30, "it says so"
    )
    assert condition(of(api, "VirtualMachine", namespace), "Ready") != "True"

    annotate(api, "VirtualMachine", namespace, None)
    control_plane.eventually(
        lambda: condition(of(api, "VirtualMachine", namespace), "Ready") == "True", 30, "VM is Ready"
    )

    annotate(api, "VirtualMachine", namespace, "true")
    control_plane.eventually(
        lambda: condition(of(api, "VirtualMachine", namespace), "Ready") != "True", 30, "VM isn't Ready"
    )


def test_a_wrong_machine_is_refused_in_kubevirts_words(api: Api, namespace: str) -> None:
    manifest = virtual_machine(namespace)
    del manifest["spec"]["template"]["spec"]["volumes"]

    with pytest.raises(ApiError, match=r'admission webhook "virtualmachine-validator\.kubevirt\.io" denied'):
        api.create(manifest)


def test_another_user_may_do_nothing_until_told(simulation: ControlPlane) -> None:
    stranger = Api(simulation.kubeconfig_for("someone", ["strangers", "others"]))

    with pytest.raises(ApiError, match='User "someone" cannot list resource "pods"') as refusal:
        stranger.list("Pod")

    assert refusal.value.code == 403
    review = stranger.create({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    assert review["status"]["userInfo"]["groups"] == ["strangers", "others", "system:authenticated"]


def test_nodes_come_and_go(simulation: ControlPlane, namespace: str) -> None:
    simulation.add_node("spare")
    simulation.api.create(pod(namespace, nodeName="spare"))
    simulation.eventually(
        lambda: condition(of(simulation.api, "Pod", namespace), "Ready") == "True", 30, "Pod on it is Ready"
    )

    simulation.remove_node("spare")
    assert simulation.api.get("Node", "spare") is None


def test_another_process_can_use_one_that_runs(simulation: ControlPlane) -> None:
    found = ControlPlane.running(simulation.folder)
    assert found is not None
    assert (found.port, found.audit_log) == (simulation.port, simulation.audit_log)
    assert found.processes == simulation.processes
    found.check()
    stranger = Api(found.kubeconfig_for("nobody", ["strangers"]))
    with pytest.raises(ApiError, match='User "nobody" cannot list resource "pods"'):
        stranger.list("Pod", "default")


def test_what_an_earlier_run_left_is_removed_and_what_others_made_is_not(simulation: ControlPlane) -> None:
    def runtime_class(name: str) -> dict[str, Any]:
        metadata = {"name": name}
        return {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": metadata,
            "handler": "runsc",
        }

    api = simulation.api
    # Objects tell whole seconds of when they were made.
    eventually(lambda: time.time() > simulation.ready_at + 1, 2, "what is made now is later than the start")
    api.create(runtime_class("left-by-a-test"))
    simulation.kubectl.apply(runtime_class("somebody-elses"))
    generated = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"generateName": "test-"}}
    left = api.create(generated)["metadata"]["name"]
    found, lines = ControlPlane.running(simulation.folder), list[str]()
    assert found is not None

    leftovers.remove(found, lines.append)

    assert "an earlier run left RuntimeClass left-by-a-test: deleting it" in lines
    assert api.get("RuntimeClass", "left-by-a-test") is None
    namespace = api.get("Namespace", left)
    assert namespace is None or "deletionTimestamp" in namespace["metadata"]
    assert api.get("RuntimeClass", "somebody-elses")
    assert api.get("Node", "node-0")
    api.delete("RuntimeClass", "somebody-elses")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Started without KubeVirt, to be changed and broken by the tests below, one after the other."""
    plane = ControlPlane.start(tmp_path_factory.mktemp("bare control plane"), kubevirt=False)
    yield plane
    plane.stop()


def test_a_dead_component_is_named_at_once(bare: ControlPlane) -> None:
    victim = next(process for process in bare.processes if process.name == "kube-scheduler")
    victim.signal(signal.SIGKILL)

    with pytest.raises(ComponentDied, match=r"kube-scheduler died; the end of .*/kube-scheduler\.log"):
        bare.eventually(lambda: False, 60, "something that can't happen")


def test_stopping_ends_every_process(bare: ControlPlane) -> None:
    processes = bare.processes
    assert len(processes) >= 5

    bare.stop()

    assert not [process.name for process in processes if Path(f"/proc/{process.pid}").exists()]


def test_a_process_that_dies_of_a_known_fault_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    lines: list[str] = []
    shell = Path("/bin/sh")
    supervisor = Supervisor(tmp_path, {"sh": shell, "kubectl": shell}, tied=True, say=lines.append)
    dies_once = "test -e again && exec sleep 600; touch again; echo fatal error: concurrent map writes"

    supervisor.start(Launch("racer", "sh", ["-c", dies_once], retry_on="fatal error: concurrent map"))
    supervisor.ready({"racer": lambda: lines})

    assert "racer died of" in lines[0]
    supervisor.check()
    supervisor.stop()


def test_the_command_line_leaves_one_running_until_told(tmp_path: Path) -> None:
    def command(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["--folder", str(tmp_path), *arguments], catch_exceptions=False)
        return result.output

    try:
        assert f"export KUBECONFIG='{tmp_path}/kubeconfig'" in command("up", "--no-kubevirt")
        assert "It runs already." in command("up")
        state = State.load(tmp_path)
        assert state is not None
        assert Api(tmp_path / "kubeconfig").get("Node", "node-0")
        lines: list[str] = []
        assert ControlPlane.running(tmp_path, lines.append) is None, "most tests need KubeVirt"
        assert lines == [f"The control plane in {tmp_path} isn't used: it has no KubeVirt"]
        assert "DEAD" not in command("status")
    finally:
        assert "Stopped." in command("down")
    assert not [process.name for process in state.processes if process.alive()]
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]
    assert ControlPlane.running(tmp_path) is None


def test_a_tied_process_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _STARTS_A_TIED_SLEEP, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _runs(child)
        parent.kill()

    eventually(lambda: not _runs(child), 10, "the child is dead too")


_STARTS_A_TIED_SLEEP = """
import sys
from pathlib import Path
from tests.controlplane.process import start
folder = Path(sys.argv[1])
sleep = start(
    "sleep", ["/bin/sleep", "600"], log=folder / "log", folder=folder, environment={}, tied=True
)
print(sleep.pid, flush=True)
sys.stdin.read()
"""


def _runs(pid: int) -> bool:
    """Whether there is such a process that isn't a zombie, which it may be where no init buries orphans."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_was_written_down_is_enough_to_stop_it(tmp_path: Path) -> None:
    sleeping = sleep(tmp_path)
    State((sleeping,), tmp_path / "kubectl", ready=True).save(tmp_path)
    found = State.load(tmp_path)
    assert found is not None
    assert found.processes == (sleeping,)

    stop(found.processes)

    assert not sleeping.alive()


def test_a_pid_that_is_anothers_by_now_is_left_alone(tmp_path: Path) -> None:
    sleeping = sleep(tmp_path)
    stale = type(sleeping)(sleeping.name, sleeping.pid, sleeping.started - 1, sleeping.log)

    stop([stale])

    assert not stale.alive()
    assert sleeping.alive()
    stop([sleeping])


def sleep(folder: Path) -> Process:
    return start(
        "sleep", ["/bin/sleep", "600"], log=folder / "log", folder=folder, environment={}, tied=False
    )
