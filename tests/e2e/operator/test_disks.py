"""A machine that boots a disk of its own, on KubeVirt itself. What CDI says of its disk, the test says."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.controlplane import PATIENCE, Cluster, eventually
from tests.e2e.operator.subject import DISK_LABEL, Manifest, Subject, condition, container, template
from twinhull.hulls.diskmachine import GRACE

pytestmark = pytest.mark.simulated

HTTP: Manifest = {"http": {"url": "https://images.example/web.vmdk"}}
BUILT: Manifest = {
    "memory": "512Mi",
    "firmware": {"bootloader": "BIOS"},
    "bootDisk": {"source": HTTP, "size": "10Gi", "storageClassName": "simulated"},
}


CDI: Manifest = {
    "apiVersion": "cdi.kubevirt.io/v1beta1",
    "kind": "CDI",
    "metadata": {"name": "cdi"},
    "spec": {},
}
DEPLOYED: Manifest = {"status": {"phase": "Deployed"}}


@pytest.fixture(autouse=True, scope="module")
def cdi(cluster: Cluster) -> Iterator[None]:
    """CDI says that it is there, and how much a file system takes: KubeVirt starts no machine without."""
    api = cluster.api
    api.create(CDI)
    api.create({**CDI, "kind": "CDIConfig", "metadata": {"name": "config"}})
    api.patch("CDI", "cdi", None, DEPLOYED)
    api.patch("CDIConfig", "config", None, {"status": {"filesystemOverhead": {"global": "0.06"}}})
    yield
    api.delete("CDI", "cdi")
    api.delete("CDIConfig", "config")


def ask(
    web: Subject, *, isolation: str = "VirtualMachine", containers: bool = False, **spec: Any
) -> Manifest:
    """Applies a Workload with a boot disk, and with a template if it may run `containers`."""
    built = {**BUILT, **spec.pop("virtualMachine", {})}
    manifest = {
        "apiVersion": "twinhull.dev/v1alpha1",
        "kind": "Workload",
        "metadata": {"name": web.name, "namespace": web.namespace},
        "spec": {
            "isolationPolicy": isolation,
            "virtualMachine": built,
            **({"template": template()} if containers else {}),
            **spec,
        },
    }
    return web.cluster.api.apply(manifest)


def until(check: Callable[[], object]) -> None:
    """Waits until that is so."""
    eventually(check, PATIENCE, inspect.getsource(check).strip())


def say(web: Subject, name: str, **status: Any) -> None:
    """CDI says how far a disk is."""
    web.cluster.api.patch("DataVolume", name, web.namespace, {"status": status}, subresource="status")


def fill(web: Subject, name: str = "web-boot", size: str = "11Gi", storage_class: str = "simulated") -> None:
    """CDI makes the claim of a disk, a little larger than the disk, and fills it."""
    until(lambda: web.one("DataVolume", name))
    volume = web.one("DataVolume", name)
    owner = {"apiVersion": "cdi.kubevirt.io/v1beta1", "kind": "DataVolume", "name": name, "controller": True}
    web.cluster.api.create(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": name,
                "namespace": web.namespace,
                "labels": volume["metadata"]["labels"],
                "ownerReferences": [{**owner, "uid": volume["metadata"]["uid"]}],
            },
            "spec": {
                "storageClassName": storage_class,
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": size}},
            },
        }
    )
    until(lambda: web.one("PersistentVolumeClaim", name)["status"]["phase"] == "Bound")
    say(web, name, phase="Succeeded", progress="100.0%")


def resize(web: Subject, size: str, **disk: Any) -> None:
    """Asks for a boot disk of that size."""
    boot = {**BUILT["bootDisk"], **disk, "size": size}
    ask(web, virtualMachine={"bootDisk": boot})


@pytest.fixture
def booted(web: Subject) -> Subject:
    """A Workload whose machine has booted its disk."""
    ask(web, containers=True)
    web.becomes("DiskWaiting")
    fill(web)
    web.becomes("Ready")
    return web


def test_a_disk_is_filled_and_booted(web: Subject) -> None:
    service = {"ports": [{"name": "ssh", "port": 22}]}
    ask(web, service=service)
    waiting = web.becomes("DiskWaiting")
    assert condition(waiting, "Reconciling")[0] == "True"
    assert "VirtualMachine" not in web.belongings()
    say(web, "web-boot", phase="ImportInProgress", progress="41.7%")
    until(lambda: web.get()["status"]["disks"][0].get("progress") == "41%")
    web.gets_event("DiskImporting", "disk boot is filled to 41%")
    fill(web)
    ready = web.becomes("Ready")
    assert ready["status"]["disks"] == [
        {
            "name": "boot",
            "claim": "web-boot",
            "phase": "Succeeded",
            "progress": "100%",
            "size": "11Gi",
            "attached": True,
        }
    ]
    vm = web.hull()
    assert vm["metadata"]["name"] == "web"
    spec = vm["spec"]["template"]["spec"]
    assert spec["volumes"] == [{"name": "boot", "dataVolume": {"name": "web-boot"}}]
    assert spec["domain"]["devices"]["disks"] == [{"name": "boot", "disk": {"bus": "sata"}, "bootOrder": 1}]
    (port,) = web.one("Service", "web")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (22, 22)


def test_a_change_restarts_the_very_machine(booted: Subject) -> None:
    before, instance = booted.hull(), booted.one("VirtualMachineInstance", "web")
    ask(booted, containers=True, virtualMachine={"memory": "768Mi"})
    booted.becomes("Ready")
    after = booted.hull()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    firmware = [one["spec"]["template"]["spec"]["domain"]["firmware"] for one in (before, after)]
    assert firmware[0] == firmware[1]
    assert firmware[0]["uuid"]
    running = booted.one("VirtualMachineInstance", "web")
    assert running["metadata"]["uid"] != instance["metadata"]["uid"]
    assert running["spec"]["domain"]["memory"]["guest"] == "768Mi"
    assert (
        running["metadata"]["labels"]["twinhull.dev/revision"] == booted.get()["status"]["hull"]["revision"]
    )


RICH: Manifest = {
    "os": "Windows",
    "cpus": 2,
    "memory": "1536Mi",
    "firmware": {"bootloader": "UEFI", "secureBoot": True, "tpm": "Persistent", "persistent": True},
    "readiness": {"tcpSocket": {"port": 3389}},
    "networkInterface": {"macAddress": "02:00:00:00:00:07"},
    "virtioDrivers": {"image": "drivers:1"},
    "sysprep": {"secret": "answers"},
    "overrides": {"domain": {"devices": {"rng": {}}, "ioThreadsPolicy": "auto"}, "nodeSelector": None},
}


def test_what_kubevirt_makes_of_a_machine_is_nobodys_edit(web: Subject) -> None:
    """KubeVirt's webhook and controller write much into it, and all of it in their own way."""
    ask(web, virtualMachine=RICH)
    fill(web)
    web.eventually(lambda: web.one("VirtualMachine", "web"), "there is a machine")
    web.becomes("Ready")
    ask(web, virtualMachine={**RICH, "cpus": 4})
    web.becomes("Ready")
    machine = web.hull()["spec"]["template"]
    assert machine["spec"]["domain"]["cpu"]["cores"] == 4
    (note,) = [text for _, _, text in web.all_events() if text.startswith("switched VirtualMachine web on")]
    assert note == "switched VirtualMachine web on: set spec.template.spec.domain.cpu.cores"


def test_what_is_plugged_into_a_machine_stays_and_what_is_edited_is_told(booted: Subject) -> None:
    api = booted.cluster.api
    spec = booted.hull()["spec"]["template"]["spec"]
    logs = {"name": "logs", "persistentVolumeClaim": {"claimName": "logs", "hotpluggable": True}}
    disks = [*spec["domain"]["devices"]["disks"], {"name": "logs", "disk": {"bus": "scsi"}, "serial": "1"}]
    plugged = {"volumes": [*spec["volumes"], logs], "domain": {"devices": {"disks": disks}}}
    api.patch("VirtualMachine", "web", booted.namespace, {"spec": {"template": {"spec": plugged}}})
    edit = {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 77, "hostname": "other"}}}}
    api.patch("VirtualMachine", "web", booted.namespace, edit)
    edited = booted.becomes("MachineEdited")
    sentence = condition(edited, "Ready")[2]
    assert "it has other values of spec.template.spec.terminationGracePeriodSeconds; " in sentence
    assert "it has in addition spec.template.spec.hostname." in sentence
    assert "logs" not in sentence
    ask(booted, containers=True, virtualMachine={"memory": "768Mi"})
    until(lambda: booted.hull()["spec"]["template"]["spec"]["domain"]["memory"]["guest"] == "768Mi")
    after = booted.hull()["spec"]["template"]["spec"]
    assert [volume["name"] for volume in after["volumes"]] == ["boot", "logs"]
    assert after["domain"]["devices"]["disks"][1]["serial"] == "1"
    assert after["terminationGracePeriodSeconds"] == GRACE
    assert "hostname" not in after


def test_from_disk_to_container_and_back(booted: Subject) -> None:
    volume, machine = booted.one("DataVolume", "web-boot"), booted.hull()
    booted.change(isolationPolicy="Container")
    booted.becomes("Ready")
    assert booted.hull()["kind"] == "Pod"
    assert [disk["attached"] for disk in booted.get()["status"]["disks"]] == [False]
    booted.change(isolationPolicy="VirtualMachine")
    booted.becomes("Ready")
    assert booted.hull()["metadata"]["uid"] == machine["metadata"]["uid"]
    assert booted.one("DataVolume", "web-boot")["metadata"]["uid"] == volume["metadata"]["uid"]


def test_stopped_and_started(booted: Subject) -> None:
    machine = booted.hull()
    booted.change(state="Stopped")
    booted.becomes("Stopped")
    assert booted.one("VirtualMachine", "web")["spec"]["runStrategy"] == "Halted"
    booted.change(state="Running")
    booted.becomes("Ready")
    assert booted.hull()["metadata"]["uid"] == machine["metadata"]["uid"]


def test_a_restored_snapshot_is_never_undone(booted: Subject) -> None:
    """KubeVirt restores to another claim, and writes that into the VirtualMachine, as is done here."""
    api, namespace = booted.cluster.api, booted.namespace
    booted.change(state="Stopped")
    booted.becomes("Stopped")
    claim = booted.one("PersistentVolumeClaim", "web-boot")
    about = {"name": "restore-1-boot", "namespace": namespace, "labels": claim["metadata"]["labels"]}
    spec = {key: claim["spec"][key] for key in ("storageClassName", "accessModes", "resources")}
    api.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": about, "spec": spec})
    restored = [{"name": "boot", "persistentVolumeClaim": {"claimName": "restore-1-boot"}}]
    api.patch("VirtualMachine", "web", namespace, {"spec": {"template": {"spec": {"volumes": restored}}}})
    until(lambda: "restore-1-boot" in booted.condition("Ready")[2])
    booted.change(state="Running")
    refused = booted.becomes("DiskReplaced")
    assert condition(refused, "Stalled")[0] == "True"
    machine = booted.one("VirtualMachine", "web")
    assert machine["spec"]["runStrategy"] == "Halted"
    assert machine["spec"]["template"]["spec"]["volumes"] == restored
    taken_up = {"source": {"claim": {"name": "restore-1-boot"}}}
    ask(booted, containers=True, virtualMachine={"bootDisk": taken_up})
    booted.becomes("Ready")
    assert booted.hull()["spec"]["template"]["spec"]["volumes"] == restored


def test_a_retained_disk_outlives_its_workload_and_is_taken_up_again(booted: Subject) -> None:
    volume = booted.one("DataVolume", "web-boot")
    booted.delete()
    until(lambda: not booted.belongings())
    assert booted.one("PersistentVolumeClaim", "web-boot")["status"]["phase"] == "Bound"
    ask(booted)
    booted.becomes("Ready")
    assert booted.one("DataVolume", "web-boot")["metadata"]["uid"] == volume["metadata"]["uid"]
    assert [reason for _, reason, _ in booted.all_events() if reason == "DiskTakenUp"] == ["DiskTakenUp"]


def test_a_disk_that_was_never_filled_goes_with_its_workload(web: Subject) -> None:
    ask(web)
    web.becomes("DiskWaiting")
    say(web, "web-boot", phase="ImportInProgress", progress="41.7%")
    web.becomes("DiskImporting")
    web.delete()
    until(lambda: web.cluster.api.get("DataVolume", "web-boot", web.namespace) is None)


def test_a_disk_goes_with_its_workload_if_that_is_asked_for(booted: Subject) -> None:
    boot = {**BUILT["bootDisk"], "reclaim": "Delete"}
    ask(booted, containers=True, virtualMachine={"bootDisk": boot})
    until(lambda: booted.one("DataVolume", "web-boot")["metadata"].get("ownerReferences"))
    booted.delete()
    until(lambda: booted.cluster.api.get("DataVolume", "web-boot", booted.namespace) is None)


def test_a_disk_goes_though_a_workload_of_its_name_is_made_at_once(booted: Subject) -> None:
    boot = {**BUILT["bootDisk"], "reclaim": "Delete"}
    ask(booted, containers=True, virtualMachine={"bootDisk": boot})
    until(lambda: booted.one("DataVolume", "web-boot")["metadata"].get("ownerReferences"))
    former = booted.one("DataVolume", "web-boot")["metadata"]["uid"]
    booted.delete()
    ask(booted, containers=True, virtualMachine={"bootDisk": boot})
    until(lambda: booted.one("DataVolume", "web-boot")["metadata"]["uid"] != former)
    booted.becomes("DiskWaiting")
    assert [reason for _, reason, _ in booted.all_events() if reason == "DiskTakenUp"] == []


def test_a_disk_grows_and_nothing_restarts(booted: Subject) -> None:
    instance = booted.one("VirtualMachineInstance", "web")["metadata"]["uid"]
    until(lambda: "twinhull.dev/first-request" in _annotations(booted))
    resize(booted, "20Gi")
    until(lambda: _requested(booted) == "22Gi")
    resize(booted, "15Gi")
    shrinking = booted.becomes("DiskShrinks")
    assert condition(shrinking, "Stalled")[2].endswith("set size to 20Gi or more")
    assert condition(shrinking, "Ready")[0] == "True"
    assert condition(shrinking, "Stalled")[0] == "True"
    assert booted.one("VirtualMachineInstance", "web")["metadata"]["uid"] == instance


def test_storage_that_cannot_grow_is_told_while_the_machine_runs_on(web: Subject) -> None:
    storage_class = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "fixed-size"},
        "provisioner": "simulate.twinhull.dev/storage",
    }
    web.cluster.api.create(storage_class)
    try:
        fixed = {**BUILT["bootDisk"], "storageClassName": "fixed-size"}
        ask(web, virtualMachine={"bootDisk": fixed})
        fill(web, storage_class="fixed-size")
        web.becomes("Ready")
        until(lambda: "twinhull.dev/first-request" in _annotations(web))
        resize(web, "20Gi", storageClassName="fixed-size")
        until(lambda: "storageclass" in web.condition("Stalled")[2])
        assert web.condition("Stalled")[0] == "True"
        assert web.condition("Ready")[0] == "True"
        resize(web, "10Gi", storageClassName="fixed-size")
        until(lambda: web.condition("Stalled")[0] == "False")
    finally:
        web.cluster.api.delete("StorageClass", "fixed-size")


def test_a_wrong_source_is_told_and_a_corrected_one_recovers(web: Subject) -> None:
    ask(web)
    web.becomes("DiskWaiting")
    message = (
        "Unable to connect to http data source: expected status code 200, got 404. Status: 404 Not Found"
    )
    running = {"type": "Running", "status": "False", "reason": "Error", "message": message}
    say(web, "web-boot", phase="ImportInProgress", progress="N/A", restartCount=2, conditions=[running])
    failed = web.becomes("DiskFailed")
    status, _, sentence = condition(failed, "Stalled")
    assert (status, "correct source.url" in sentence) == ("True", True)
    first = web.one("DataVolume", "web-boot")["metadata"]["uid"]
    source = {"http": {"url": "https://images.example/right.vmdk"}}
    ask(web, virtualMachine={"bootDisk": {**BUILT["bootDisk"], "source": source}})
    web.becomes("DiskWaiting")
    until(lambda: web.one("DataVolume", "web-boot")["metadata"]["uid"] != first)
    fill(web)
    web.becomes("Ready")
    ask(web)
    changed = web.becomes("DiskSourceChanged")
    assert condition(changed, "Ready")[0] == "True"
    assert web.one("DataVolume", "web-boot")["spec"]["source"] == source


def test_without_cdi_a_machine_waits_and_goes_on_once_cdi_is_there(web: Subject) -> None:
    api = web.cluster.api
    api.delete("CDI", "cdi")
    try:
        ask(web)
        missing = web.becomes("CDIMissing")
    finally:
        api.create(CDI)
        api.patch("CDI", "cdi", None, DEPLOYED)
    assert condition(missing, "Stalled")[0] == "True"
    assert "install it (github.com/kubevirt/containerized-data-importer)" in condition(missing, "Ready")[2]
    web.becomes("DiskWaiting")


def test_somebody_elses_data_volume_is_left_alone(web: Subject) -> None:
    theirs = web.cluster.api.create(
        {
            "apiVersion": "cdi.kubevirt.io/v1beta1",
            "kind": "DataVolume",
            "metadata": {"name": "web-boot", "namespace": web.namespace},
            "spec": {"source": {"blank": {}}, "storage": {"resources": {"requests": {"storage": "1Gi"}}}},
        }
    )
    ask(web)
    web.becomes("NameConflict")
    assert web.one("DataVolume", "web-boot")["metadata"]["uid"] == theirs["metadata"]["uid"]
    assert DISK_LABEL not in web.one("DataVolume", "web-boot")["metadata"].get("labels", {})


def test_a_claim_is_one_workloads_alone_and_left_as_it_is(web: Subject) -> None:
    """What a migration tool such as forklift leaves: a filled claim, with labels of its own."""
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "plan-1", "namespace": web.namespace, "labels": {"vmID": "vm-1", "plan": "p1"}},
        "spec": {
            "storageClassName": "simulated",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }
    made = web.cluster.api.create(claim)
    boot = {"source": {"claim": {"name": "plan-1"}}}
    both = (web, web.named("other"))
    for one in both:
        ask(one, virtualMachine={"bootDisk": boot})
    until(lambda: {one.condition("Ready")[1] for one in both} == {"Ready", "DiskConflict"})
    (machine,) = web.cluster.api.list("VirtualMachine", web.namespace)
    volumes = machine["spec"]["template"]["spec"]["volumes"]
    assert volumes == [{"name": "boot", "persistentVolumeClaim": {"claimName": "plan-1"}}]
    holder = web.one("PersistentVolumeClaim", "plan-1")
    assert holder["metadata"]["labels"] == {
        **made["metadata"]["labels"],
        DISK_LABEL: machine["metadata"]["name"],
    }
    assert not web.cluster.api.list("DataVolume", web.namespace)
    winner, loser = both if machine["metadata"]["name"] == "web" else both[::-1]
    winner.delete()
    until(lambda: not winner.belongings())
    web.cluster.api.patch(
        "PersistentVolumeClaim", "plan-1", web.namespace, {"metadata": {"labels": {DISK_LABEL: None}}}
    )
    loser.becomes("Ready")


def test_a_claim_that_a_container_writes_to_is_not_booted(web: Subject) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "files", "namespace": web.namespace},
        "spec": {
            "storageClassName": "simulated",
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }
    web.cluster.api.create(claim)
    mounts = [{"name": "files", "mountPath": "/files"}]
    volumes = [{"name": "files", "persistentVolumeClaim": {"claimName": "files"}}]
    files = web.named("files")
    files.apply("Container", template(containers=[container(volumeMounts=mounts)], volumes=volumes))
    files.becomes("Ready")
    ask(web, virtualMachine={"bootDisk": {"source": {"claim": {"name": "files"}}}})
    refused = web.becomes("DiskConflict")
    assert "Workload files mounts" in condition(refused, "Stalled")[2]
    assert "labels" not in web.one("PersistentVolumeClaim", "files")["metadata"]
    assert not web.cluster.api.list("VirtualMachine", web.namespace)


def test_a_disk_is_cloned_from_what_its_data_source_leads_to(web: Subject) -> None:
    """In its own namespace; in another one only if that lets the operator."""
    for namespace in (web.namespace, "default"):
        source = {
            "apiVersion": "cdi.kubevirt.io/v1beta1",
            "kind": "DataSource",
            "metadata": {"name": f"of-{namespace}", "namespace": web.namespace},
            "spec": {"source": {"pvc": {"namespace": namespace, "name": "golden"}}},
        }
        web.cluster.api.create(source)
    boot = {"storageClassName": "simulated", "source": {"dataSource": {"name": "of-default"}}}
    ask(web, virtualMachine={"bootDisk": boot})
    refused = web.becomes("DataVolumeRefused")
    assert "leads to namespace default, which doesn't let" in condition(refused, "Stalled")[2]
    own = {**boot, "source": {"dataSource": {"name": f"of-{web.namespace}"}}}
    ask(web, virtualMachine={"bootDisk": own})
    web.becomes("DiskWaiting")
    golden = {"pvc": {"namespace": web.namespace, "name": "golden"}}
    assert web.one("DataVolume", "web-boot")["spec"]["source"] == golden


def test_without_a_template_no_container_runs(web: Subject) -> None:
    ask(web, isolation="Container")
    refused = web.becomes("TemplateMissing")
    assert "spec.virtualMachine.bootDisk" in condition(refused, "Stalled")[2]
    assert not web.belongings()


def _annotations(web: Subject) -> Manifest:
    found: Manifest = web.one("DataVolume", "web-boot")["metadata"].get("annotations", {})
    return found


def _requested(web: Subject) -> str:
    return str(web.one("PersistentVolumeClaim", "web-boot")["spec"]["resources"]["requests"]["storage"])
