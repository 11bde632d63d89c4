"""The story of one Workload whose machine really boots, and answers."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from tests.controlplane import PATIENCE
from tests.demo.scene import NAMESPACE
from tests.guest.guestfiles import guest_files, tools
from tests.guest.images import all_images
from tests.guest.launcher import Launcher
from tests.guest.registry import Registry
from tests.guest.rendered import SECRET
from tests.guest.scenario import IMAGE, REGISTRY, container
from tests.guest.virthandler import VirtHandler, loopback_address, simulated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.demo.narrator import Narrator
    from tests.demo.scene import Scene

_PORT = 8080
_BOOT = 300.0  # seconds, with an emulated processor
_WORKLOAD = "hello"


@dataclass(frozen=True)
class Stage:
    """What boots machines, and how the operator is told of guests and of the registry."""

    launcher: Launcher
    options: tuple[str, ...]


@contextmanager
def stage(narrator: Narrator, folder: Path) -> Iterator[Stage]:
    """Makes the guest's image if need be, and serves one small image to run in it."""
    launcher = Launcher(tools(), guest_files(), folder / "machines")
    registry = Registry.start(tools(), folder / "registry")
    try:
        name = IMAGE.removeprefix(f"{REGISTRY}/")
        registry.push(name, all_images()[name])
        size = launcher.guest.disk.stat().st_size / 1e6
        narrator.good(f"the guest's disk ({size:.0f} MB), its kernel and its initrd")
        narrator.good(f"a registry with the image {IMAGE}")
        (folder / "key").write_bytes(SECRET)
        mirrors = [{"host": REGISTRY, "mirrors": [registry.mirror]}]
        (folder / "registries.yaml").write_text(yaml.safe_dump(mirrors), encoding="utf-8")
        yield Stage(
            launcher,
            (f"--guest-key-file={folder / 'key'}", f"--guest-registries={folder / 'registries.yaml'}"),
        )
    finally:
        registry.stop()


def tell(scene: Scene, on: Stage) -> None:
    """A Workload gets a machine, the machine boots, answers, says what it is, and goes."""
    address = loopback_address()
    with scene.narrator.step("Ask for a machine"):
        _apply(scene, address)
    with scene.narrator.step("Boot it"):
        scene.narrator.say(
            "KubeVirt's webhooks and controller have made an instance of it. What virt-launcher"
        )
        scene.narrator.say("would start on a node is started here: QEMU, with an emulated processor.")
        machine = VirtHandler.boot(scene.api, on.launcher, (NAMESPACE, _WORKLOAD), address, [_PORT])
        scene.run(f"kubectl get vms,vmis,configmaps -l twinhull.dev/workload={_WORKLOAD}")
    try:
        with scene.narrator.step("See it become Ready"):
            scene.ready(_WORKLOAD, _BOOT)
            for line in machine.machine.console().splitlines():
                scene.narrator.say(f"| {line}")
            scene.narrator.good(f"ready {machine.machine.age:.0f} s after power-on")
            scene.run(f"kubectl get twl {_WORKLOAD} -o wide")
        with scene.narrator.step("Talk to the container in it"):
            _talk(scene, address)
        with scene.narrator.step("Delete it"):
            scene.run(f"kubectl delete twl {_WORKLOAD}")
            scene.narrator.good(f"the guest ended its Pod and itself: {machine.machine.ended(90)}")
    finally:
        machine.stop()


def _apply(scene: Scene, address: str) -> None:
    template = {
        "metadata": {"annotations": simulated(address)},
        "spec": {
            "terminationGracePeriodSeconds": 5,
            "containers": [
                container(
                    "web",
                    port=_PORT,
                    env=[{"name": "GREETING", "value": "hello from a machine"}],
                    readinessProbe={"httpGet": {"path": "/health", "port": _PORT}, "periodSeconds": 1},
                    resources={"limits": {"cpu": "1", "memory": "128Mi"}},
                )
            ],
        },
    }
    manifest = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": _WORKLOAD, "namespace": NAMESPACE},
        "spec": {"isolationPolicy": "VirtualMachine", "template": template},
    }
    output = scene.cluster.kubectl.apply(manifest)
    scene.narrator.command(f"kubectl apply -f {_WORKLOAD}.yaml", output)
    for line in yaml.safe_dump(manifest["spec"], sort_keys=False).splitlines():
        scene.narrator.say(f"| {line}")


def _talk(scene: Scene, address: str) -> None:
    url = f"http://{address}:{_PORT}/"
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        seen = json.load(response)
    shown = {key: seen[key] for key in ("hostname", "argv", "uid")}
    scene.narrator.command(f"curl -s {url} | jq '{{hostname, argv, uid}}'", json.dumps(shown, indent=2))
    scene.expect("the name of its host", seen["hostname"], _WORKLOAD)
    scene.expect("its environment", "GREETING=hello from a machine" in seen["env"], expected=True)

    def told() -> bool:
        (web,) = scene.workload(_WORKLOAD)["status"].get("containers", [])
        return bool(web["ready"])

    scene.eventually(told, "the status shows the container")
    scene.run(f"kubectl get twl {_WORKLOAD} -o jsonpath='{{.status.containers}}'")
    scene.narrator.good(
        "the same image, arguments, environment and probe as in a Pod, in a machine of its own"
    )
