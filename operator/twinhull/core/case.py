"""A case: one Workload and what was seen of it, with the questions that the rules ask of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Literal

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.reading import UNREAD
from twinhull.api.reasons import Reason
from twinhull.api.workload import (
    Exit,
    IsolationStatus,
    LastChange,
    ReplacementStatus,
    RestartPolicy,
    UnsupportedField,
    Workload,
    WorkloadSpec,
)
from twinhull.core import isolation
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.machine_images import Reference
from twinhull.core.isolation.shortfall import earliest
from twinhull.core.observed import Companion, Observed, Refusal
from twinhull.core.revision import Content, other
from twinhull.hulls import confinement, fidelity, manifest, pod, service
from twinhull.hulls.applied import Applied
from twinhull.hulls.evasion import Evasion, of_reference
from twinhull.hulls.guest import MIGRATES_IF_POSSIBLE, Guest
from twinhull.hulls.hull import Hull, HullKind
from twinhull.hulls.types import Blueprint, HullType, pod_of, type_of

#: What nobody reads in a template's metadata.
_NAMES = ("name", "generateName", "namespace")
#: The kinds of a namespace that a machine may be built with.
_OF_NAMESPACE = {"VirtualMachineInstancetype", "VirtualMachinePreference"}


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

    @cached_property
    def evasions(self) -> tuple[Evasion, ...]:
        """What of the spec reaches past the isolation that was decided on, whether or not a policy minds."""
        of_references = (of_reference(*reference) for reference in self.references)
        return (*self.hull_type.evasions(self.spec), *chain.from_iterable(of_references))

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The machine's instancetype and preference, if they are of the Workload's namespace: whoever may
        write them there may change what they bring.
        """
        return tuple(self._references())

    def _references(self) -> Iterator[Reference]:
        built = self.spec.virtual_machine
        for field, named in (("instancetype", built.instancetype), ("preference", built.preference)):
            if self.is_machine and named and named.kind in _OF_NAMESPACE:
                found = self.observed.find(named.kind, named.name)
                if found:
                    yield field, named.kind, found

    @cached_property
    def _surroundings(self) -> isolation.Surroundings:
        template = self.workload.spec.template
        return isolation.Surroundings(self.resolution.policies, self.defaults, template)

    @cached_property
    def shortfalls(self) -> tuple[isolation.Shortfall, ...]:
        """What runs below policies' minimums. Which policies concern it can't be told before its namespace's
        labels are known.
        """
        if self.observed.namespace_labels is None:
            return ()
        return tuple(self._surroundings.shortfalls(self.own, self.current, lambda: self.evasions))

    @cached_property
    def pending_since(self) -> datetime | None:
        """Since when it has been seen to run below a policy's minimum, None if it doesn't.

        The status remembers, so that a restart of the operator gives it no more time; so does the process,
        should the status not be written. A time that lies ahead is none. What is remembered stays while it
        can't be told which policies concern it.
        """
        said = self.workload.status.isolation
        remembered = (said.pending_since if said else None, self.observed.pending_since)
        unplaced = bool(self.observed.policies) and self.observed.namespace_labels is None
        return earliest(remembered, self.now, seen=bool(self.shortfalls), may_be=unplaced)

    @cached_property
    def isolation_status(self) -> IsolationStatus:
        """What was decided, and what runs."""
        return self.resolution.status(self._surroundings.weakest(self.own), self.pending_since)

    @cached_property
    def hull_type(self) -> HullType:
        """The type of the hull that is to be."""
        return type_of(self.resolution.resolved, self.spec)

    @property
    def is_machine(self) -> bool:
        """Whether the hull is to be a VirtualMachine."""
        return self.resolution.resolved is Isolation.VIRTUAL_MACHINE

    @property
    def hull_kind(self) -> HullKind:
        """The kind of the hull that is to be."""
        return "VirtualMachine" if self.is_machine else "Pod"

    @cached_property
    def _content(self) -> Content:
        """What the hull is to be made from."""
        resolution = self.resolution
        return self._made_from(self.spec, resolution.resolved, resolution.runtime_class)

    def _made_from(self, spec: WorkloadSpec, resolved: Isolation, runtime_class: str | None) -> Content:
        return Content(spec, resolved, runtime_class, self.workload.metadata.restart)

    @cached_property
    def revision(self) -> str:
        """The revision that is to run. If an earlier operator made its hull, it keeps its former name, also
        while that isn't seen: it may have lost the label that it is seen by.
        """
        canonical, former = self.canonical_revision, self._content.former.revision
        names = {
            hull.revision for hull in self.own if hull.kind == self.hull_kind and _is_of(hull, self._content)
        }
        told = self.workload.status.hull
        if not names and told and (told.kind, told.revision) == (self.hull_kind, former):
            return former
        return canonical if canonical in names else min(names, default=canonical)

    @cached_property
    def canonical_revision(self) -> str:
        """The revision that is to run, as this operator works it out, whatever a hull of it is called."""
        return self._content.revision

    @cached_property
    def _fixed(self) -> Content:
        """What says of a Pod what of it can't change. The one in a machine has the note that the same Pod
        without one would have.
        """
        isolation = Isolation.CONTAINER if self.is_machine else self.resolution.resolved
        return self._made_from(self.spec, isolation, self.resolution.runtime_class)

    @cached_property
    def applied(self) -> Applied:
        """What a Pod of the present revision is given of what can change while it runs."""
        return Applied.of(self.spec.template, self._fixed.fixed)

    @cached_property
    def applied_to_machine(self) -> Applied:
        """What a machine of the present revision is given of what can change while it runs."""
        return Applied.of(self.spec.template, self._content.fixed_in_machine)

    @property
    def wanted(self) -> Applied:
        """What the hull of the present revision is given of what can change while it runs."""
        return self.applied_to_machine if self.is_machine else self.applied

    @cached_property
    def formerly_fixed(self) -> str:
        """What an earlier operator noted of the present revision as what can't change."""
        return self._content.former.fixed_in_machine if self.is_machine else self._fixed.former.fixed

    def differs_only_in_what_changes(self, hull: Hull) -> bool:
        """Whether what can't change of a hull is as it is to be."""
        known = {hull.applied.fixed, hull.same.fixed if hull.same else None} if hull.applied else set()
        return self.wanted.fixed in known or self.formerly_fixed in known

    def fixed_at(self, size: Raw) -> set[str]:
        """What can't change of a machine of that size, as this operator notes it and as an earlier one."""
        content = replace(self._content, size=size)
        return {content.fixed_in_machine, content.former.fixed_in_machine}

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
        names = {self.revision, self.canonical_revision, self._content.former.revision}
        if remembered and remembered.revision in names and remembered.generation == generation:
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
    def _asked(self) -> Content:
        """What the hull would be made from if there were no policies."""
        asked = isolation.resolve(self.workload.spec, self.defaults)
        return self._made_from(self.workload.spec, asked.resolved, asked.runtime_class)

    @cached_property
    def asked_revision(self) -> str:
        """The revision that would run if there were no policies."""
        return self._asked.revision

    @cached_property
    def exit(self) -> Exit | None:
        """How the present revision ended for good, None if it has not.

        Its hull says so while it is there; once it is going or gone only the status remembers. This is the
        one thing that is read from it: a run to completion must not be repeated because its Pod was tidied
        away. Nor because policies isolate it otherwise than when it ran, nor because an earlier operator gave
        its revision another name.
        """
        if self.restart_policy is RestartPolicy.ALWAYS:
            return None
        as_asked = next((former for former in self.former if _is_of(former, self._asked)), None)
        hull = self.current or as_asked
        found = hull.exit if hull else None
        # What an earlier operator took for the end of a run was told, and stays so.
        if found is None and (hull is None or hull.deleting or hull.restarted or hull.ended):
            found = self.workload.status.exit
        if found is None or (hull is not None and hull.runs_again(self.restart_policy, found)):
            return None
        canonical, asked = self.canonical_revision, self.asked_revision
        present = {self.revision, canonical, self._content.former.revision}
        if found.revision in present:
            found = found.model_copy(
                update={
                    "canonical": None if found.revision == canonical else canonical,
                    "asked": found.asked if canonical == asked else asked,
                }
            )
        same = {*present, asked, self._asked.former.revision}
        return found if same & {found.revision, found.asked, found.canonical} else None

    @cached_property
    def ignored(self) -> str:
        """What a template says that means nothing in it, in a sentence; empty if there is nothing such."""
        metadata = self.workload.spec.template.get("metadata") or {}
        said = [f"spec.template.metadata.{key}" for key in _NAMES if metadata.get(key)]
        if not said:
            return ""
        verb = "means" if len(said) == 1 else "mean"
        return (
            f"{' and '.join(said)} {verb} nothing, as in a Deployment: the hull is named after the "
            "Workload, and is in its namespace"
        )

    @cached_property
    def curtailments(self) -> tuple[UnsupportedField, ...]:
        """What the API server, or a webhook of the cluster's, left out of the Pod that runs."""
        reason = "left out by the API server: its feature gate is off there, or a webhook took it away"
        weaker = (
            "left out by the API server, or changed by a webhook or policy: the Pod is less isolated for it"
        )
        asked, found = self._specs
        dropped = fidelity.dropped(asked, found, "spec") if found else ()
        reasons = {**dict.fromkeys(self.weakened, weaker), **dict.fromkeys(dropped, reason)}
        return tuple(UnsupportedField(path=path, reason=why) for path, why in reasons.items())

    @cached_property
    def weakened(self) -> tuple[str, ...]:
        """The template's fields for which the Pod that runs is less isolated than they ask for."""
        if self.current is None:
            return ()
        wanted, path = self.resolution.runtime_class, "spec.runtimeClassName"
        moved = wanted is not None and self.current.runtime_class != wanted
        asked, found = self._specs
        weakened = tuple(confinement.weakened(asked, found)) if found else ()
        return (*weakened, *((path,) if moved and path not in weakened else ()))

    @property
    def _specs(self) -> tuple[Raw, Raw | None]:
        """The template's spec, and that of the Pod that runs it, None unless all of that is known. Only this
        one is compared with the template: who may write Pods can add others that take long to compare.
        """
        hull = self.current
        known = hull is not None and hull.kind == "Pod" and UNREAD not in hull.obj
        return self.workload.spec.template["spec"], hull.obj["spec"] if hull and known else None

    def owns(self, found: Hull | Companion) -> bool:
        """Whether an object's controller is this very Workload, not one of the same name."""
        return found.owner is not None and found.owner.uid == self.workload.metadata.uid

    def refusal(self, key: str) -> Refusal | None:
        """The API server's refusal of an object, while it isn't yet time to ask again."""
        found = self.observed.refusals.get(key)
        return found if found and self.now < found.retry_at else None

    def denial(self, key: str) -> Refusal | None:
        """The same, unless somebody merely undoes it: that an object be made anew wouldn't help."""
        found = self.refusal(key)
        return None if found and found.reason == Reason.OVERRULED else found

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
    def _guest(self) -> Guest:
        """What is added to a machine beside what the Workload says."""
        built, capabilities = self.spec.virtual_machine, self.observed.capabilities
        return Guest(
            built.guest_image or self.defaults.guest_image or "",
            pull_secret=self._guest_image_pull_secret,
            panics=capabilities.panic_devices,
            registries=self.defaults.registries,
            secret=self.defaults.guest_secret,
            # Whoever runs KubeVirt may have decided for all machines.
            eviction="" if capabilities.eviction_strategy else MIGRATES_IF_POSSIBLE,
        )

    @cached_property
    def hull_objects(self) -> tuple[Raw, ...]:
        """The objects that make the hull, in the order of their creation."""
        return self._hull_objects(self.hull_name)

    def manifest_notes(self, machine: str) -> Raw:
        """The annotations by which a machine of that name says which manifest it runs by: the present one."""
        carried = self._hull_objects(machine)[0]
        return manifest.notes(self.workload.metadata, carried, self._guest)

    @cached_property
    def guests_pod(self) -> Raw:
        """The Pod that is to run in the machine."""
        return pod_of(self._blueprint(self.hull_name))

    def _hull_objects(self, name: str) -> tuple[Raw, ...]:
        return self.hull_type.objects(self._blueprint(name))

    def _blueprint(self, name: str) -> Blueprint:
        """What a hull of that name is rendered from."""
        present = next(
            (hull.obj for hull in self.own if (hull.kind, hull.name) == (self.hull_kind, name)), None
        )
        return Blueprint(
            workload=self.workload.metadata,
            spec=self.spec,
            name=name,
            revision=self.revision,
            runtime_class=self.resolution.runtime_class,
            applied=self.applied,
            guest=self._guest,
            applied_to_hull=self.wanted,
            present=present,
        )


def _is_of(hull: Hull, content: Content) -> bool:
    """Whether a hull is of a revision, by whichever name."""
    if hull.revision in {content.revision, content.former.revision}:
        return True
    return hull.same is not None and hull.same.revision == content.revision
