"""The scene of the disks: from VMware and Hyper-V into machines, and from one of these to a container."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.demo.playedcdi import PlayedCdi
from tests.demo.scene import NAMESPACE
from tests.importer import disks

if TYPE_CHECKING:
    from tests.demo.scene import Scene

#: By the name of the Workload: its firmware, the file, and who writes such files.
_BROUGHT = {
    "store": ("BIOS", "stream-optimized.vmdk", "VMware"),
    "billing": ("UEFI", "dynamic.vhdx", "Hyper-V"),
}
_DISKS = '{range .status.disks[*]}{.claim} {.phase} attached={.attached}{"\\n"}{end}'
_STATES = f"jsonpath='{{range .items[*]}}{_DISKS}{{end}}'"


def play(scene: Scene) -> None:
    """Both are imported and booted; `store` goes on as a container, and comes back to its disk."""
    with tempfile.TemporaryDirectory(prefix="twinhull-demo-disks-") as name:
        folder = Path(name)
        content = disks.raw(folder / "disk.raw")
        with PlayedCdi.playing(scene.api, folder) as cdi:
            _bring(scene, folder)
            for workload in _BROUGHT:
                imported = cdi.disk(f"{workload}-boot").read_bytes()
                scene.expect(f"the disk of {workload}, byte by byte", imported == content, True)  # noqa: FBT003
            scene.narrator.good("each disk has what its VMDK or VHDX had, and its machine boots it")
            _leave_for_a_container(scene)
            _clean_up(scene)


def _bring(scene: Scene, folder: Path) -> None:
    say = scene.narrator.say
    say("A small disk is written as a VMDK and as a VHDX. Where CDI would import it, qemu-img does here:")
    for name, (firmware, file, origin) in _BROUGHT.items():
        made = disks.convert(folder / "disk.raw", file)
        say(f"{made.name}, {made.stat().st_size >> 10:,} KiB, as {origin} writes it")
        manifest = yaml.safe_dump(_workload(name, firmware, file), sort_keys=False)
        told = scene.cluster.kubectl.apply(manifest)
        scene.narrator.command("kubectl apply -f - <<EOF", f"{manifest}EOF\n{told}")
    for name in _BROUGHT:
        scene.ready(name)
    scene.run("kubectl get twl store billing")
    scene.run(f"kubectl get twl -o {_STATES}")


def _leave_for_a_container(scene: Scene) -> None:
    machine = scene.api.get("VirtualMachine", "store", NAMESPACE)
    template: dict[str, Any] = {"spec": {"containers": [{"name": "store", "image": "nginx:1.29"}]}}
    scene.narrator.say("An image of what store does is there now. Name, Service and status stay:")
    both = {"spec": {"isolationPolicy": "Container", "template": template}}
    scene.run("kubectl patch twl store --type merge -p '" + json.dumps(both) + "'")
    scene.expect("what store runs in", scene.ready("store")["status"]["hull"]["kind"], "Pod")
    scene.run("kubectl get twl store")
    scene.run(f"kubectl get twl -o {_STATES}")
    scene.narrator.say("If it doesn't do, the same disk boots again:")
    scene.run("""kubectl patch twl store --type merge -p '{"spec": {"isolationPolicy": "VirtualMachine"}}'""")
    scene.ready("store")
    scene.run("kubectl get twl store")
    same = scene.api.get("VirtualMachine", "store", NAMESPACE)
    scene.expect("the machine after it came back", _uid(same), _uid(machine))
    scene.narrator.good("from disk to container and back: one name, one disk, one machine")


def _clean_up(scene: Scene) -> None:
    scene.run("kubectl delete twl store billing")
    kept = sorted(one["metadata"]["name"] for one in scene.api.list("DataVolume", NAMESPACE))
    scene.expect("the disks that outlive their Workloads", kept, ["billing-boot", "store-boot"])
    scene.narrator.say("The disks are kept, as their reclaim says, until somebody deletes them:")
    scene.run("kubectl delete datavolumes store-boot billing-boot")


def _workload(name: str, firmware: str, file: str) -> dict[str, Any]:
    boot = {"size": f"{disks.SIZE >> 20}Mi", "source": {"http": {"url": f"https://disks.example/{file}"}}}
    return {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": name},
        "spec": {
            "isolationPolicy": "VirtualMachine",
            "service": {"ports": [{"port": 80}]},
            "virtualMachine": {"memory": "1Gi", "firmware": {"bootloader": firmware}, "bootDisk": boot},
        },
    }


def _uid(obj: dict[str, Any] | None) -> str | None:
    return obj["metadata"]["uid"] if obj else None
