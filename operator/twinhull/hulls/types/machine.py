"""The hull type of a KubeVirt VirtualMachine in which a Twinhull guest runs the template's Pod."""

from __future__ import annotations

from collections.abc import Iterator

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Reason
from twinhull.api.workload import WorkloadSpec
from twinhull.api.workloadstatus import Lack, UnsupportedField
from twinhull.hulls import instance, machine, manifest, switching
from twinhull.hulls.attachments import as_in, attachments
from twinhull.hulls.ephemeral import with_claims
from twinhull.hulls.evasion import Evasion, machines
from twinhull.hulls.hull import HULL_LABEL, Hull
from twinhull.hulls.objectmeta import labels
from twinhull.hulls.parity import ChangeEffect, Fate, ParityContext, ParityRow, in_machines
from twinhull.hulls.types.base import (
    GOES_ON,
    HullSource,
    HullType,
    Needs,
    RenderInput,
    SandboxCriteria,
    SpecSection,
)
from twinhull.hulls.types.pods import pod_of
from twinhull.hulls.versions import too_old

#: The kinds that are watched only for VirtualMachines.
OF_KUBEVIRT = frozenset(
    {
        *("VirtualMachine", "VirtualMachineInstance", "LauncherPod", "KubeVirt", "Node"),
        *("VirtualMachineInstancetype", "VirtualMachineClusterInstancetype"),
        *("VirtualMachinePreference", "VirtualMachineClusterPreference"),
    }
)


class Machine(HullType):
    """A VirtualMachine with a Twinhull guest, which is a kubelet for one Pod."""

    isolation = Isolation.VIRTUAL_MACHINE
    kind = "VirtualMachine"
    title = "machine"
    spec_section = SpecSection.VIRTUAL_MACHINE
    has_guest = True
    changes = ChangeEffect.LIVE
    grows = True
    quota = frozenset(
        {
            *("pods", "count/pods", "configmaps", "count/configmaps"),
            *("count/virtualmachines.kubevirt.io", "count/virtualmachineinstances.kubevirt.io"),
        }
    )
    run_by_kubevirt = True
    woken_by = frozenset({"KubeVirt", "Node"})
    watches = OF_KUBEVIRT | {"ConfigMap"}
    refused_reason = Reason.VIRTUAL_MACHINE_REFUSED
    failed_reason = Reason.VIRTUAL_MACHINE_FAILED

    def runs(self, spec: WorkloadSpec) -> bool:
        """Unless spec.virtualMachine names a boot disk."""
        return spec.virtual_machine.boot_disk is None

    def content(self, spec: WorkloadSpec, template: Raw, *, former: bool) -> Raw:
        """The Pod, and the fields of spec.virtualMachine."""
        built = spec.virtual_machine.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if "firmware" in built:
            built["firmware"] = _as_hashed(built["firmware"])
        kept = {key: value for key, value in built.items() if value or key == "firmware"}
        return super().content(spec, template, former=former) | {"virtualMachine": built if former else kept}

    def objects(self, render_input: RenderInput) -> tuple[Raw, ...]:
        """The ConfigMap with the manifest of the Pod, and the VirtualMachine."""
        rendered = with_claims(pod_of(render_input))
        workload, built = render_input.workload, render_input.spec.virtual_machine
        settings = render_input.settings
        attached = attachments(rendered, built.registries or (), built.disk_volumes())
        if render_input.present is not None:
            attached = as_in(render_input.present, attached)
        carried = manifest.render(workload, rendered, attached, built, settings)
        return (
            carried,
            machine.render(
                workload,
                rendered,
                attached,
                built,
                settings,
                manifest=carried,
                applied=render_input.applied,
            ),
        )

    def recognizes(self, obj: Raw) -> bool:
        """A VirtualMachine whose label names its kind, or that has lost the label, unless it has its
        Workload's name: the name of this hull ends in a revision.
        """
        labelled = labels(obj).get(HULL_LABEL, self.kind) == self.kind
        return labelled and not switching.is_named_as_its_workload(obj)

    def read(self, source: HullSource) -> Hull:
        """A VirtualMachine, with its instance, launcher Pod and guest's report, as a hull."""
        return instance.read(
            source.obj,
            source.instance,
            source.template,
            source.report,
            now=source.now,
            asks_guests=source.asks_guests,
            launcher=source.launcher,
        )

    def prerequisites(self, needs: Needs) -> Iterator[Lack]:
        """KubeVirt, a node for machines, and a guest image."""
        yield from of_kubevirt(needs)
        if not (needs.spec.virtual_machine.guest_image or needs.guest_image):
            yield Lack(
                reason=Reason.GUEST_IMAGE_MISSING,
                message="no guest image is named for the machine: set spec.virtualMachine.guestImage, "
                "or the operator's --guest-image",
            )

    def isolates(self, hull: Hull, criteria: SandboxCriteria) -> bool:  # noqa: ARG002
        """Every VirtualMachine."""
        return hull.kind == self.kind

    def evasions(self, spec: WorkloadSpec) -> tuple[Evasion, ...]:
        """Annotations and labels of the template and overrides that reach the node."""
        return tuple(machines.of_machine(spec.template, spec.virtual_machine.overrides or {}))

    def evasions_of(self, hull: Hull) -> tuple[Evasion, ...]:
        """The fields of an existing machine that reach the node."""
        return machines.of_hull(hull)

    def unsupported(self, template: Raw, context: ParityContext) -> tuple[UnsupportedField, ...]:
        """The fields that neither KubeVirt nor the guest can honour."""
        return in_machines(template, context)

    def fate(self, row: ParityRow) -> str:
        """The row's Fate, and whether some values are refused."""
        partly = row.refusal and row.fate is not Fate.REFUSED
        return f"{row.fate}, or refused" if partly else row.fate

    def change_of(self, row: ParityRow) -> ChangeEffect:
        """The row's effect in machines: which changes the guest and KubeVirt can give to a
        running machine.
        """
        return row.in_machines


def _as_hashed(firmware: Raw) -> Raw:
    """Firmware in the form that revisions are computed from: BIOS was once the default, and the TPM a
    boolean.
    """
    kept = {key: value for key, value in firmware.items() if (key, value) != ("bootloader", "BIOS")}
    return kept | ({"tpm": True} if kept.get("tpm") == "Ephemeral" else {})


def of_kubevirt(needs: Needs) -> Iterator[Lack]:
    """The prerequisites of every VirtualMachine that the cluster lacks, with or without a guest."""
    capabilities = needs.capabilities
    phase = capabilities.kubevirt
    if phase is None:
        yield Lack(
            reason=Reason.KUBEVIRT_MISSING,
            message="isolation VirtualMachine needs KubeVirt, which is not installed in this cluster: "
            f"install it (kubevirt.io){GOES_ON}",
        )
    elif phase in {"", "Deploying"}:
        yield Lack(reason=Reason.KUBEVIRT_DEPLOYING, message="waiting for KubeVirt to be deployed")
    elif phase != "Deployed":
        yield Lack(
            reason=Reason.KUBEVIRT_NOT_READY, message=f"KubeVirt is {phase}: see kubectl get kubevirt -A"
        )
    elif not capabilities.machine_nodes:
        yield Lack(
            reason=Reason.NO_MACHINE_NODES,
            message="no node can run machines: KubeVirt's virt-handler labels those that can with "
            "kubevirt.io/schedulable=true (see kubectl get pods -n kubevirt)",
        )
    if too_old(capabilities.kubevirt_version, capabilities.kubernetes_version):
        yield Lack(
            reason=Reason.KUBEVIRT_TOO_OLD,
            message=f"a machine of KubeVirt {capabilities.kubevirt_version} may never become Ready on "
            f"Kubernetes {capabilities.kubernetes_version}, which refuses some checksums "
            "that KubeVirt writes into its status (kubevirt#17858): upgrade KubeVirt to 1.8.4 or later",
        )
