"""The forecast of a flip: what prevents it, and what it costs, by the operator's own rules (core/rules)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.api.isolation import AUTO
from twinhull.core.case import Case
from twinhull.core.steps import Step, names
from twinhull.verbs.isolationnames import name_of
from twinhull.verbs.status import Status
from twinhull.view.safetext import plain


@dataclass(frozen=True, slots=True)
class Flip:
    """The forecast for a Workload whose isolation is changed."""

    #: The Workload after the change, with the objects of the cluster that can be seen. Its state is Running.
    case: Case
    #: The first step that the operator would take.
    step: Step
    #: The Workload as it is now.
    live: Raw
    #: Whether the operator is assumed to have a RuntimeClass that this process doesn't know.
    is_class_assumed: bool = False

    @property
    def policy(self) -> str:
        """The new value of spec.isolationPolicy."""
        return self.case.workload.spec.isolation_policy

    @property
    def resolved(self) -> str:
        """The isolation that the Workload would get."""
        return self.case.blueprint.resolution.resolved.value

    @property
    def is_stopped(self) -> bool:
        """Whether the Workload is stopped, so that nothing runs before it is started."""
        return Status(self.live).is_stopped

    def hindrances(self) -> tuple[str, ...]:
        """What prevents the flip, each in a sentence with what to do; empty if nothing does."""
        resolution = self.case.blueprint.resolution
        if resolution.rejected:
            return (plain(f"{resolution.reason}: {resolution.message}"),)
        if self.policy not in {AUTO, self.resolved}:
            sentence = (
                f"{resolution.message}. It would run as {name_of(self.resolved)}: flip it to that, or ask "
                "whoever administers"
            )
            return (plain(f"{sentence} the policy"),)
        if not self.step.stalled or self.case.current is not None:
            return ()
        if self.step.lacks:
            return tuple(f"{lack.reason}: {plain(lack.message)}" for lack in self.step.lacks)
        if self.step.unsupported:
            return tuple(
                f"UnsupportedFields: {plain(f'spec.template.{field.path}: {field.reason}')}"
                for field in self.step.unsupported
            )
        return (f"{self.step.reason}: {plain(self.step.message)}",)

    def costs(self) -> tuple[str, ...]:
        """What the flip does to the hull that runs and to its files, each in a sentence."""
        return tuple(map(plain, self._costs()))

    def _costs(self) -> Iterator[str]:
        status = Status(self.live)
        if self.is_stopped:
            yield f"It is stopped: nothing runs before it is started ({status.command('start')})"
            return
        if kept := self._kept():
            yield f"Nothing is replaced: {kept} runs as {name_of(self.resolved)} already"
            return
        if self.case.history.exit is not None:
            yield f"It has run to completion, and isn't run again: {status.command('restart')} does so"
            return
        if (self.live.get("status") or {}).get("exit"):
            yield "It has run to completion, and runs again"
        if self.step.reason in {"DiskImporting", "DiskWaiting"}:
            yield f"Disks are filled first: {self.step.message}"
        if self.step.lacks and not self.step.stalled:
            yield f"It waits first: {self.step.message}"
        running = self._running()
        yield from _replacement(self.case, running)
        yield from _files(self.case, is_running=bool(running))
        if self.is_class_assumed:
            yield (
                "Which RuntimeClass it gets is the operator's setting --sandbox-runtime-class: if the "
                "operator has none, it is Stalled, and what runs keeps running"
            )

    def _kept(self) -> str:
        """The name of the hull that stays as it is, empty if there is none."""
        if self.case.current is not None and not self.case.former:
            return names([self.case.current])
        status = Status(self.live)
        return _hull_name(status) if not self.case.own and status.running == self.resolved else ""

    def _running(self) -> str:
        """The names of the hulls that are replaced, empty if there is none. If the hulls can't be seen, the
        status tells.
        """
        hulls = [hull for hull in self.case.former if not hull.ended]
        return names(hulls) if self.case.own else _hull_name(Status(self.live))


def _hull_name(status: Status) -> str:
    return " ".join(status.hull) if status.hull else ""


def _replacement(case: Case, running: str) -> Iterator[str]:
    new = f"{case.hull_kind} {case.hull_name}"
    if not running:
        yield f"No hull runs now: {new} is made"
        return
    if case.starts_first:
        seconds = case.workload.spec.replacement.drain_seconds
        yield (
            f"Downtime: none (StartFirst). {new} starts beside {running}, which ends {seconds} s after the "
            "new one is Ready. Both run for a while"
        )
        return
    yield (
        f"Downtime: from the end of {running} until {new} is Ready ({_strategy(case)}). New connections are "
        "refused in between"
    )


def _strategy(case: Case) -> str:
    strategy = case.workload.spec.replacement.strategy
    return strategy if strategy == "Recreate" else f"{strategy}, which is like Recreate here"


def _files(case: Case, *, is_running: bool) -> Iterator[str]:
    """What happens to files: those in volumes of the template, and those on a machine's own disks."""
    template = case.workload.spec.template["spec"]
    volumes = [one for one in template.get("volumes") or () if isinstance(one, dict)]
    claims = [
        one["persistentVolumeClaim"]["claimName"] for one in volumes if one.get("persistentVolumeClaim")
    ]
    empty = [str(one.get("name")) for one in volumes if "emptyDir" in one]
    disks = [disk.disk_name for disk in case.blueprint.disks]
    if disks:
        attached = "" if case.hull_type.lasts else ", and aren't attached to the new hull"
        yield f"Stay: the machine's disks {listed(disks, ', ')}{attached}"
    if claims:
        yield f"Stay: the claims {listed(list(dict.fromkeys(claims)), ', ')}"
    if is_running and template.get("containers"):
        also = f", and the emptyDir volumes {listed(empty, ', ')}" if empty else ""
        yield f"Lost: the files in the containers{also}"
