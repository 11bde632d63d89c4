"""The objects that are to be there for a Workload: its hull, what the hull is made with, and its Service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from twinhull.api.base import Raw
from twinhull.core.blueprint import Blueprint
from twinhull.hulls import manifest, service
from twinhull.hulls.hull import Hull
from twinhull.hulls.machine_settings import MIGRATES_IF_POSSIBLE, MachineSettings
from twinhull.hulls.types import RenderInput, pod_of


@dataclass(frozen=True)
class Desired:
    """Every object as it is to be, rendered when it is first asked for."""

    #: What they are made from.
    blueprint: Blueprint
    #: What the present revision is called.
    revision: str
    #: The name of the hull that is to be, or that is.
    hull_name: str
    #: The hulls that are there: a machine's disks stay in their order.
    own: tuple[Hull, ...] = ()
    #: The one hull that the Service is to reach, None if any that is ready will do.
    pinned: Hull | None = None
    #: The names of the disks whose claim is there without a DataVolume.
    lone_claims: frozenset[str] = frozenset()

    @cached_property
    def service(self) -> Raw | None:
        """The Service that is to be, None if there is to be none."""
        workload = self.blueprint.workload
        policy, template = workload.spec.service, workload.spec.template
        declared = service.ports_of_policy(policy) or service.declared(template["spec"])
        pinned = self.pinned.name if self.pinned else None
        return service.render(workload.metadata, policy, declared, pinned)

    @cached_property
    def hull_objects(self) -> tuple[Raw, ...]:
        """The objects that make the hull, in the order of their creation: the hull itself is the last."""
        return self._hull_objects(self.hull_name)

    def manifest_notes(self, machine_name: str) -> Raw:
        """The annotations by which a machine of that name says which manifest it runs by: the present one."""
        carried = self._hull_objects(machine_name)[0]
        return manifest.notes(self.blueprint.workload.metadata, carried, self._machine_settings)

    @cached_property
    def guests_pod(self) -> Raw:
        """The Pod that is to run in the machine."""
        return pod_of(self._render_input(self.hull_name))

    def _hull_objects(self, name: str) -> tuple[Raw, ...]:
        return self.blueprint.hull_type.objects(self._render_input(name))

    def _render_input(self, name: str) -> RenderInput:
        """What a hull of that name is rendered from."""
        kind = self.blueprint.hull_type.kind
        present = (hull.obj for hull in self.own if (hull.kind, hull.name) == (kind, name))
        return RenderInput(
            workload=self.blueprint.workload.metadata,
            spec=self.blueprint.spec,
            name=name,
            revision=self.revision,
            runtime_class=self.blueprint.resolution.runtime_class,
            applied_to_pod=self.blueprint.applied_to_pod,
            applied=self.blueprint.applied,
            settings=self._machine_settings,
            lone_claims=self.lone_claims,
            present=next(present, None),
        )

    @cached_property
    def _machine_settings(self) -> MachineSettings:
        """What is added to a machine beside what the Workload says."""
        built, defaults = self.blueprint.spec.virtual_machine, self.blueprint.defaults
        capabilities = self.blueprint.observed.capabilities
        return MachineSettings(
            built.guest_image or defaults.guest_image or "",
            pull_secret=self._guest_image_pull_secret,
            panics=capabilities.panic_devices,
            video=capabilities.video_devices,
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
