"""The objects that are to be there for a Workload: its hull, what the hull is made with, and its Service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from twinhull.api.base import Raw
from twinhull.core.blueprint import Blueprint
from twinhull.hulls import machine, manifest, pod, service
from twinhull.hulls.attachments import as_in, attachments
from twinhull.hulls.ephemeral import with_claims
from twinhull.hulls.guest import MIGRATES_IF_POSSIBLE, Guest
from twinhull.hulls.hull import Hull


@dataclass(frozen=True)
class Desired:
    """Every object as it is to be, rendered when it is first asked for.

    `blueprint` is what they are made from.
    `revision` is what the present revision is called.
    `hull_name` is the name of the hull that is to be, or that is.
    `own` are the hulls that are there: a machine's disks stay in their order.
    `pinned` is the one hull that the Service is to reach, None if any that is ready will do.
    """

    blueprint: Blueprint
    revision: str
    hull_name: str
    own: tuple[Hull, ...] = ()
    pinned: Hull | None = None

    @cached_property
    def service(self) -> Raw | None:
        """The Service that is to be, None if there is to be none."""
        workload = self.blueprint.workload
        declared = service.declared(workload.spec.template["spec"])
        pinned = self.pinned.name if self.pinned else None
        return service.render(workload.metadata, workload.spec.service, declared, pinned)

    @cached_property
    def hull_objects(self) -> tuple[Raw, ...]:
        """The objects that make the hull, in the order of their creation: the hull itself is the last."""
        return self._hull_objects(self.hull_name)

    def manifest_notes(self, machine_name: str) -> Raw:
        """The annotations by which a machine of that name says which manifest it runs by: the present one."""
        carried = self._hull_objects(machine_name)[0]
        return manifest.notes(self.blueprint.workload.metadata, carried, self._guest)

    @cached_property
    def guests_pod(self) -> Raw:
        """The Pod that is to run in the machine."""
        return self._pod(self.hull_name)

    def _pod(self, name: str) -> Raw:
        return pod.render(
            self.blueprint.workload.metadata,
            self.blueprint.spec.template,
            self.revision,
            self.blueprint.resolution.runtime_class,
            name=name,
            applied=self.blueprint.applied_to_pod,
        )

    def _hull_objects(self, name: str) -> tuple[Raw, ...]:
        rendered = self._pod(name)
        if not self.blueprint.is_machine:
            return (rendered,)
        rendered = with_claims(rendered)
        workload, built, guest = (
            self.blueprint.workload.metadata,
            self.blueprint.spec.virtual_machine,
            self._guest,
        )
        attached = attachments(rendered, built.registries or ())
        present = next(
            (hull for hull in self.own if (hull.kind, hull.name) == ("VirtualMachine", name)), None
        )
        if present is not None:
            attached = as_in(present.obj, attached)
        carried = manifest.render(workload, rendered, attached, built, guest)
        applied = self.blueprint.applied_to_machine
        return (
            carried,
            machine.render(workload, rendered, attached, built, guest, manifest=carried, applied=applied),
        )

    @cached_property
    def _guest(self) -> Guest:
        """What is added to a machine beside what the Workload says."""
        built, defaults = self.blueprint.spec.virtual_machine, self.blueprint.defaults
        capabilities = self.blueprint.observed.capabilities
        return Guest(
            built.guest_image or defaults.guest_image or "",
            pull_secret=self._guest_image_pull_secret,
            panics=capabilities.panic_devices,
            registries=defaults.registries,
            secret=defaults.guest_secret,
            # Whoever runs KubeVirt may have decided for all machines.
            eviction="" if capabilities.eviction_strategy else MIGRATES_IF_POSSIBLE,
        )

    @property
    def _guest_image_pull_secret(self) -> str | None:
        """The Secret that nodes pull the guest image with. The operator's is for its own image only."""
        built = self.blueprint.spec.virtual_machine
        if built.guest_image_pull_secret or built.guest_image:
            return built.guest_image_pull_secret
        return self.blueprint.defaults.guest_image_pull_secret
