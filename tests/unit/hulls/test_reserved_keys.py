"""The operator's own labels and annotations: no template gives them to a hull, of whatever type."""

from __future__ import annotations

import pytest

from tests.unit.core.objects import KUBEVIRT, case, workload
from twinhull.api.base import Raw
from twinhull.hulls.hull import HULL_LABEL
from twinhull.hulls.manifest import AUTHORITY_ANNOTATION, noted

DISK = {"bootDisk": {"source": {"containerDisk": {"image": "debian"}}}, "memory": "1Gi"}
TYPES: dict[str, Raw] = {
    "container": {"isolationPolicy": "Container"},
    "sandbox": {"isolationPolicy": "Sandbox", "sandbox": {"runtimeClassName": "gvisor"}},
    "machine": {"isolationPolicy": "VirtualMachine"},
    "machine with a disk": {"isolationPolicy": "VirtualMachine", "virtualMachine": DISK},
}
FORGED = "forged"
KEYS = (
    *("workload", "hull", "revision", "hull-name", "disk-of", "applied", "manifest", "guest-authority"),
    *("switched-off", "claims", "ending", "start", "anything"),
)


def objects(of: str, keys: Raw) -> tuple[Raw, ...]:
    """The objects of a hull whose template has these labels and annotations."""
    raw = workload(TYPES[of])
    raw["spec"]["template"]["metadata"] = {"labels": dict(keys), "annotations": dict(keys)}
    return case(raw, KUBEVIRT).desired.hull_objects


@pytest.mark.parametrize("of", TYPES)
def test_no_template_gives_a_key_of_the_operators(of: str) -> None:
    made = objects(of, {f"twinhull.dev/{key}": FORGED for key in KEYS})
    assert FORGED not in str(made)


@pytest.mark.parametrize("of", TYPES)
def test_the_annotation_for_people_and_other_domains_are_given(of: str) -> None:
    given = {"twinhull.dev/restart": "now", "simulate.twinhull.dev/x": "y", "twinhull.devs/x": "z"}
    vm_or_pod = objects(of, given)[-1]
    metadata = (vm_or_pod["spec"].get("template") or vm_or_pod)["metadata"]
    assert metadata["annotations"].items() >= given.items()


def test_a_launcher_pod_is_taken_for_no_hull_and_a_disk_for_no_guest() -> None:
    forged = {HULL_LABEL: "Pod", "twinhull.dev/manifest": FORGED, AUTHORITY_ANNOTATION: FORGED}
    (vm,) = objects("machine with a disk", forged)
    assert HULL_LABEL not in vm["spec"]["template"]["metadata"]["labels"]
    assert noted(vm) == ""
