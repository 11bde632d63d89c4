"""The step of the disks: from VMware and Hyper-V into machines, and from one of these to a container."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.demo.democluster import NAMESPACE
from tests.demo.playedcdi import PlayedCdi
from tests.importer import disks

if TYPE_CHECKING:
    from tests.demo.democluster import DemoCluster

#: By the name of the Workload: its firmware, the file, and who writes such files.
_BROUGHT = {
    "store": ("BIOS", "stream-optimized.vmdk", "VMware"),
    "billing": ("UEFI", "dynamic.vhdx", "Hyper-V"),
}
_DISKS = '{range .status.disks[*]}{.claim} {.phase} attached={.attached}{"\\n"}{end}'
_STATES = f"jsonpath='{{range .items[*]}}{_DISKS}{{end}}'"


def run(demo: DemoCluster) -> None:
    """Both are imported and booted; `store` goes on as a container, and comes back to its disk."""
    with tempfile.TemporaryDirectory(prefix="twinhull-demo-disks-") as name:
        folder = Path(name)
        content = disks.raw(folder / "disk.raw")
        with PlayedCdi.playing(demo.api, folder) as cdi:
            _bring(demo, folder)
            for workload in _BROUGHT:
                imported = cdi.disk(f"{workload}-boot").read_bytes()
                demo.expect(f"the disk of {workload}, byte by byte", imported == content, True)  # noqa: FBT003
            demo.printer.good("each disk has what its VMDK or VHDX had, and its machine boots it")
            _leave_for_a_container(demo)
            _clean_up(demo)


def _bring(demo: DemoCluster, folder: Path) -> None:
    say = demo.printer.say
    say("A small disk is written as a VMDK and as a VHDX. Where CDI would import it, qemu-img does here:")
    for name, (firmware, file, origin) in _BROUGHT.items():
        made = disks.convert(folder / "disk.raw", file)
        say(f"{made.name}, {made.stat().st_size >> 10:,} KiB, as {origin} writes it")
        manifest = yaml.safe_dump(_workload(name, firmware, file), sort_keys=False)
        output = demo.cluster.kubectl.apply(manifest)
        demo.printer.command("kubectl apply -f - <<EOF", f"{manifest}EOF\n{output}")
    for name in _BROUGHT:
        demo.ready(name)
    demo.run("kubectl get twl store billing")
    demo.run(f"kubectl get twl -o {_STATES}")


def _leave_for_a_container(demo: DemoCluster) -> None:
    machine = demo.api.get("VirtualMachine", "store", NAMESPACE)
    template: dict[str, Any] = {"spec": {"containers": [{"name": "store", "image": "nginx:1.29"}]}}
    demo.printer.say("An image of what store does is there now. Name, Service and status stay:")
    both = {"spec": {"isolationPolicy": "Container", "template": template}}
    demo.run("kubectl patch twl store --type merge -p '" + json.dumps(both) + "'")
    demo.expect("what store runs in", demo.ready("store")["status"]["hull"]["kind"], "Pod")
    demo.run("kubectl get twl store")
    demo.run(f"kubectl get twl -o {_STATES}")
    demo.printer.say("If it doesn't do, the same disk boots again:")
    demo.run("""kubectl patch twl store --type merge -p '{"spec": {"isolationPolicy": "VirtualMachine"}}'""")
    demo.ready("store")
    demo.run("kubectl get twl store")
    same = demo.api.get("VirtualMachine", "store", NAMESPACE)
    demo.expect("the machine after it came back", _uid(same), _uid(machine))
    demo.printer.good("from disk to container and back: one name, one disk, one machine")


def _clean_up(demo: DemoCluster) -> None:
    demo.run("kubectl delete twl store billing")
    kept = sorted(one["metadata"]["name"] for one in demo.api.list("DataVolume", NAMESPACE))
    demo.expect("the disks that outlive their Workloads", kept, ["billing-boot", "store-boot"])
    demo.printer.say("The disks are kept, as their reclaim says, until somebody deletes them:")
    demo.run("kubectl delete datavolumes store-boot billing-boot")


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
