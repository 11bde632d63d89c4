"""The examples are what a real API server takes, and show what they say they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.conftest import install_crds

if TYPE_CHECKING:
    from tests.controlplane import Cluster, Kubectl

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted([*(ROOT / "examples").glob("*.yaml"), *(ROOT / "examples/disks").glob("*.yaml")])


@pytest.fixture(scope="module")
def crds(control_plane: Cluster) -> None:
    """The CustomResourceDefinitions as users install them."""
    install_crds(control_plane)


@pytest.mark.usefixtures("crds")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_applied_without_an_error_or_a_warning(
    example: Path, kubectl: Kubectl, namespace: str
) -> None:
    arguments = ("--validate=strict", "--warnings-as-errors", "--namespace", namespace)
    kubectl("apply", "--server-side", "--dry-run=server", "--filename", str(example), *arguments)
    kubectl("apply", "--dry-run=server", "--filename", str(example), *arguments)


def test_the_three_workloads_have_the_same_template_and_differ_in_isolation() -> None:
    loaded = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in EXAMPLES]
    workloads = [manifest["spec"] for manifest in loaded if manifest["kind"] == "Workload"]
    specs = [spec for spec in workloads if "bootDisk" not in spec.get("virtualMachine", {})]
    assert {spec["isolationPolicy"] for spec in specs} == {"Container", "Sandbox", "VirtualMachine"}
    assert all(spec["template"] == specs[0]["template"] for spec in specs)
