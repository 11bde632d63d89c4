"""A case: one Workload and what was seen of it, with the questions that the rules ask of both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from twinhull.api.base import Raw
from twinhull.api.workload import (
    Exit,
    Isolation,
    LastChange,
    ReplacementStatus,
    RestartPolicy,
    UnsupportedField,
    Workload,
    WorkloadSpec,
)
from twinhull.core import isolation
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.observed import Companion, Observed, Refusal
from twinhull.core.revision import fixed, fixed_in_machine, other, revision
from twinhull.hulls import machine, manifest, pod, service
from twinhull.hulls.applied import Applied
from twinhull.hulls.attachments import attachments
from twinhull.hulls.guest import MIGRATES_IF_POSSIBLE, Guest
from twinhull.hulls.hull import Hull, HullKind


@dataclass(frozen=True)
class Case:
    """Everything that a rule may look at. `now` is the one clock that it has."""

    workload: Workload
    observed: Observed
    defaults: OperatorDefaults
    now: datetime

    @cached_property
    def resolution(self) -> isolation.Resolution:
        """The isolation that was decided on."""
        metadata, spec, observed = self.workload.metadata, self.workload.spec, self.observed
        subject = isolation.Subject(
            metadata.namespace,
            observed.namespace_labels or {},
            metadata.labels,
            spec.template["spec"],
            observed.debug_images,
        )
        return isolation.resolve(spec, self.defaults, isolation.concerning(subject, observed.policies))

    @cached_property
    def spec(self) -> WorkloadSpec:
        """The Workload's spec, with what policies add to it."""
        own, built = self.workload.spec, self.resolution.virtual_machine
        return own if built is own.virtual_machine else own.model_copy(update={"virtual_machine": built})

    @property
    def is_machine(self) -> bool:
        """Whether the hull is to be a VirtualMachine."""
        return self.resolution.resolved is Isolation.VIRTUAL_MACHINE

    @property
    def hull_kind(self) -> HullKind:
        """The kind of the hull that is to be."""
        return "VirtualMachine" if self.is_machine else "Pod"

    @cached_property
    def revision(self) -> str:
        """The revision that is to run."""
        spec, resolution = self.spec, self.resolution
        return revision(spec, resolution.resolved, resolution.runtime_class, self.workload.metadata.restart)

    @cached_property
    def applied(self) -> Applied:
        """What a Pod of the present revision is given of what can change while it runs.

        The Pod in a machine has the note that the same Pod without one would have.
        """
        spec, resolution = self.spec, self.resolution
        isolation = Isolation.CONTAINER if self.is_machine else resolution.resolved
        restart = self.workload.metadata.restart
        return Applied.of(spec.template, fixed(spec, isolation, resolution.runtime_class, restart))

    @cached_property
    def applied_to_machine(self) -> Applied:
        """What a machine of the present revision is given of what can change while it runs."""
        spec = self.spec
        return Applied.of(spec.template, fixed_in_machine(spec, self.workload.metadata.restart))

    @cached_property
    def hull_name(self) -> str:
        """The name of the hull that is to be, or that is.

        A Pod that was changed in place keeps its name; should that very revision be wanted again beside it,
        the new one's name is made from both.
        """
        if self.current is not None:
            return self.current.name
        name = pod.hull_name(self.workload.metadata.name, self.revision)
        taken = next((h for h in self.former if (h.kind, h.name) == (self.hull_kind, name)), None)
        return name if taken is None else pod.hull_name(self.workload.metadata.name, other(name, taken.uid))

    @cached_property
    def own(self) -> tuple[Hull, ...]:
        """The hulls that are this Workload's."""
        return tuple(hull for hull in self.observed.hulls if self.owns(hull))

    @cached_property
    def current(self) -> Hull | None:
        """The hull of the revision that is to run, if it is there.

        A machine that can't become what it was changed to isn't, whatever its label says; nor is a Pod that
        was left in the middle of a change, or a machine whose Pod was asked to end.
        """
        alike = (hull for hull in self.own if (hull.kind, hull.revision) == (self.hull_kind, self.revision))
        return next(
            (hull for hull in alike if not (hull.stuck or hull.halfway or hull.graceful_end.requested)), None
        )

    @cached_property
    def former(self) -> tuple[Hull, ...]:
        """This Workload's hulls of any other revision."""
        return tuple(hull for hull in self.own if hull is not self.current)

    @property
    def starts_first(self) -> bool:
        """Whether a new hull comes before the old one goes."""
        return self.workload.spec.replacement.strategy == "StartFirst"

    @cached_property
    def standing(self) -> tuple[Hull, ...]:
        """The former hulls that run and aren't on their way out."""
        return tuple(hull for hull in self.former if not (hull.leaving or hull.ended))

    @cached_property
    def heir(self) -> Hull | None:
        """Of several hulls under StartFirst, the one that serves while the others go.

        That is the present revision's once it is ready. When another revision is wanted before the last
        replacement is over, or one that is just going, it is the best of those that are there.
        """
        if not self.starts_first or len(self.own) < 2:  # noqa: PLR2004
            return None
        if self.current is not None and not self.current.deleting:
            return self.current if self.current.ready and not self.weakened else None
        return max(self.former, key=lambda h: (not h.leaving, h.ready, not h.ended, h.created_at))

    @property
    def replacing(self) -> bool:
        """Whether a former hull serves while the present revision's isn't ready, under StartFirst."""
        if not self.starts_first or not self.standing:
            return False
        return self.current is None or self.heir is not self.current

    @cached_property
    def attempt(self) -> ReplacementStatus | None:
        """The replacement that is under way or was given up, None if there is none.

        Only the status remembers when it began, and that it was given up.
        """
        if not self.replacing:
            return None
        remembered, generation = self.workload.status.replacement, self.workload.metadata.generation
        if remembered and (remembered.revision, remembered.generation) == (self.revision, generation):
            return remembered
        new = self.current if self.current and not self.current.deleting else None
        began = new.since if new else self.now.replace(microsecond=0)
        return ReplacementStatus(revision=self.revision, generation=generation, started_at=began)

    @cached_property
    def pinned(self) -> Hull | None:
        """The one hull that the Service is to reach, None if any that is ready will do."""
        drains = self.workload.spec.replacement.drain_seconds > 0
        return self.heir if self.heir and drains and self.heir.ready and self.heir.named else None

    @cached_property
    def last_change(self) -> LastChange | None:
        """How the hull came to be of the revision that it is; the status remembers it."""
        before, hull = self.workload.status.last_change, self.current
        if hull is None or self.replacing:
            return before
        if before and (before.revision, before.hull) == (hull.revision, hull.name):
            return before
        how: Literal["Created", "InPlace", "Replaced"] = "Replaced" if before else "Created"
        if before and before.hull == hull.name:
            how = "InPlace"
        at = self.now.replace(microsecond=0) if how == "InPlace" else hull.created_at
        return LastChange(how=how, revision=hull.revision, hull=hull.name, at=at)

    @cached_property
    def restart_policy(self) -> RestartPolicy:
        """The template's restartPolicy."""
        return pod.restart_policy(self.workload.spec.template["spec"])

    @cached_property
    def settled(self) -> bool:
        """Whether all was as this very spec asks when the status was written. What differs from it now was
        changed by somebody else, and people are told that it is put back. Nothing is decided by it.
        """
        status, generation = self.workload.status, self.workload.metadata.generation
        said = {condition.type: condition.status for condition in status.conditions or ()}
        return status.observed_generation == generation and (said.get("Ready"), said.get("Reconciling")) == (
            "True",
            "False",
        )

    @cached_property
    def again(self) -> bool:
        """Whether the hull that is to be was there before, for this very spec. As above, only for telling."""
        status, generation = self.workload.status, self.workload.metadata.generation
        before = status.hull.name if status.hull else None
        return status.observed_generation == generation and before == self.hull_name

    @cached_property
    def asked_revision(self) -> str:
        """The revision that would run if there were no policies."""
        spec, restart = self.workload.spec, self.workload.metadata.restart
        asked = isolation.resolve(spec, self.defaults)
        return revision(spec, asked.resolved, asked.runtime_class, restart)

    @cached_property
    def exit(self) -> Exit | None:
        """How the present revision ended for good, None if it has not.

        Its hull says so while it is there; once it is going or gone only the status remembers. This is the
        one thing that is read from it: a run to completion must not be repeated because its Pod was tidied
        away. Nor because policies isolate it otherwise than when it ran.
        """
        if self.restart_policy is RestartPolicy.ALWAYS:
            return None
        as_asked = next((former for former in self.former if former.revision == self.asked_revision), None)
        hull = self.current or as_asked
        found = hull.exit if hull else None
        if found is None and (hull is None or hull.deleting or hull.restarted):
            found = self.workload.status.exit
        if found is None or (hull is not None and hull.runs_again(self.restart_policy, found)):
            return None
        if found.revision == self.revision and self.revision != self.asked_revision:
            found = found.model_copy(update={"asked": self.asked_revision})
        same = {self.revision, self.asked_revision}
        return found if found.revision in same or found.asked in same else None

    @cached_property
    def curtailments(self) -> tuple[UnsupportedField, ...]:
        """What the API server, or a webhook of the cluster's, left out of the Pod that runs."""
        reason = "left out by the API server: its feature gate is off there, or a webhook took it away"
        dropped = list(self.current.dropped) if self.current else []
        wanted = self.resolution.runtime_class
        if self.current and wanted and self.current.runtime_class != wanted:
            dropped.append("spec.runtimeClassName")
        return tuple(UnsupportedField(path=path, reason=reason) for path in dict.fromkeys(dropped))

    @cached_property
    def weakened(self) -> tuple[UnsupportedField, ...]:
        """Of the curtailments, those of what keeps the Pod apart."""
        return tuple(field for field in self.curtailments if _keeps_apart(field.path))

    def owns(self, found: Hull | Companion) -> bool:
        """Whether an object's controller is this very Workload, not one of the same name."""
        return found.owner is not None and found.owner.uid == self.workload.metadata.uid

    def refusal(self, key: str) -> Refusal | None:
        """The API server's refusal of an object, while it isn't yet time to ask again."""
        found = self.observed.refusals.get(key)
        return found if found and self.now < found.retry_at else None

    @cached_property
    def service(self) -> Raw | None:
        """The Service that is to be."""
        spec = self.workload.spec
        hull = self.pinned.name if self.pinned else None
        return service.render(
            self.workload.metadata, spec.service, service.declared(spec.template["spec"]), hull
        )

    @property
    def _guest_image_pull_secret(self) -> str | None:
        """The Secret that nodes pull the guest image with. The operator's is for its own image only."""
        built = self.spec.virtual_machine
        if built.guest_image_pull_secret or built.guest_image:
            return built.guest_image_pull_secret
        return self.defaults.guest_image_pull_secret

    @cached_property
    def hull_objects(self) -> tuple[Raw, ...]:
        """The objects that make the hull, in the order of their creation."""
        spec = self.spec
        rendered = pod.render(
            self.workload.metadata,
            spec.template,
            self.revision,
            self.resolution.runtime_class,
            name=self.hull_name,
            applied=self.applied,
        )
        if not self.is_machine:
            return (rendered,)
        workload, built = self.workload.metadata, spec.virtual_machine
        attached = attachments(rendered, built.registries or ())
        capabilities = self.observed.capabilities
        guest = Guest(
            built.guest_image or self.defaults.guest_image or "",
            pull_secret=self._guest_image_pull_secret,
            panics=capabilities.panic_devices,
            registries=self.defaults.registries,
            secret=self.defaults.guest_secret,
            # Whoever runs KubeVirt may have decided for all machines.
            eviction="" if capabilities.eviction_strategy else MIGRATES_IF_POSSIBLE,
        )
        return (
            manifest.render(workload, rendered, attached, built, guest),
            machine.render(workload, rendered, attached, built, guest, applied=self.applied_to_machine),
        )


def _keeps_apart(path: str) -> bool:
    whole = {"spec.automountServiceAccountToken", "spec.hostUsers", "spec.runtimeClassName"}
    return path in whole or "securityContext" in path
