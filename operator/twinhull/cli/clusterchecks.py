"""The checks of `twinhull preflight`: they read a cluster, and give a line of the table each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import click
import yaml

from twinhull.api.isolation import Isolation
from twinhull.api.workload import Workload
from twinhull.cli import ending
from twinhull.cli.columns import columns
from twinhull.cli.session import explained
from twinhull.cli.targets import Target
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Observed
from twinhull.core.prerequisites import missing_prerequisites
from twinhull.hulls.capabilities import Capabilities
from twinhull.hulls.parity import VIRTIOFS_STORAGE
from twinhull.hulls.types import GOES_ON, SpecSection, type_giving
from twinhull.hulls.versions import panic_devices_for_all, too_old
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import PATIENT_TIMEOUT, Connection
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import CAPABLE, CDI, ISOLATION_POLICY, KUBEVIRT, NODE, RUNTIME_CLASS, WORKLOAD
from twinhull.shell.kopf_process.credentials import login_of_person
from twinhull.shell.observe import capabilities
from twinhull.shell.store import Store

State = Literal["ok", "missing", "can't be seen"]

#: Which image machines boot is the operator's business, not the cluster's.
_ANY_IMAGE = "guest"


#: The line about the CRDs, without which there is no isolation at all.
_KINDS = "Twinhull's kinds"


class CheckResult(NamedTuple):
    """The result of one check: a line of the table."""

    #: The thing that was checked, such as KubeVirt.
    check: str
    #: Its version, phase, number or names as the cluster has them.
    found: str
    state: State
    #: What to do, empty if nothing.
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class SeenCluster:
    """The objects of a cluster that the checks look at, as far as the user may list them."""

    store: Store
    #: The kinds that the user may not list.
    hidden: frozenset[str]
    #: Those of Twinhull's own kinds that the API server serves.
    kinds: frozenset[str]

    @property
    def able(self) -> Capabilities:
        """The capabilities that the operator would find. It assumes that hidden kinds exist."""
        return capabilities(self.store, self.hidden)


def show(isolations: tuple[str, ...], sandbox_runtime_class: str | None, output: str, target: Target) -> int:
    """Print the checks. Returns the exit code: 1 if one of the `isolations` is missing, 2 if one can't be
    seen, else 0.
    """
    rows = list(checks(ending.run(_look(target)), sandbox_runtime_class))
    if output == "table":
        shown = [("CHECK", "FOUND", "STATE", "WHAT TO DO"), *((*row[:3], row.remedy or "-") for row in rows)]
        click.echo("\n".join(columns(shown)))
    else:
        listed = [{key: value for key, value in row._asdict().items() if value} for row in rows]
        as_yaml = yaml.safe_dump(listed, sort_keys=False, allow_unicode=True, width=110)
        click.echo(
            as_yaml if output == "yaml" else json.dumps(listed, indent=2, ensure_ascii=False) + "\n", nl=False
        )
    needed = {_KINDS, *(_title(Isolation(isolation)) for isolation in isolations)} if isolations else set()
    states = {row.state for row in rows if row.check in needed}
    if "missing" in states:
        return 1
    return 2 if "can't be seen" in states else 0


def checks(seen: SeenCluster, runtime_class: str | None = None) -> Iterator[CheckResult]:
    """All lines, the isolations last."""
    able = seen.able
    yield CheckResult("Kubernetes", able.kubernetes_version or "of an unknown version", "ok")
    yield _kinds(seen)
    yield _runtime_classes(able)
    yield from _kubevirt(seen, able)
    yield _cdi(seen, able)
    for isolation in Isolation:
        yield _isolation(seen, able, isolation, runtime_class)


def _kinds(seen: SeenCluster) -> CheckResult:
    missing = [kind.name for kind in (WORKLOAD, ISOLATION_POLICY) if kind.name not in seen.kinds]
    if missing:
        remedy = "install the chart, or the kinds alone: kubectl apply -k deploy/crds"
        verb = "is" if len(missing) == 1 else "are"
        return CheckResult(_KINDS, f"{' and '.join(missing)} {verb} not served", "missing", remedy)
    return CheckResult(_KINDS, f"{WORKLOAD.api_version} is served", "ok")


def _runtime_classes(able: Capabilities) -> CheckResult:
    if RUNTIME_CLASS.name in able.hidden:
        return _unseen("RuntimeClasses", "runtimeclasses")
    if not able.runtime_classes:
        remedy = "for sandboxes: install a runtime such as gVisor or Kata Containers, and its RuntimeClass"
        return CheckResult("RuntimeClasses", "none", "missing", remedy)
    return CheckResult("RuntimeClasses", ", ".join(sorted(able.runtime_classes)), "ok")


def _kubevirt(seen: SeenCluster, able: Capabilities) -> Iterator[CheckResult]:
    if KUBEVIRT.name in able.hidden:
        yield _unseen("KubeVirt", "kubevirts")
    elif able.kubevirt is None:
        remedy = "for machines: install KubeVirt 1.8.4 or later (kubevirt.io)"
        yield CheckResult("KubeVirt", "not installed", "missing", remedy)
    else:
        yield from _installed(able)
    if NODE.name in able.hidden:
        yield _unseen("Nodes for machines", "nodes")
    elif able.kubevirt is not None:
        nodes = sum(1 for _ in seen.store.all(NODE))
        remedy = "kubectl get pods -n kubevirt: virt-handler labels nodes with kubevirt.io/schedulable=true"
        yield (
            CheckResult("Nodes for machines", str(nodes), "ok", "")
            if nodes
            else CheckResult("Nodes for machines", "none", "missing", remedy)
        )


def _installed(able: Capabilities) -> Iterator[CheckResult]:
    """The checks of a KubeVirt that is installed: its version, and the features that machines may need."""
    version, phase = able.kubevirt_version, able.kubevirt or "without a phase"
    ready = phase == "Deployed"
    remedy = "" if ready else "wait for it, or see kubectl get kubevirt -A"
    yield CheckResult("KubeVirt", f"{version} {phase}".strip(), "ok" if ready else "missing", remedy)
    old = too_old(version, able.kubernetes_version)
    versions = f"{version or 'unknown'} on {able.kubernetes_version or 'unknown'}"
    remedy = "upgrade KubeVirt to 1.8.4 or later (kubevirt#17858)" if old else ""
    yield CheckResult("KubeVirt for this Kubernetes", versions, "missing" if old else "ok", remedy)
    yield _optional(
        f"Gate {VIRTIOFS_STORAGE}",
        able.virtiofs_storage,
        "needed only for filesystem claims in machines: enable it in the KubeVirt object",
    )
    yield _optional(
        "Panic devices",
        able.panic_devices,
        "needed only to show failed runs as failed VirtualMachineInstances: enable KubeVirt's feature gate "
        "PanicDevices",
        "for all machines" if panic_devices_for_all(version) else "feature gate PanicDevices is enabled",
    )
    yield _optional(
        "Live updates",
        able.live_updates,
        "needed only to resize running machines: add LiveMigrate to the KubeVirt object's "
        "spec.workloadUpdateStrategy.workloadUpdateMethods",
    )


def _cdi(seen: SeenCluster, able: Capabilities) -> CheckResult:
    """The check of CDI, which fills the disks of machines with a bootDisk. Machines with Twinhull's guest
    don't need it.
    """
    check, needed = "CDI (disks of machines)", "needed only for machines with a bootDisk"
    if CDI.name in able.hidden:
        return _unseen(check, "cdis")._replace(remedy=f"{needed}: ask somebody who may list cdis")
    installed = next(iter(seen.store.all(CDI)), None)
    if installed is None:
        remedy = f"{needed}: install CDI (github.com/kubevirt/containerized-data-importer)"
        return CheckResult(check, "not installed", "missing", remedy)
    version = (installed.get("status") or {}).get("observedVersion") or ""
    version_and_phase = f"{version} {able.cdi or 'without a phase'}".strip()
    if able.cdi == "Deployed":
        return CheckResult(check, version_and_phase, "ok")
    return CheckResult(check, version_and_phase, "missing", f"{needed}: wait for it, or see kubectl get cdi")


def _optional(check: str, is_on: bool, remedy: str, shown: str = "on") -> CheckResult:  # noqa: FBT001
    return CheckResult(check, shown, "ok") if is_on else CheckResult(check, "off", "missing", remedy)


def _unseen(check: str, plural: str) -> CheckResult:
    return CheckResult(check, "-", "can't be seen", f"ask somebody who may list {plural}")


def _isolation(
    seen: SeenCluster, able: Capabilities, isolation: Isolation, runtime_class: str | None
) -> CheckResult:
    """Whether the operator could make a hull of that isolation, by the operator's own rules."""
    hull_type = type_giving(isolation)
    has_class = hull_type.spec_section is SpecSection.SANDBOX
    if has_class:
        runtime_class = runtime_class or next(iter(sorted(able.runtime_classes)), None)
        if runtime_class is None and RUNTIME_CLASS.name in seen.hidden:
            remedy = "name the RuntimeClass that sandboxes need: --sandbox-runtime-class"
            return CheckResult(_title(isolation), "no RuntimeClass was named", "can't be seen", remedy)
    lacks = missing_prerequisites(_case(able, isolation, runtime_class))
    if lacks:
        remedy = "; ".join(lack.message.removesuffix(GOES_ON) for lack in lacks)
        return CheckResult(_title(isolation), "not possible", "missing", remedy)
    unseen = sorted(hull_type.woken_by & seen.hidden)
    if unseen:
        dependence = f"depends on {' and '.join(unseen)}"
        return CheckResult(_title(isolation), dependence, "can't be seen", "see the lines above")
    with_class = f"possible with {runtime_class}" if has_class else "possible"
    return CheckResult(_title(isolation), with_class, "ok")


def _title(isolation: Isolation) -> str:
    return f"Isolation {isolation}"


def _case(able: Capabilities, isolation: Isolation, runtime_class: str | None) -> Case:
    """The case of a Workload that asks for nothing but an isolation."""
    now = datetime.now(UTC)
    metadata = {"name": "preflight", "namespace": "default", "uid": "preflight", "generation": 1}
    workload = Workload.model_validate(
        {
            "metadata": {**metadata, "creationTimestamp": now},
            "spec": {
                "isolationPolicy": isolation,
                "template": {"spec": {"containers": [{"name": "preflight", "image": "preflight"}]}},
            },
        }
    )
    defaults = OperatorDefaults(isolation, runtime_class, _ANY_IMAGE)
    return Case(workload, Observed(capabilities=able), defaults, now)


async def _look(target: Target) -> SeenCluster:
    """Read the objects that the checks look at. Raises ClickException if the cluster can't be asked."""
    connection = Connection(
        lambda: login_of_person(target.kubeconfig, target.context), timeout=PATIENT_TIMEOUT
    )
    cluster, store, hidden = Cluster(connection), Store(), set()
    try:
        with explained(target):
            store.kubernetes_version = await cluster.version()
            for kind in CAPABLE:
                try:
                    listed = await cluster.list(kind)
                except Refused:
                    hidden.add(kind.name)
                    continue
                if listed is not None:
                    store.replace(kind, *listed)
            served = await cluster.served((WORKLOAD, ISOLATION_POLICY))
    finally:
        await connection.close()
    return SeenCluster(store, frozenset(hidden), frozenset(kind.name for kind in served))
