"""Which field is meant by a name that is none, over the whole API."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from twinhull.api.base import Raw
from twinhull.api.crd import crds
from twinhull.api.suggestion import misspelt, suggestion
from twinhull.api.validation import problems


def _objects(schema: Raw, path: str) -> Iterator[tuple[str, list[str]]]:
    """The objects of a schema that have fields, by their paths."""
    if schema.get("properties"):
        yield path, list(schema["properties"])
    for name, below in schema.get("properties", {}).items():
        yield from _objects(below, f"{path}.{name}")
    for many in ("items", "additionalProperties"):
        if isinstance(schema.get(many), dict):
            yield from _objects(schema[many], f"{path}[]")


#: The names of the fields of each object of the API.
FIELDS = {
    path: names
    for crd in crds()
    for path, names in _objects(
        crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], crd["spec"]["names"]["kind"]
    )
}
MACHINE = "Workload.spec.virtualMachine"
DISK, SOURCE = f"{MACHINE}.disks[]", f"{MACHINE}.bootDisk.source"
CONTAINER = "Workload.spec.template.spec.containers[]"


@pytest.mark.parametrize(
    ("path", "written", "meant"),
    [
        ("IsolationPolicy.spec", "minimumIsolation", "minimum"),
        ("IsolationPolicy.spec", "min", "minimum"),
        ("IsolationPolicy.spec", "defaultIsolation", "default"),
        ("IsolationPolicy.spec", "violation", "onViolation"),
        ("IsolationPolicy.spec", "violationPolicy", "onViolation"),
        ("IsolationPolicy.spec", "selector", None),
        ("IsolationPolicy.spec", "matches", "match"),
        ("IsolationPolicy.spec", "mach", "match"),
        ("IsolationPolicy.spec", "minmum", "minimum"),
        ("IsolationPolicy.spec", "vm", "virtualMachine"),
        ("IsolationPolicy.spec.match", "namespaces", "namespaceSelector"),
        ("IsolationPolicy.spec.match", "namespace_selector", "namespaceSelector"),
        ("IsolationPolicy.spec.match", "labels", None),
        ("IsolationPolicy.spec.match", "image", "images"),
        ("IsolationPolicy.spec.match", "serviceAccountName", "serviceAccounts"),
        ("IsolationPolicy.spec.eviction", "deadline", "deadlineSeconds"),
        ("IsolationPolicy.spec.eviction", "terminationGracePeriodSeconds", "gracePeriodSeconds"),
        ("IsolationPolicy.spec.sandbox", "runtimeClass", "runtimeClassName"),
        ("IsolationPolicy.spec.machines", "pinned", "imagesMustBePinned"),
        ("Workload.spec", "isolation", "isolationPolicy"),
        ("Workload.spec", "isolationpolicy", "isolationPolicy"),
        ("Workload.spec", "podTemplate", "template"),
        ("Workload.spec", "services", "service"),
        ("Workload.spec", "vm", "virtualMachine"),
        ("Workload.spec", "machine", "virtualMachine"),
        ("Workload.spec", "virtual-machine", "virtualMachine"),
        ("Workload.spec", "replicas", None),
        ("Workload.spec", "tempalte", "template"),
        ("Workload.spec.replacement", "progressDeadline", "progressDeadlineSeconds"),
        ("Workload.spec.replacement", "drain", "drainSeconds"),
        ("Workload.spec.service", "port", "ports"),
        ("Workload.spec.service", "label", "labels"),
        ("Workload.spec.service.ports[]", "containerPort", "port"),
        ("Workload.spec.service.ports[]", "target", "targetPort"),
        (MACHINE, "disk", "disks"),
        (MACHINE, "boot", "bootDisk"),
        (MACHINE, "bootdisk", "bootDisk"),
        (MACHINE, "cpu", "cpus"),
        (MACHINE, "memorySize", "memory"),
        (MACHINE, "operatingSystem", "os"),
        (MACHINE, "osType", "os"),
        (MACHINE, "instanceType", "instancetype"),
        (MACHINE, "network", "networkInterface"),
        (MACHINE, "interfaces", "networkInterface"),
        (MACHINE, "cloudInitNoCloud", "cloudInit"),
        (MACHINE, "cloudinit", "cloudInit"),
        (MACHINE, "sshPublicKeys", "sshKeys"),
        (MACHINE, "drivers", "virtioDrivers"),
        (MACHINE, "readinessProbe", "readiness"),
        (MACHINE, "imagePullSecret", "guestImagePullSecret"),
        (MACHINE, "volumeClaims", "claims"),
        (MACHINE, "registry", "registries"),
        (f"{MACHINE}.firmware", "bootLoader", "bootloader"),
        (f"{MACHINE}.firmware", "secureboot", "secureBoot"),
        (f"{MACHINE}.firmware", "persistentEFI", "persistent"),
        (f"{MACHINE}.networkInterface", "mac", "macAddress"),
        (f"{MACHINE}.networkInterface", "address", "macAddress"),
        (f"{MACHINE}.claims[]", "volumeName", "volume"),
        (f"{MACHINE}.claims[]", "attachedAs", "as"),
        (f"{MACHINE}.cloudInit", "userData", "userDataSecret"),
        (f"{MACHINE}.cloudInit", "userDataSecretRef", "userDataSecret"),
        (f"{MACHINE}.cloudInit", "secretRef", "userDataSecret"),
        (f"{MACHINE}.sysprep", "secretName", "secret"),
        (f"{MACHINE}.sshKeys", "user", "users"),
        (f"{MACHINE}.readiness", "initialDelay", "initialDelaySeconds"),
        (f"{MACHINE}.readiness", "tcp", "tcpSocket"),
        (f"{MACHINE}.readiness", "http", "httpGet"),
        (f"{MACHINE}.readiness", "guestAgent", "guestAgentPing"),
        (DISK, "diskSize", "size"),
        (DISK, "storageClass", "storageClassName"),
        (DISK, "accessMode", "accessModes"),
        (DISK, "reclaimPolicy", "reclaim"),
        (DISK, "cdRom", "cdrom"),
        (DISK, "order", "bootOrder"),
        (DISK, "diskName", "name"),
        (SOURCE, "https", "http"),
        (SOURCE, "pvc", None),
        (SOURCE, "persistentVolumeClaim", "claim"),
        (SOURCE, "volumeSnapshot", "snapshot"),
        (SOURCE, "image", "imageio"),
        (SOURCE, "sourceRef", "dataSource"),
        (f"{SOURCE}.http", "checkSum", "checksum"),
        (f"{SOURCE}.http", "secret", "secretRef"),
        (f"{SOURCE}.http", "secretName", "secretRef"),
        (f"{SOURCE}.http", "configMap", "certConfigMap"),
        (f"{SOURCE}.http", "extraHeaders", "secretExtraHeaders"),
        (f"{SOURCE}.http", "sha256", None),
        (f"{SOURCE}.vddk", "initImageUrl", "initImageURL"),
        (f"{SOURCE}.vddk", "diskUuid", "uuid"),
        (f"{SOURCE}.imageio", "diskID", "diskId"),
        (f"{SOURCE}.claim", "claimName", "name"),
        ("Workload.spec", "strategy", None),
        (CONTAINER, "imag", "image"),
        (CONTAINER, "imagePullPolcy", "imagePullPolicy"),
        (CONTAINER, "comand", "command"),
        (CONTAINER, "environment", "env"),
        (CONTAINER, "mounts", "volumeMounts"),
        (CONTAINER, "cmd", "command"),
        (CONTAINER, "liveness", "livenessProbe"),
        (CONTAINER, "zzz", None),
    ],
)
def test_a_likely_mistake_leads_to_the_field(path: str, written: str, meant: str | None) -> None:
    assert suggestion(written, FIELDS[path]) == meant


@pytest.mark.slow
@pytest.mark.parametrize("path", FIELDS)
def test_another_spelling_of_a_field_leads_to_it(path: str) -> None:
    names = FIELDS[path]
    for name in names:
        snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
        for written in {snake, snake.replace("_", "-"), name.lower(), name.upper(), f"{name}s"} - {*names}:
            assert suggestion(written, names) == name, written


@pytest.mark.parametrize("written", ["", "_", "é", "名"])
def test_a_name_without_a_letter_means_nothing(written: str) -> None:
    assert suggestion(written, ["name", "image"]) is None


def test_which_comes_first_does_not_matter() -> None:
    names = FIELDS["Workload.spec.service"]
    assert suggestion("trafficPolicy", names) == suggestion("trafficPolicy", reversed(names))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("strategy", "spec.replacement.strategy"),
        ("containers", "spec.template.spec.containers"),
        ("ports", "spec.service.ports"),
        ("tempalte", "template"),
        ("name", None),
    ],
)
def test_the_name_of_a_field_below_leads_to_it(written: str, meant: str | None) -> None:
    workload = next(crd for crd in crds() if crd["spec"]["names"]["kind"] == "Workload")
    schema = workload["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    said = next(
        one.message for one in problems(schema, {written: {}}, "spec") if one.path == f"spec.{written}"
    )
    assert said.partition("did you mean ")[2] == (f"{meant}?" if meant else "")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("nam", "name"), ("evn", "env"), ("privileeged", "privileged"), ("bogus", None), ("x", None)],
)
def test_of_options_only_a_slip_is_taken_for_another(written: str, meant: str | None) -> None:
    assert misspelt(written, ["env", "gpus", "name", "privileged"]) == meant
