"""`twinhull preflight`, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TypeAlias

import pytest
import yaml
from click.testing import CliRunner, Result

from twinhull.api.base import Raw
from twinhull.cli import main
from twinhull.shell import kinds
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Refused, Unreachable
from twinhull.shell.kinds import Kind

GVISOR: Raw = {"metadata": {"name": "gvisor"}}
NODE: Raw = {"metadata": {"name": "node-0"}}
Preflight: TypeAlias = Callable[..., Result]
OURS = frozenset({kinds.WORKLOAD, kinds.ISOLATION_POLICY})


def kubevirt(version: str = "v1.9.0", phase: str = "Deployed", **spec: object) -> Raw:
    status = {"phase": phase, "observedKubeVirtVersion": version}
    return {"metadata": {"name": "kubevirt", "namespace": "kubevirt"}, "spec": spec, "status": status}


def cdi(phase: str | None = "Deployed", version: str | None = "v1.66.0") -> Raw:
    return {"metadata": {"name": "cdi"}, "status": {"phase": phase, "observedVersion": version}}


@pytest.fixture
def preflight(monkeypatch: pytest.MonkeyPatch) -> Preflight:
    """The command, on a cluster that has these objects."""

    def run(
        *args: str,
        has: dict[Kind, list[Raw]] | None = None,
        hides: Iterable[Kind] = (),
        version: str = "v1.37.2",
        serves: frozenset[Kind] = OURS,
        fails: ApiError | None = None,
    ) -> Result:
        async def server_version(_: Cluster) -> str:
            if fails:
                raise fails
            return version

        async def listed(_: Cluster, kind: Kind) -> tuple[list[Raw], str] | None:
            if kind in hides:
                raise Refused(f"{kind.plural} is forbidden")
            found = (has or {}).get(kind)
            if found is None:
                return None
            metadata = {"uid": kind.name, "resourceVersion": "1", "namespace": ""}
            return [obj | {"metadata": metadata | obj["metadata"]} for obj in found], "1"

        async def served(_: Cluster, wanted: Iterable[Kind]) -> set[Kind]:
            return set(wanted) & serves

        monkeypatch.setattr(Cluster, "version", server_version)
        monkeypatch.setattr(Cluster, "list", listed)
        monkeypatch.setattr(Cluster, "served", served)
        return CliRunner().invoke(main, ["preflight", *args])

    return run


CHECK_CDI = "CDI (disks of machines)"
ALL = {
    kinds.CDI: [cdi()],
    kinds.RUNTIME_CLASS: [GVISOR],
    kinds.NODE: [NODE],
    kinds.KUBEVIRT: [
        kubevirt(
            configuration={"developerConfiguration": {"featureGates": ["EnableVirtioFsStorageVolumes"]}},
            workloadUpdateStrategy={"workloadUpdateMethods": ["LiveMigrate"]},
        )
    ],
}
NOTHING: dict[Kind, list[Raw]] = {kinds.RUNTIME_CLASS: [], kinds.NODE: []}


def test_a_cluster_that_has_everything(preflight: Preflight) -> None:
    result = preflight(
        *(f"--isolation={name}" for name in ("Container", "Sandbox", "VirtualMachine")), has=ALL
    )
    assert result.exit_code == 0
    table = [[cell for cell in line.split("   ") if cell] for line in result.stdout.splitlines()]
    assert [[cell.strip() for cell in line] for line in table] == [
        ["CHECK", "FOUND", "STATE", "WHAT TO DO"],
        ["Kubernetes", "v1.37.2", "ok", "-"],
        ["Twinhull's kinds", "twinhull.dev/v1alpha1 is served", "ok", "-"],
        ["RuntimeClasses", "gvisor", "ok", "-"],
        ["KubeVirt", "v1.9.0 Deployed", "ok", "-"],
        ["KubeVirt for this Kubernetes", "v1.9.0 on v1.37.2", "ok", "-"],
        ["Gate EnableVirtioFsStorageVolumes", "on", "ok", "-"],
        ["Panic devices", "for all machines", "ok", "-"],
        ["Live updates", "on", "ok", "-"],
        ["Nodes for machines", "1", "ok", "-"],
        [CHECK_CDI, "v1.66.0 Deployed", "ok", "-"],
        ["Isolation Container", "possible", "ok", "-"],
        ["Isolation Sandbox", "possible with gvisor", "ok", "-"],
        ["Isolation VirtualMachine", "possible", "ok", "-"],
    ]


def rows(result: Result) -> dict[str, Raw]:
    return {row["check"]: row for row in json.loads(result.stdout)}


def test_a_cluster_that_has_nothing(preflight: Preflight) -> None:
    result = preflight("-o", "json", has=NOTHING, serves=frozenset())
    assert result.exit_code == 0, "nothing was asked for"
    checks = rows(result)
    assert {check: row["state"] for check, row in checks.items()} == {
        "Kubernetes": "ok",
        "Twinhull's kinds": "missing",
        "RuntimeClasses": "missing",
        "KubeVirt": "missing",
        CHECK_CDI: "missing",
        "Isolation Container": "ok",
        "Isolation Sandbox": "missing",
        "Isolation VirtualMachine": "missing",
    }
    assert checks["Twinhull's kinds"]["found"] == "Workload and IsolationPolicy are not served"
    assert checks["Isolation VirtualMachine"]["remedy"] == (
        "isolation VirtualMachine needs KubeVirt, which is not installed in this cluster: "
        "install it (kubevirt.io)"
    )
    assert all(row["remedy"] for row in checks.values() if row["state"] == "missing")


@pytest.mark.parametrize(
    ("has", "version", "isolation", "possible"),
    [
        (ALL, "v1.37.2", "VirtualMachine", True),
        (NOTHING, "v1.37.2", "Container", True),
        (NOTHING, "v1.37.2", "VirtualMachine", False),
        (NOTHING, "v1.37.2", "Sandbox", False),
        (ALL | {kinds.NODE: []}, "v1.37.2", "VirtualMachine", False),
        (ALL | {kinds.KUBEVIRT: [kubevirt("v1.8.3")]}, "v1.37.2", "VirtualMachine", False),
        (ALL | {kinds.KUBEVIRT: [kubevirt("v1.8.3")]}, "v1.35.0", "VirtualMachine", True),
        (ALL | {kinds.KUBEVIRT: [kubevirt(phase="Deploying")]}, "v1.37.2", "VirtualMachine", False),
    ],
)
def test_an_isolation_that_is_asked_for_and_not_possible_is_a_failure(
    preflight: Preflight,
    has: dict[Kind, list[Raw]],
    version: str,
    isolation: str,
    possible: bool,  # noqa: FBT001
) -> None:
    result = preflight("--isolation", isolation, "-o", "json", has=has, version=version)
    found = rows(result)[f"Isolation {isolation}"]["found"]
    assert (result.exit_code, found) == ((0, "possible") if possible else (1, "not possible"))


def test_no_isolation_is_possible_without_twinhulls_kinds(preflight: Preflight) -> None:
    assert preflight("--isolation", "Container", has=ALL, serves=frozenset()).exit_code == 1


def test_what_is_missing_counts_for_more_than_what_may_not_be_seen(preflight: Preflight) -> None:
    options = ("--isolation=Sandbox", "--isolation=VirtualMachine")
    hides = [kinds.KUBEVIRT, kinds.NODE]
    assert preflight(*options, has={kinds.RUNTIME_CLASS: []}, hides=hides).exit_code == 1


def test_what_may_not_be_seen_matters_to_no_other_isolation(preflight: Preflight) -> None:
    assert preflight("--isolation=Container", hides=kinds.CAPABLE).exit_code == 0


def test_a_pair_that_does_not_work_is_a_line_of_its_own(preflight: Preflight) -> None:
    checks = rows(preflight("-o", "json", has=ALL | {kinds.KUBEVIRT: [kubevirt("v1.8.0")]}))
    assert checks["KubeVirt for this Kubernetes"] == {
        "check": "KubeVirt for this Kubernetes",
        "found": "v1.8.0 on v1.37.2",
        "state": "missing",
        "remedy": "upgrade KubeVirt to 1.8.4 or later (kubevirt#17858)",
    }
    assert checks["Panic devices"]["state"] == "missing"


@pytest.mark.parametrize(
    ("objects", "version", "remedy"),
    [
        (None, "not installed", "install CDI (github.com/kubevirt/containerized-data-importer)"),
        ([], "not installed", "install CDI (github.com/kubevirt/containerized-data-importer)"),
        ([cdi("Deploying")], "v1.66.0 Deploying", "wait for it, or see kubectl get cdi"),
        ([cdi("Error")], "v1.66.0 Error", "wait for it, or see kubectl get cdi"),
        ([cdi(None, None)], "without a phase", "wait for it, or see kubectl get cdi"),
    ],
)
def test_machines_are_possible_without_cdi_and_those_with_a_boot_disk_are_told(
    preflight: Preflight, objects: list[Raw] | None, version: str, remedy: str
) -> None:
    has = {kind: listed for kind, listed in ALL.items() if kind is not kinds.CDI}
    if objects is not None:
        has[kinds.CDI] = objects
    result = preflight("--isolation=VirtualMachine", "-o", "json", has=has)
    assert result.exit_code == 0
    assert rows(result)[CHECK_CDI] == {
        "check": CHECK_CDI,
        "found": version,
        "state": "missing",
        "remedy": f"needed only for machines with a bootDisk: {remedy}",
    }


def test_whether_cdi_is_there_may_be_hidden(preflight: Preflight) -> None:
    result = preflight("--isolation=VirtualMachine", "-o", "json", has=ALL, hides=[kinds.CDI])
    assert result.exit_code == 0
    assert rows(result)[CHECK_CDI] == {
        "check": CHECK_CDI,
        "found": "-",
        "state": "can't be seen",
        "remedy": "needed only for machines with a bootDisk: ask somebody who may list cdis",
    }


def test_what_may_not_be_seen_is_said_and_no_proof_that_it_is_possible(preflight: Preflight) -> None:
    isolations = ("--isolation=Sandbox", "--isolation=VirtualMachine")
    hidden = preflight(*isolations, "--sandbox-runtime-class=kata", "-o", "yaml", hides=kinds.CAPABLE, has={})
    assert hidden.exit_code == 2
    found = {row["check"]: row for row in yaml.safe_load(hidden.stdout)}
    assert {check for check, row in found.items() if row["state"] == "can't be seen"} == {
        *("RuntimeClasses", "KubeVirt", "Nodes for machines", CHECK_CDI),
        *("Isolation Sandbox", "Isolation VirtualMachine"),
    }
    assert found["KubeVirt"]["remedy"] == "ask somebody who may list kubevirts"


def test_nobody_knows_of_a_runtime_class_that_is_neither_named_nor_seen(preflight: Preflight) -> None:
    result = preflight("--isolation=Sandbox", "-o", "json", hides=kinds.CAPABLE)
    assert result.exit_code == 2
    row = rows(result)["Isolation Sandbox"]
    assert (row["state"], row["found"]) == ("can't be seen", "no RuntimeClass was named")


def test_the_runtime_class_that_is_named_has_to_be_there(preflight: Preflight) -> None:
    result = preflight("--isolation=Sandbox", "--sandbox-runtime-class=kata", "-o", "json", has=ALL)
    assert result.exit_code == 1
    assert "RuntimeClass kata does not exist" in rows(result)["Isolation Sandbox"]["remedy"]


def test_a_cluster_that_can_not_be_asked_is_a_failure(preflight: Preflight) -> None:
    result = preflight(fails=Unreachable("GET /version: no route to host"))
    assert result.exit_code == 1
    assert "doesn't answer: GET /version: no route to host. See whether it runs" in result.stderr
