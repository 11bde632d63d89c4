"""The steps that boot the machine of one Workload, which answers."""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from tests.controlplane import PATIENCE
from tests.demo.democluster import NAMESPACE
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

    from tests.demo.democluster import DemoCluster
    from tests.demo.printer import Printer

_PORT = 8080
_BOOT = 300.0  # seconds, with an emulated processor
_WORKLOAD = "hello"


@dataclass(frozen=True)
class BootSetup:
    """What boots machines, and how the operator is told of guests and of the registry."""

    launcher: Launcher
    options: tuple[str, ...]


@contextmanager
def boot_setup(printer: Printer, folder: Path) -> Iterator[BootSetup]:
    """Makes the guest's image if need be, and serves one small image to run in it."""
    launcher = Launcher(tools(), guest_files(), folder / "machines")
    registry = Registry.start(tools(), folder / "registry")
    try:
        name = IMAGE.removeprefix(f"{REGISTRY}/")
        registry.push(name, all_images()[name])
        size = launcher.guest.disk.stat().st_size / 1e6
        printer.good(f"the guest's disk ({size:.0f} MB), its kernel and its initrd")
        printer.good(f"a registry with the image {IMAGE}")
        (folder / "key").write_bytes(SECRET)
        mirrors = [{"host": REGISTRY, "mirrors": [registry.mirror]}]
        (folder / "registries.yaml").write_text(yaml.safe_dump(mirrors), encoding="utf-8")
        yield BootSetup(
            launcher,
            (f"--guest-key-file={folder / 'key'}", f"--guest-registries={folder / 'registries.yaml'}"),
        )
    finally:
        registry.stop()


def run(demo: DemoCluster, setup: BootSetup) -> None:
    """A Workload gets a machine, the machine boots, answers, says what it is, and goes."""
    address = loopback_address()
    with demo.printer.step("Ask for a machine"):
        _apply(demo, address)
    with demo.printer.step("Boot it"):
        demo.printer.say("KubeVirt's webhooks and controller have made an instance of it. What virt-launcher")
        demo.printer.say("would start on a node is started here: QEMU, with an emulated processor.")
        machine = VirtHandler.boot(demo.api, setup.launcher, (NAMESPACE, _WORKLOAD), address, [_PORT])
        demo.run(f"kubectl get vms,vmis,configmaps -l twinhull.dev/workload={_WORKLOAD}")
    try:
        with demo.printer.step("See it become Ready"):
            demo.ready(_WORKLOAD, _BOOT)
            for line in machine.machine.console().splitlines():
                demo.printer.say(f"| {line}")
            demo.printer.good(f"ready {machine.machine.age:.0f} s after power-on")
            demo.run(f"kubectl get twl {_WORKLOAD} -o wide")
        with demo.printer.step("Talk to the container in it"):
            _talk(demo, address)
        with demo.printer.step("Delete it"):
            demo.run(f"kubectl delete twl {_WORKLOAD}")
            demo.printer.good(f"the guest ended its Pod and itself: {machine.machine.ended(90)}")
    finally:
        machine.stop()


def _apply(demo: DemoCluster, address: str) -> None:
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
    output = demo.cluster.kubectl.apply(manifest)
    demo.printer.command(f"kubectl apply -f {_WORKLOAD}.yaml", output)
    for line in yaml.safe_dump(manifest["spec"], sort_keys=False).splitlines():
        demo.printer.say(f"| {line}")


def _talk(demo: DemoCluster, address: str) -> None:
    url = f"http://{address}:{_PORT}/"
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        seen = json.load(response)
    shown = {key: seen[key] for key in ("hostname", "argv", "uid")}
    demo.printer.command(f"curl -s {url} | jq '{{hostname, argv, uid}}'", json.dumps(shown, indent=2))
    demo.expect("the name of its host", seen["hostname"], _WORKLOAD)
    demo.expect("its environment", "GREETING=hello from a machine" in seen["env"], expected=True)

    def is_shown() -> bool:
        (web,) = demo.workload(_WORKLOAD)["status"].get("containers", [])
        return bool(web["ready"])

    demo.eventually(is_shown, "the status shows the container")
    demo.run(f"kubectl get twl {_WORKLOAD} -o jsonpath='{{.status.containers}}'")
    demo.printer.good("the same image, arguments, environment and probe as in a Pod, in a machine of its own")
