"""The objects that are to exist for a Workload: its hull, what the hull needs, and its Service."""

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
    """The objects that are to exist, each rendered when it is first used."""

    #: The blueprint from which they are rendered.
    blueprint: Blueprint
    #: The present revision.
    revision: str
    #: The name of the hull: of the current one, or of the one to be created.
    hull_name: str
    #: The hulls that exist. A machine that is rendered anew keeps the order of its disks.
    own: tuple[Hull, ...] = ()
    #: The only hull that the Service selects, None if it selects every ready hull.
    pinned: Hull | None = None
    #: The names of the disks whose claim exists without a DataVolume.
    lone_claims: frozenset[str] = frozenset()

    @cached_property
    def service(self) -> Raw | None:
        """The Service that is to exist, None if none is."""
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
        """The annotations of a machine of that name that note the digest of the present manifest."""
        carried = self._hull_objects(machine_name)[0]
        return manifest.notes(self.blueprint.workload.metadata, carried, self._machine_settings)

    @cached_property
    def guests_pod(self) -> Raw:
        """The Pod that the machine is to run."""
        return pod_of(self._render_input(self.hull_name))

    def _hull_objects(self, name: str) -> tuple[Raw, ...]:
        return self.blueprint.hull_type.objects(self._render_input(name))

    def _render_input(self, name: str) -> RenderInput:
        """The input from which a hull of that name is rendered."""
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
        """The settings of a machine that come from the operator or the cluster, and not from the spec."""
        built, defaults = self.blueprint.spec.virtual_machine, self.blueprint.defaults
        capabilities = self.blueprint.observed.capabilities
        return MachineSettings(
            built.guest_image or defaults.guest_image or "",
            pull_secret=self._guest_image_pull_secret,
            panics=capabilities.panic_devices,
            video=capabilities.video_devices,
            registries=defaults.registries,
            secret=defaults.guest_secret,
            # The KubeVirt object may set an eviction strategy for all machines.
            eviction="" if capabilities.eviction_strategy else MIGRATES_IF_POSSIBLE,
        )

    @property
    def _guest_image_pull_secret(self) -> str | None:
        """The Secret with which nodes pull the guest image. The operator's is for its default image only."""
        built = self.blueprint.spec.virtual_machine
        if built.guest_image_pull_secret or built.guest_image:
            return built.guest_image_pull_secret
        return self.blueprint.defaults.guest_image_pull_secret
