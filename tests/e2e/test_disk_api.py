"""What a real API server makes of machines that boot a disk of their own: what it takes, refuses and says."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import yaml

from tests.controlplane.api import ApiError
from tests.e2e.refusal import refusal
from tests.e2e.test_workload_api import MINIMAL, merged, spec, tried
from twinhull.api.workload import Workload

if TYPE_CHECKING:
    from tests.controlplane.cluster import Cluster

Manifest: TypeAlias = dict[str, Any]

CRD = (Path(__file__).parents[2] / "crds/workloads.twinhull.dev.yaml").read_text(encoding="utf-8")
URL = "https://disks.example/web.vmdk"
CHECKSUM = "sha256:" + "0123456789abcdef" * 4
#: A machine with a disk, and no template.
BOOTED: Manifest = {
    "apiVersion": "twinhull.dev/v1alpha1",
    "kind": "Workload",
    "metadata": {"name": "web"},
    "spec": {
        "virtualMachine": {
            "memory": "2Gi",
            "firmware": {"bootloader": "BIOS"},
            "bootDisk": {"size": "40Gi", "source": {"http": {"url": URL}}},
        }
    },
}
VDDK: Manifest = {
    "url": "https://vcenter.example",
    "uuid": "4c4c4544-0000-1000-8000-000000000000",
    "backingFile": "[datastore1] web/web.vmdk",
    "thumbprint": "20:6C:8A",
    "secretRef": "vcenter",
}
MACHINE = "spec.virtualMachine"


def machine(**fields: Any) -> Manifest:
    return {"spec": {"virtualMachine": fields}}


def boot(**fields: Any) -> Manifest:
    return machine(bootDisk=fields)


def source(**fields: Any) -> Manifest:
    """Another source than HTTP."""
    return boot(source={"http": None, **fields})


def disk(name: str, **fields: Any) -> Manifest:
    return {"name": name, "size": "1Gi", "source": {"blank": {}}, **fields}


def http(url: str) -> Manifest:
    """Another URL."""
    return boot(source={"http": {"url": url}})


#: What the API server begins with when it speaks of that URL, and of a network card.
OF_URL = f"{MACHINE}.bootDisk.source.http.url: Invalid value: "
OF_CARD = f"{MACHINE}.networkInterface.macAddress: Invalid value: "


def is_not(field: str, value: str, wanted: str) -> str:
    """How the API server answers a text that isn't what a field wants."""
    return f'{MACHINE}.{field}: Invalid value: "{value}": write {wanted}'


#: A change of BOOTED by what it shows. As in a merge patch, None takes a field away.
ACCEPTED: dict[str, Manifest] = {
    "nothing but a disk": {},
    "a template too": spec(template=MINIMAL["spec"]["template"]),
    "a checksum of what HTTP serves": boot(source={"http": {"checksum": CHECKSUM}}),
    "vddk": source(vddk=VDDK),
    "a claim, without a size": boot(size=None, source={"http": None, "claim": {"name": "left"}}),
    "a golden image, without a size": boot(
        size=None, source={"http": None, "dataSource": {"name": "fedora"}}
    ),
    "an image, without a size": boot(
        size=None, source={"http": None, "containerDisk": {"image": "disks/web:1"}}
    ),
    "an upload": source(upload={}),
    "an empty disk": source(blank={}),
    "an answer of the guest agent": machine(readiness={"guestAgentPing": {}}),
    "a preference in place of the bootloader": machine(firmware=None, preference={"name": "fedora"}),
    "an instancetype in place of the memory": machine(memory=None, instancetype={"name": "u1.small"}),
    "Windows": machine(os="Windows"),
    "what Windows reads": machine(
        os="Windows", sysprep={"secret": "answers"}, virtioDrivers={"image": "drivers:1"}
    ),
    "sizes in small units": merged(boot(size="1000000"), machine(memory="2097152Ki")),
    "a checksum in capitals, as Windows prints it": boot(
        source={"http": {"checksum": f"sha256:{CHECKSUM.removeprefix('sha256:').upper()}"}}
    ),
    "a compressed disk": http("https://disks.example/web.vhdx.gz?version=1"),
    "an archive's ending elsewhere": http("https://disks.zip.example/ova/web.zip/disk.raw?at=ada@example"),
    "an address": machine(networkInterface={"macAddress": "00:50:56:01:02:03"}),
    "another disk": machine(disks=[disk("data", bootOrder=2), disk("logs", bootOrder=3)]),
    "a disk named boot beside one with another name": merged(
        boot(name="system"), machine(disks=[disk("boot")])
    ),
    "a probe": machine(readiness={"tcpSocket": {"port": 80}, "periodSeconds": 5}),
    "one port number for two protocols": spec(
        service={"ports": [{"port": 53}, {"port": 53, "protocol": "UDP"}]}
    ),
}

#: The same, and what the API server says, which names the field and what to do.
REFUSED: dict[str, tuple[Manifest, str]] = {
    **{
        f"{size} as a size": (boot(size=size), is_not("bootDisk.size", size, "an amount such as 40Gi"))
        for size in ("40GB", "40gb", "40 GiB", "1g", "0", "40", "40k", "999999")
    },
    "a size that YAML takes for a number": (
        boot(size=40),
        f'{MACHINE}.bootDisk.size: Invalid value: "integer"',
    ),
    "4 gigabytes of memory": (
        machine(memory="4096MB"),
        is_not("memory", "4096MB", "an amount such as 40Gi, of 1M at least"),
    ),
    "a disk's name with a capital": (
        machine(disks=[disk("Data")]),
        is_not("disks[0].name", "Data", "a name of lower-case letters, digits and '-', such as data-1"),
    ),
    **{
        f"the URL {url}": (http(url), f'{OF_URL}"{url}": begin with https:// (or http://), such as https://')
        for url in ("disks.example/a", "ftp://disks.example/a", "file:///a", "https://a/b c")
    },
    "the URL of a bucket without a scheme": (
        source(s3={"url": "bucket/a"}),
        f'{MACHINE}.bootDisk.source.s3.url: Invalid value: "bucket/a": begin with https:// or the scheme',
    ),
    **{
        f"a disk in an archive {end}": (
            http(f"https://disks.example/web{end}"),
            f"{OF_URL}CDI would take this file for the disk itself: unpack it (an OVA by tar -xf)",
        )
        for end in (
            *(".OVA", ".ova?version=1", ".ova.gz", ".ovf", ".zip", ".vhd.ZIP#a", ".7z", ".rar?a=b"),
            *(".tar.gz", ".tgz", ".raw.bz2"),
        )
    },
    **{
        f"a user in the URL of {kind}": (
            source(**{kind: {**given, "url": "https://ada:secret@disks.example/web"}}),
            f"{MACHINE}.bootDisk.source.{kind}.url: Invalid value: everybody who may read the Workload sees",
        )
        for kind, given in {"http": {}, "s3": {}, "vddk": VDDK}.items()
    },
    "an image without a scheme": (
        source(registry={"url": "disks/web:1"}),
        is_not("bootDisk.source.registry.url", "disks/web:1", "docker:// and the image, such as"),
    ),
    **{
        f"the checksum {checksum[:12]} of {len(checksum)} characters": (
            boot(source={"http": {"checksum": checksum}}),
            is_not("bootDisk.source.http.checksum", checksum, "sha256: in lower case and the 64 hexadecimal"),
        )
        for checksum in (CHECKSUM.upper(), CHECKSUM[:-1], f"{CHECKSUM}0", f"md5:{'0' * 31}", "0123")
    },
    **{
        f"the address {address}": (
            machine(networkInterface={"macAddress": address}),
            is_not(
                "networkInterface.macAddress",
                address,
                "six pairs of hexadecimal digits with colons, such as 00:50:56:01:02:03",
            ),
        )
        for address in ("00-50-56-01-02-03", "005056010203")
    },
    "a multicast address": (
        machine(networkInterface={"macAddress": "01:00:5e:00:00:01"}),
        f'{OF_CARD}"01:00:5e:00:00:01": this is a multicast address',
    ),
    "an address of zeros": (
        machine(networkInterface={"macAddress": "00:00:00:00:00:00"}),
        f'{OF_CARD}"00:00:00:00:00:00": zeros are no card\'s address',
    ),
    **{
        f"{field} for Linux": (
            machine(**{field: value}),
            f"{MACHINE}.{field}: Invalid value: {field} is for Windows: set os to Windows, or remove {field}",
        )
        for field, value in {"sysprep": {"secret": "a"}, "virtioDrivers": {"image": "a"}}.items()
    },
    "neither a template nor a disk": (
        machine(bootDisk=None, memory=None),
        "spec.template: Invalid value: say what to run: set template (containers), or virtualMachine.",
    ),
    "no source": (
        source(),
        f"{MACHINE}.bootDisk.source: Invalid value: set exactly one of http, s3,",
    ),
    "two sources": (
        boot(source={"blank": {}}),
        f"{MACHINE}.bootDisk.source: Invalid value: set exactly one of http, s3,",
    ),
    "no size": (
        boot(size=None),
        f"{MACHINE}.bootDisk.size: Invalid value: size is required with this source: set it to the virtual",
    ),
    "a namespace that is a path": (
        source(dataSource={"name": "golden", "namespace": "shop/secrets/key"}),
        f'{MACHINE}.bootDisk.source.dataSource.namespace: Invalid value: "shop/secrets/key"',
    ),
    "a size of a claim": (
        source(claim={"name": "left"}),
        f"{MACHINE}.bootDisk.size: Invalid value: size has no meaning for a claim or a containerDisk",
    ),
    **{
        f"a checksum of {kind}": (
            source(**{kind: {**given, "checksum": CHECKSUM}}),
            (
                f"{MACHINE}.bootDisk.source.{kind}.checksum: Invalid value: only a source http has its "
                "checksum verified: remove checksum, or serve the disk by HTTP"
            ),
        )
        for kind, given in {
            "s3": {"url": "https://s3.example/disks/web.qcow2"},
            "registry": {"url": "docker://registry.example/web:1"},
            "vddk": VDDK,
        }.items()
    },
    "no bootloader": (
        machine(firmware=None),
        f"{MACHINE}.firmware.bootloader: Invalid value: set firmware.bootloader to BIOS or UEFI",
    ),
    "neither memory nor an instancetype": (
        machine(memory=None),
        f"{MACHINE}.memory: Invalid value: a machine with a bootDisk has its size from memory",
    ),
    "both memory and an instancetype": (
        machine(instancetype={"name": "u1.small"}),
        f"{MACHINE}.memory: Invalid value: a machine with a bootDisk has its size from memory",
    ),
    "cpus beside an instancetype": (
        machine(memory=None, cpus=2, instancetype={"name": "u1.small"}),
        f"{MACHINE}.cpus: Invalid value: the instancetype says how many cpus the machine has: remove cpus",
    ),
    "Windows without a disk": (
        merged(machine(bootDisk=None, memory=None, os="Windows"), spec(template=MINIMAL["spec"]["template"])),
        f"{MACHINE}.os: Invalid value: a machine without a bootDisk runs Linux: set bootDisk, or os to Linux",
    ),
    "memory without a disk": (
        merged(machine(bootDisk=None), spec(template=MINIMAL["spec"]["template"])),
        f"{MACHINE}.memory: Invalid value: memory is for a machine that boots a disk of its own",
    ),
    "StartFirst": (
        spec(replacement={"strategy": "StartFirst"}),
        "spec.replacement.strategy: Invalid value: StartFirst would have two machines on one disk",
    ),
    "two disks of one name": (
        machine(disks=[disk("data"), disk("data")]),
        f'{MACHINE}.disks[1]: Duplicate value: {{"name":"data"}}',
    ),
    "a disk named as the boot disk": (
        machine(disks=[disk("boot")]),
        f"{MACHINE}.disks: Invalid value: a disk has the name of the boot disk",
    ),
    "a disk named as the boot disk that has a name": (
        merged(boot(name="system"), machine(disks=[disk("system")])),
        f"{MACHINE}.disks: Invalid value: a disk has the name of the boot disk",
    ),
    "two disks with one place in the order": (
        machine(disks=[disk("data", bootOrder=2), disk("logs", bootOrder=2)]),
        f"{MACHINE}.disks: Invalid value: two disks have one bootOrder",
    ),
    "two probes": (
        machine(readiness={"tcpSocket": {"port": 80}, "guestAgentPing": {}}),
        f"{MACHINE}.readiness: Invalid value: set exactly one of tcpSocket, httpGet, exec, guestAgentPing",
    ),
    "two ports with one number": (
        spec(service={"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}),
        "spec.service.ports: Invalid value: two ports have one number and protocol: remove one",
    ),
    "two ports with one name": (
        spec(service={"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]}),
        "spec.service.ports: Invalid value: two ports have one name: give each its own",
    ),
}


@pytest.fixture(autouse=True, scope="module")
def _crd(control_plane: Cluster) -> None:
    control_plane.kubectl.apply(CRD)
    control_plane.eventually(
        lambda: "bootDisk" in str(control_plane.api.request("GET", "/openapi/v3/apis/twinhull.dev/v1alpha1")),
        30,
        "the API server describes the boot disk",
    )
    control_plane.eventually(
        lambda: (control_plane.api.list("Workload.twinhull.dev"),), 30, "the API server serves the kind"
    )


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_accepts(control_plane: Cluster, change: Manifest) -> None:
    tried(control_plane, merged(BOOTED, change))


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses(control_plane: Cluster, change: Manifest, message: str) -> None:
    with pytest.raises(ApiError) as refusal:
        tried(control_plane, merged(BOOTED, change))
    assert message in refusal.value.message


def test_what_was_stored_before_there_was_a_rule_can_still_be_changed(control_plane: Cluster) -> None:
    """The API server tolerates a value that no rule would let in now, as long as it stays as it is."""
    earlier = yaml.safe_load(CRD)
    (version,) = earlier["spec"]["versions"]
    spec_ = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    _without_rules(spec_["properties"]["virtualMachine"])
    old = merged(
        BOOTED,
        {
            "metadata": {"name": "stored-before", "namespace": "default"},
            **merged(
                merged(http("ftp://ada:secret@disks.example/web.zip"), boot(size="40")),
                machine(sysprep={"secret": "a"}, networkInterface={"macAddress": "01:00:00:00:00:00"}),
            ),
        },
    )
    api, path = control_plane.api, "/apis/twinhull.dev/v1alpha1/namespaces/default/workloads"

    def accepted() -> bool:
        try:
            api.request("POST", path, old)
        except ApiError:
            return False
        return True

    control_plane.kubectl.apply(yaml.safe_dump(earlier))
    try:
        control_plane.eventually(accepted, 30, "the API server has no rules for disks")
    finally:
        control_plane.kubectl.apply(CRD)

    like = merged(old, {"metadata": {"name": "like"}})
    control_plane.eventually(
        lambda: "write an amount such as 40Gi" in refusal(api, like), 30, "the API server has the rules again"
    )
    stored = api.request("GET", f"{path}/stored-before")
    assert Workload.model_validate(stored).spec.virtual_machine.boot_disk, "the operator reads it"
    stored["status"] = {"observedGeneration": 1}
    stored = api.request("PUT", f"{path}/stored-before/status", stored)
    stored["spec"]["state"] = "Stopped"
    stored = api.request("PUT", f"{path}/stored-before", stored)
    stored["spec"]["virtualMachine"]["bootDisk"]["size"] = "41"
    with pytest.raises(ApiError, match="write an amount such as 40Gi"):
        api.request("PUT", f"{path}/stored-before", stored)
    api.request("DELETE", f"{path}/stored-before")


def _without_rules(schema: Manifest) -> None:
    """Take the CEL rules out of a schema."""
    schema.pop("x-kubernetes-validations", None)
    for below in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        _without_rules(below)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (source(blank={"size": "1Gi"}), ("bootDisk", "source", "blank")),
        (source(upload={"size": "1Gi"}), ("bootDisk", "source", "upload")),
        (machine(readiness={"guestAgentPing": {"port": 80}}), ("readiness", "guestAgentPing")),
    ],
    ids=["blank", "upload", "guestAgentPing"],
)
def test_an_object_without_fields_takes_none(
    control_plane: Cluster, change: Manifest, path: tuple[str, ...]
) -> None:
    manifest = merged(BOOTED, change)
    manifest["metadata"] = {**manifest["metadata"], "namespace": "default"}
    api, kind = control_plane.api, "/apis/twinhull.dev/v1alpha1/namespaces/default/workloads"
    stored = api.request("POST", kind, manifest, query={"dryRun": "All"})["spec"]["virtualMachine"]
    for part in path:
        stored = stored[part]
    assert stored == {}, "unknown fields are dropped"
    with pytest.raises(ApiError, match="unknown field"):
        api.request("POST", kind, manifest, query={"dryRun": "All", "fieldValidation": "Strict"})


def test_nulls_as_charts_print_them_mean_nothing(control_plane: Cluster) -> None:
    """A chart prints null for a value that nobody set."""
    printed = deepcopy(BOOTED)
    built = printed["spec"]["virtualMachine"]
    built |= {"instancetype": None, "preference": None, "disks": None, "readiness": None, "cpus": None}
    built["bootDisk"] |= {"name": None, "storageClassName": None, "accessModes": None}
    built["bootDisk"]["source"] |= {"s3": None, "blank": None}
    built["bootDisk"]["source"]["http"] |= {"checksum": None, "secretRef": None}
    printed["spec"] |= {"template": None, "service": {"ports": None}}

    stored = tried(control_plane, printed)["spec"]

    assert stored["virtualMachine"]["bootDisk"] == BOOTED["spec"]["virtualMachine"]["bootDisk"]
    assert "template" not in stored
