"""The hull type of a KubeVirt VirtualMachine that boots a disk of its own, without a Twinhull guest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from twinhull.api.base import Raw
from twinhull.api.disks import Disk
from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Reason
from twinhull.api.workload import WorkloadSpec
from twinhull.api.workloadstatus import Lack, UnsupportedField
from twinhull.hulls import diskmachine, instance, switching
from twinhull.hulls.datavolume import has_data_volume
from twinhull.hulls.evasion import Evasion, machines
from twinhull.hulls.hull import Hull
from twinhull.hulls.parity import ChangeEffect, Fate, ParityContext, ParityRow
from twinhull.hulls.types.base import (
    GOES_ON,
    HullSource,
    HullType,
    Needs,
    RenderInput,
    SandboxCriteria,
    SpecSection,
)
from twinhull.hulls.types.machine import OF_KUBEVIRT, of_kubevirt

#: The fields of spec.virtualMachine that only the machine with a guest has.
_GUEST_FIELDS = {"claims", "guestImage", "guestImagePullSecret", "registries"}
#: The fields of a disk that concern its claim only, and not the machine.
_CLAIM_FIELDS = {"size", "storageClassName", "accessModes", "volumeMode", "reclaim"}


class DiskMachine(HullType):
    """A VirtualMachine that boots a disk of its own. Its object is kept between runs, since snapshots,
    backups and the state of its firmware belong to the object.
    """

    isolation = Isolation.VIRTUAL_MACHINE
    kind = "VirtualMachine"
    title = "machine with a disk"
    spec_section = SpecSection.VIRTUAL_MACHINE
    run_by_kubevirt = True
    runs_template = False
    lasts = True
    quota = frozenset(
        {
            *("pods", "count/pods", "count/virtualmachines.kubevirt.io"),
            "count/virtualmachineinstances.kubevirt.io",
        }
    )
    woken_by = frozenset({"KubeVirt", "Node", "CDI"})
    watches = OF_KUBEVIRT | {"DataVolume", "CDI"}
    refused_reason = Reason.VIRTUAL_MACHINE_REFUSED
    failed_reason = Reason.VIRTUAL_MACHINE_FAILED

    def runs(self, spec: WorkloadSpec) -> bool:
        """If spec.virtualMachine names a boot disk."""
        return spec.virtual_machine.boot_disk is not None

    def content(self, spec: WorkloadSpec, template: Raw, *, former: bool) -> Raw:
        """The machine's fields, and the template's labels and annotations. How a disk is filled, and how
        large it is, isn't part of the content: it changes nothing of the machine.
        """
        built = spec.virtual_machine.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        kept = {key: value for key, value in built.items() if value and key not in _GUEST_FIELDS}
        kept["disks"] = [_as_in_machine(disk) for disk in spec.virtual_machine.all_disks()]
        kept.pop("bootDisk", None)
        metadata = super().content(spec, template, former=former)["metadata"]
        return {"metadata": metadata, "virtualMachine": kept}

    def objects(self, render_input: RenderInput) -> tuple[Raw, ...]:
        """The VirtualMachine. The Workload's disks are made by core/disks."""
        return (
            diskmachine.render(
                render_input.workload,
                render_input.spec,
                revision=render_input.revision,
                eviction=render_input.settings.eviction,
                video=render_input.settings.video,
                lone_claims=render_input.lone_claims,
            ),
        )

    def recognizes(self, obj: Raw) -> bool:
        """A VirtualMachine that has the name of its Workload. No other hull has that name."""
        return switching.is_named_as_its_workload(obj)

    def read(self, source: HullSource) -> Hull:
        """A VirtualMachine and its instance as a hull."""
        hull = instance.read(source.obj, source.instance, source.template, now=source.now, asks_guests=False)
        return replace(
            hull,
            revision=switching.revision_of(source.obj, source.instance),
            ready_changed_at=max(hull.ready_changed_at, switching.on_since(source.obj)),
            off=switching.is_off(source.obj, source.instance),
            leaves_at=hull.leaves_at or switching.ends_at(source.obj, source.instance),
        )

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """KubeVirt, a node for machines, and CDI while it has to fill a disk. The phases of CDI are those of
        its SDK (kubevirt.io/controller-lifecycle-operator-sdk 0.2.7, api/types.go).
        """
        yield from of_kubevirt(needs)
        if not needs.has_disk_to_fill or "CDI" in needs.capabilities.hidden:
            return
        phase = needs.capabilities.cdi
        if phase is None:
            yield Lack(
                reason=Reason.CDI_MISSING,
                message="the machine's disks are filled by CDI (Containerized Data Importer), which is not "
                "installed in this cluster, or which this operator may not use (--without-disks): install it "
                f"(github.com/kubevirt/containerized-data-importer){GOES_ON}",
            )
        elif phase in {"", "Deploying"}:
            yield Lack(reason=Reason.CDI_DEPLOYING, message="waiting for CDI to be deployed")
        elif phase == "Upgrading":
            yield Lack(reason=Reason.CDI_DEPLOYING, message="waiting for CDI to be upgraded")
        elif phase != "Deployed":
            yield Lack(reason=Reason.CDI_NOT_READY, message=f"CDI is {phase}: see kubectl get cdi")

    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:  # noqa: ARG002
        """Every VirtualMachine."""
        return hull.kind == self.kind

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:
        """Annotations and labels of the template and overrides that reach the node, and images that CDI runs
        in Pods to fill the disks.
        """
        built = spec.virtual_machine
        return (*machines.of_machine(spec.template, built.overrides or {}), *machines.of_disks(built))

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:
        """The fields of an existing machine that reach the node."""
        return machines.of_hull(hull)

    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:  # noqa: ARG002
        """None: the template doesn't run in the machine."""
        return ()

    def fate(self, row: ParityRow) -> str:  # noqa: ARG002
        """Refused: the template doesn't run in the machine. docs/parity.md has no column for it."""
        return Fate.REFUSED

    def change_of(self, row: ParityRow) -> ChangeEffect:  # noqa: ARG002
        """Replaced: the template doesn't run in the machine."""
        return ChangeEffect.REPLACED


def _as_in_machine(disk: Disk) -> Raw:
    """The fields of a disk that concern the machine."""
    known = disk.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    source = known.pop("source")
    is_part = not has_data_volume(disk)
    kept = {key: value for key, value in known.items() if key not in _CLAIM_FIELDS}
    return kept | {"name": disk.disk_name} | ({"source": source} if is_part else {})
