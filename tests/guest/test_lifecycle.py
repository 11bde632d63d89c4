"""A machine that really runs, from the Workload in the API server to the container in it and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.controlplane import Cluster
from tests.e2e.operator.conftest import install_crds
from tests.e2e.operator.subject import Subject, condition
from tests.guest.guestfiles import guest_files, tools
from tests.guest.images import all_images
from tests.guest.launcher import Launcher
from tests.guest.made import SECRET
from tests.guest.registry import Registry
from tests.guest.scenario import IMAGE, REGISTRY, container
from tests.guest.virthandler import VirtHandler, loopback_address, simulated
from tests.operator_process import OperatorProcess

Boot = Callable[[Subject, dict[str, Any], list[int]], VirtHandler]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry with the one image that is run here."""
    started = Registry.start(tools(), tmp_path_factory.mktemp("lifecycle") / "registry")
    name = IMAGE.removeprefix(f"{REGISTRY}/")
    started.push(name, all_images()[name])
    yield started
    started.stop()


@pytest.fixture(scope="module")
def operator(
    control_plane: Cluster, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    """The operator, which may ask guests and tells them of the registry."""
    install_crds(control_plane)
    folder = tmp_path_factory.mktemp("operator")
    (folder / "key").write_bytes(SECRET)
    (folder / "registries.yaml").write_text(
        yaml.safe_dump([{"host": REGISTRY, "mirrors": [registry.mirror]}]), encoding="utf-8"
    )
    options = [
        f"--guest-key-file={folder / 'key'}",
        f"--guest-registries={folder / 'registries.yaml'}",
    ]
    started = OperatorProcess.start(control_plane.kubeconfig, folder / "operator.log", *options)
    yield started
    started.stop()


@pytest.fixture
def web(operator: OperatorProcess, control_plane: Cluster, namespace: str) -> Subject:
    """A Workload of the name web, yet to be applied."""
    return Subject(control_plane, namespace, alive=operator.check)


@pytest.fixture
def boot(control_plane: Cluster, tmp_path: Path) -> Iterator[Boot]:
    """Applies a Workload with this template, and boots its machine."""
    launcher = Launcher(tools(), guest_files(), tmp_path)
    handlers = []

    def booted(subject: Subject, spec: dict[str, Any], ports: list[int]) -> VirtHandler:
        address = loopback_address()
        template = {"metadata": {"annotations": simulated(address)}, "spec": spec}
        subject.apply("VirtualMachine", template)
        where = (subject.namespace, subject.name)
        handler = VirtHandler.boot(control_plane.api, launcher, where, address, ports)
        handlers.append(handler)
        return handler

    yield booted
    for handler in handlers:
        handler.stop()


def containers(subject: Subject) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in subject.get()["status"].get("containers", [])}


def test_machine_is_ready_when_its_containers_are(web: Subject, boot: Boot) -> None:
    probe = {"httpGet": {"path": "/health", "port": 8080}, "periodSeconds": 1, "failureThreshold": 1}
    handler = boot(
        web,
        {
            "initContainers": [container("setup")],
            "containers": [container("web", port=8080, readinessProbe=probe)],
            "terminationGracePeriodSeconds": 5,
        },
        [8080],
    )
    web.eventually(lambda: web.condition("Ready")[0] == "False", "it isn't ready before its guest is")
    web.becomes("Ready", timeout=300)
    web.eventually(
        lambda: containers(web)["web"] == {"name": "web", "ready": True, "restarts": 0, "state": "Running"},
        "the status shows the container",
    )
    setup = containers(web)["setup"]
    assert (setup["init"], setup["state"], setup["exitCode"]) == (True, "Terminated", 0)
    assert handler.machine.report(8080)["hostname"] == "web"

    handler.machine.get(8080, "/set", health="bad")
    web.becomes("ContainersNotReady", timeout=60)
    assert not containers(web)["web"]["ready"]
    handler.machine.get(8080, "/set", health="good")
    web.becomes("Ready", timeout=60)

    web.change(isolationPolicy="Container")
    assert handler.machine.ended(60) == "guest-shutdown"
    assert web.becomes("ContainersNotReady")["status"]["hull"]["kind"] == "Pod"


def test_exit_code_of_a_machine_is_remembered(web: Subject, boot: Boot) -> None:
    handler = boot(
        web, {"restartPolicy": "Never", "containers": [container("job", "--message=no rows", "--exit=3")]}, []
    )
    ended = web.becomes("Failed", timeout=300)["status"]

    assert (ended["exit"]["code"], ended["exit"]["reason"], ended["exit"]["container"]) == (3, "Error", "job")
    assert ended["exit"]["message"] == "no rows"
    assert condition(web.get(), "Stalled")[0] == "True"
    web.eventually(lambda: "VirtualMachine" not in web.belongings(), "the machine is deleted")
    assert handler.machine.ended(60) in {"guest-shutdown", "guest-panicked"}
