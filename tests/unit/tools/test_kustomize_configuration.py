"""deploy/kustomize/configuration.yaml: in which fields kustomize changes the names of other objects.

That it does change them is tested by kustomize itself (tests/e2e/test_kustomize.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
import yaml

from tools.kustomize_configuration import configuration, texts
from twinhull.api.base import Raw
from twinhull.api.crd import crds
from twinhull.api.objectnames import LONGEST_SUBDOMAIN, SUBDOMAIN

#: Fields that look like references, by their paths' ends, and name no object that a kustomization may have.
_OTHERS = (
    # Of machines, Services and policies. A policy's accounts are those of all namespaces.
    r"virtualMachine/(bootDisk|disks)/name|source/dataSource/namespace|registries/(host|ca/key)",
    r"service/(ports/(name|appProtocol)|loadBalancerClass)|match/serviceAccounts",
    # Of the Pod, and of what is in it.
    r"template/metadata/(name|namespace|generateName)|hostnames?|hostnameOverride|nodeName|schedulerName|os/name",
    r"(containers|initContainers|env|ports|volumes|volumeMounts|volumeDevices|resourceClaims)/name",
    r"httpHeaders/name|containerName|fileKeyRef/volumeName|resourceName|resources/claims/name|nameservers",
    r"(evictionResponders|schedulingGates|sysctls|dnsConfig/options)/name|windowsOptions/\w+|namespaces",
    # Of other systems, and of volumes that are there already.
    r"(disk|share|dataset|pd|initiator|signer|storagePolicy)Name|(scaleIO|storageos)/\w+|dataSourceRef/namespace",
    r"volumeClaimTemplate/spec/volumeName|secretFile",
    # Of a kind that stands beside the name, and that kustomize doesn't look at.
    r"volumeClaimTemplate/spec/(dataSource|dataSourceRef)/name",
)
_NO_REFERENCE = re.compile(f"/({'|'.join(_OTHERS)})$")
_LOOKS_LIKE_ONE = re.compile(
    r"(name|namespace)s?$|secret|configmap|claim\w*$|account|class|ref$", re.IGNORECASE
)
CRDS = crds()


@cache
def listed(kind: str) -> set[str]:
    """The paths of a kind's references that are in the configuration."""
    kinds = yaml.safe_load(configuration())["nameReference"]
    return {spec["path"] for one in kinds for spec in one["fieldSpecs"] if spec["kind"] == kind}


def in_effect(kind: str) -> set[str]:
    """The fields whose names are changed. Of a map, that is its `name`."""
    names = {path for of, path in texts() if of == kind}
    return {path if path in names else f"{path}/name" for path in listed(kind)}


def fields(schema: Raw, path: str) -> Iterator[tuple[str, Raw]]:
    """Every field below a schema that holds any text, or a list of such, by its path."""
    element = schema.get("items", schema)
    if element.get("type") == "string" and not element.keys() & {"enum", "allOf"}:
        yield path, element
    for name, below in element.get("properties", {}).items():
        yield from fields(below, f"{path}/{name}")


def looks_like_a_reference(path: str, field: Raw) -> bool:
    """Whether a field has the pattern or the length of an object's name, or is called as if it had one."""
    of_template = path.startswith("spec/template/")
    is_name = field.get("pattern") == f"^{SUBDOMAIN}$" or field.get("maxLength") == LONGEST_SUBDOMAIN
    return (is_name and not of_template) or bool(_LOOKS_LIKE_ONE.search(path.rpartition("/")[2]))


@pytest.mark.parametrize("crd", CRDS, ids=lambda crd: str(crd["spec"]["names"]["kind"]))
def test_no_field_that_names_an_object_is_left_out(crd: Raw) -> None:
    (version,), kind = crd["spec"]["versions"], crd["spec"]["names"]["kind"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    alike = {path for path, field in fields(spec, "spec") if looks_like_a_reference(path, field)}
    assert len(alike) > 0
    assert {path for path in alike if not _NO_REFERENCE.search(path)} - in_effect(kind) == set()


def test_nothing_else_is_listed() -> None:
    kinds = {kind for kind, _ in texts()}
    assert kinds == {"Workload", "IsolationPolicy", "AccessRequest"}
    paths = {path for kind in kinds for path in in_effect(kind)}
    assert {path for path in paths if _NO_REFERENCE.search(path)} == set()


def test_no_field_is_listed_for_two_kinds() -> None:
    """Of which kind its object is, kustomize couldn't tell."""
    kinds = yaml.safe_load(configuration())["nameReference"]
    places = Counter((spec["kind"], spec["path"]) for one in kinds for spec in one["fieldSpecs"])
    assert [place for place, count in places.items() if count > 1] == []


@pytest.mark.parametrize(
    "path",
    [
        "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
        "spec/virtualMachine/bootDisk/source/vddk/extraArgs",
        "spec/virtualMachine/disks/source/http/secretExtraHeaders",
        "spec/virtualMachine/registries/ca/configMap",
        "spec/virtualMachine/sshKeys/secret",
    ],
)
def test_a_reference_is_found_by_what_it_is_called(path: str) -> None:
    assert path in listed("Workload")
