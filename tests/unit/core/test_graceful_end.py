"""The end of a machine: its guest is asked to end the Pod first, for as long as that is of use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.reasons import Reason
from twinhull.api.workloadstatus import WorkloadStatus
from twinhull.core.actions import Change, Delete, Event
from twinhull.core.case import Case
from twinhull.core.decision import decide
from twinhull.core.observed import Refusal
from twinhull.core.plan import Plan, plan
from twinhull.core.serving import serving_first
from twinhull.core.status_events import events
from twinhull.core.unreadable_workload import UnreadableWorkload
from twinhull.hulls.hull import HULL_NAME_LABEL
from twinhull.hulls.report import Report, Stop

from .objects import CREATED, KUBEVIRT, NOW, at, case, companion, conditions, hull, running, workload

PORTS = {"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]}
START_FIRST = {"replacement": {"strategy": "StartFirst"}}
CONTAINER = workload({"isolationPolicy": "Container"})
MACHINE = workload({"isolationPolicy": "VirtualMachine"})
STOPPED = workload({"isolationPolicy": "VirtualMachine", "state": "Stopped"})
POD, VM = case(CONTAINER).hull_name, case(MACHINE).hull_name
#: 30 s of the Pod's own, 15 of the guest's.
GRACE = 45


def machine(  # noqa: PLR0913  one parameter a part
    noted: float | str | None = None,
    *,
    name: str = VM,
    strategy: str = "Always",
    phase: str = "Running",
    ready: bool = True,
    deleting: bool = False,
    of: str = "",
    **status: Any,
) -> tuple[Raw, Raw, Raw]:
    """A machine, its instance and manifest; `noted` is when it was noted that it is to end, in
    seconds, and `of` the uid of the instance that the note names.
    """
    vm = hull(
        "VirtualMachine",
        name,
        spec={"runStrategy": strategy},
        status={"conditions": conditions(str(ready)), "ready": ready},
        deleting=deleting,
    )
    if noted is not None:
        since = noted if isinstance(noted, str) else at(noted)
        vm["metadata"]["annotations"] = {"twinhull.dev/ending": f"{since} {of or f'uid-of-{name}'}"}
    vmi = hull("VirtualMachineInstance", name, status={"phase": phase, **status})
    vmi["metadata"]["uid"] = f"uid-of-{name}"
    vmi["spec"] = {"domain": {"devices": {}}, "terminationGracePeriodSeconds": GRACE}
    return vm, vmi, companion("ConfigMap", name)


def says(stop: Stop, name: str = VM, **more: Any) -> dict[str, Report]:
    """What the guest of a machine said last."""
    return {f"uid-of-{name}": Report(more.pop("status", {"phase": "Running"}), stop=stop, **more)}


def done(planned: Plan) -> list[str]:
    return [f"{type(action).__name__.lower()} {action.key}" for action in planned.actions]


def ready(planned: Plan) -> tuple[str, str]:
    assert planned.status
    found = next(c for c in planned.status.conditions or () if c.type == "Ready")
    return found.reason, found.message


def after(seconds: float) -> datetime:
    return CREATED + timedelta(seconds=seconds)


#: What ends a machine that has been Ready: the Workload, and the reason that is told.
ENDS = {
    "it is stopped": (STOPPED, "Stopped", "spec.state is Stopped"),
    "it is to be a Pod": (CONTAINER, "Replacing", f"replaced by Pod {POD}"),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_guest_is_asked_before_its_machine_is_deleted(end: str) -> None:
    raw, reason, why = ENDS[end]
    (asking,) = plan(case(raw, KUBEVIRT, *machine(), reports=says("none"))).actions
    assert isinstance(asking, Change)
    assert (asking.key, asking.uid) == (f"VirtualMachine/{VM}/end", f"uid-{VM}")
    assert asking.patch == {
        "metadata": {"annotations": {"twinhull.dev/ending": f"2026-01-01T00:15:00.000+00:00 uid-of-{VM}"}}
    }
    assert asking.event == Event("Normal", Reason(reason), f"asked VirtualMachine {VM} to end its Pod: {why}")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("stop", ["none", "asked"])
def test_it_is_waited_for_and_said_so(end: str, stop: Stop) -> None:
    found = case(ENDS[end][0], KUBEVIRT, *machine(100), reports=says(stop), now=after(110), rehearsed=False)
    planned = plan(found)
    assert (done(planned), planned.requeue_after) == ([], timedelta(seconds=GRACE - 10))
    assert ready(planned)[1] == f"waiting for VirtualMachine {VM} to end its Pod"
    assert planned.status
    assert planned.status.hull
    assert planned.status.hull.name == VM


@pytest.mark.parametrize("end", ENDS)
def test_it_is_deleted_once_its_pod_has_ended_without_another_event(end: str) -> None:
    planned = plan(case(ENDS[end][0], KUBEVIRT, *machine(100), reports=says("done"), now=after(101)))
    assert planned.actions == (Delete("VirtualMachine", VM, f"uid-{VM}", None),)


@pytest.mark.parametrize("reports", [says("none"), says("asked"), {}], ids=["none", "asked", "unheard"])
def test_its_time_ends_whatever_the_guest_says(reports: dict[str, Report]) -> None:
    def at_time(seconds: float) -> list[str]:
        return done(plan(case(STOPPED, KUBEVIRT, *machine(100), reports=reports, now=after(seconds))))

    assert at_time(100 + GRACE - 1) == []
    assert at_time(100 + GRACE) == [f"delete VirtualMachine/{VM}"]


def test_a_guest_that_was_asked_and_is_not_heard_of_is_waited_for() -> None:
    """It ceased to answer; or the operator that asked it was killed since, and this one has just started."""
    assert done(plan(case(STOPPED, KUBEVIRT, *machine(100), now=after(110)))) == []


def test_nobody_waits_for_guests_that_this_operator_can_not_ask() -> None:
    """It was started anew without the key, so that nobody would hear when the Pod has ended."""
    found = case(STOPPED, KUBEVIRT, *machine(100), asks_guests=False, now=after(110))
    assert done(plan(found)) == [f"delete VirtualMachine/{VM}"]


def test_a_time_that_another_clock_noted_delays_no_more_than_twice() -> None:
    def with_time(noted: float) -> list[str]:
        return done(plan(case(STOPPED, KUBEVIRT, *machine(noted), reports=says("asked"), now=after(100))))

    assert with_time(103) == []
    assert with_time(100 + GRACE) == []
    assert with_time(100 + GRACE + 1) == [f"change VirtualMachine/{VM}/end"], "it counts as none"


@pytest.mark.parametrize("noted", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+23:59"])
@pytest.mark.parametrize("raw", [MACHINE, STOPPED], ids=["wanted", "stopped"])
def test_any_time_that_somebody_writes_can_be_calculated_with(noted: str, raw: Raw) -> None:
    ahead = noted.startswith("9999")
    expected = [f"change VirtualMachine/{VM}/end"] if raw is STOPPED else []
    found = case(raw, KUBEVIRT, *machine(noted), reports=says("none"))
    assert done(plan(found)) == (expected if ahead else [f"delete VirtualMachine/{VM}"])


@pytest.mark.parametrize("seconds", [10**14, 315_360_000_000, -1])
def test_so_can_any_grace_period(seconds: int) -> None:
    vm, vmi, manifest = machine(100)
    vmi["spec"]["terminationGracePeriodSeconds"] = seconds
    waits = case(STOPPED, KUBEVIRT, vm, vmi, manifest, reports=says("asked"), now=after(110))
    assert done(plan(waits)) == ([] if seconds > 0 else [f"delete VirtualMachine/{VM}"])


PAUSED = [{"type": "Paused", "status": "True"}]
MIGRATING = [{"type": "Paused", "status": "True", "reason": "PausedByMigrationMonitor"}]
#: Machines whose guest can't be asked, or has nothing to lose.
UNASKED: dict[str, tuple[tuple[Raw, Raw, Raw], dict[str, Report]]] = {
    "the operator has no guest key, or hears nothing": (machine(), {}),
    "its guest is too old": (machine(), says("")),
    "its guest has ended its Pod": (machine(), says("done")),
    "its Pod has ended by itself": (machine(), says("none", status={"phase": "Succeeded"}, final=True)),
    "its instance hasn't started": (machine(phase="Scheduled"), says("none")),
    "its instance is over": (machine(phase="Succeeded"), says("none")),
    "it is paused": (machine(conditions=PAUSED), says("none")),
}


@pytest.mark.parametrize("situation", UNASKED)
def test_a_machine_whose_guest_can_not_be_asked_is_deleted_at_once(situation: str) -> None:
    objects, reports = UNASKED[situation]
    assert done(plan(case(STOPPED, KUBEVIRT, *objects, reports=reports))) == [f"delete VirtualMachine/{VM}"]


@pytest.mark.parametrize(
    "situation",
    [
        name
        for name in UNASKED
        if name not in {"the operator has no guest key, or hears nothing", "it is paused"}
    ],
)
def test_nor_is_one_waited_for_that_was_asked_before(situation: str) -> None:
    (vm, *others), reports = UNASKED[situation]
    vm = vm | {
        "metadata": vm["metadata"] | {"annotations": {"twinhull.dev/ending": f"{at(100)} uid-of-{VM}"}}
    }
    found = case(STOPPED, KUBEVIRT, vm, *others, reports=reports, now=after(101))
    assert done(plan(found)) == [f"delete VirtualMachine/{VM}"]


def test_a_pause_takes_nothing_of_the_time_of_one_that_was_asked() -> None:
    for conditions_ in (PAUSED, MIGRATING):
        objects = machine(100, conditions=conditions_)
        found = case(STOPPED, KUBEVIRT, *objects, reports=says("asked"), now=after(101))
        assert done(plan(found)) == []


def test_one_that_a_migration_has_paused_is_asked() -> None:
    found = case(STOPPED, KUBEVIRT, *machine(conditions=MIGRATING), reports=says("none"))
    assert done(plan(found)) == [f"change VirtualMachine/{VM}/end"]


def test_a_machine_that_is_being_deleted_is_left_alone() -> None:
    for noted in (None, 100):
        found = case(STOPPED, KUBEVIRT, *machine(noted, deleting=True), reports=says("none"))
        assert done(plan(found)) == []


def test_a_pod_is_deleted_as_ever() -> None:
    found = case(MACHINE, KUBEVIRT, hull("Pod", POD, status=running()))
    assert done(plan(found)) == [f"delete Pod/{POD}"]


class TestTheNote:
    """What it does to a machine that it is noted that it is to end."""

    def test_it_is_no_hull_of_the_present_revision_any_more(self) -> None:
        found = case(
            MACHINE,
            KUBEVIRT,
            companion("ConfigMap", VM),
            *machine(100),
            reports=says("asked"),
            now=after(101),
        )
        assert (found.current, [former.name for former in found.former]) == (None, [VM])
        planned = plan(found)
        assert done(planned) == []
        assert ready(planned) == ("Replacing", f"waiting for VirtualMachine {VM} to end its Pod")

    @pytest.mark.parametrize("stop", ["asked", "done"])
    def test_without_it_the_word_of_a_guest_ends_nothing(self, stop: Stop) -> None:
        """Anybody on the machine's address can say so."""
        found = case(MACHINE, KUBEVIRT, *machine(), reports=says(stop))
        assert (found.current is not None, plan(found).actions) == (True, ())

    def test_it_is_written_again_if_somebody_took_it_off(self) -> None:
        found = case(STOPPED, KUBEVIRT, *machine(), reports=says("asked"))
        assert done(plan(found)) == [f"change VirtualMachine/{VM}/end"]

    @pytest.mark.parametrize("note", ["soon", "2026-01-01T00:00:00"])
    def test_what_can_not_be_read_is_none(self, note: str) -> None:
        found = case(MACHINE, KUBEVIRT, *machine(note), reports=says("none"))
        assert (found.current is not None, plan(found).actions) == (True, ())

    def test_nor_is_one_that_names_no_instance(self) -> None:
        vm, *others = machine()
        vm["metadata"]["annotations"] = {"twinhull.dev/ending": at(100)}
        assert plan(case(MACHINE, KUBEVIRT, vm, *others, reports=says("none"))).actions == ()

    def test_one_of_a_former_instance_says_nothing_of_this_one(self) -> None:
        """KubeVirt started the machine again, or somebody restored it, while no operator ran."""
        objects = machine(100, of="uid-of-a-former-one")
        live = case(MACHINE, KUBEVIRT, *objects, reports=says("none"), now=after(800))
        assert (live.current is not None, plan(live).actions) == (True, ())
        stopped = case(STOPPED, KUBEVIRT, *objects, reports=says("none"), now=after(800))
        assert done(plan(stopped)) == [f"change VirtualMachine/{VM}/end"]

    def test_the_same_revision_is_made_again_by_its_name_once_it_is_gone(self) -> None:
        assert case(MACHINE, KUBEVIRT).hull_name == VM
        assert done(plan(case(MACHINE, KUBEVIRT))) == [f"create ConfigMap/{VM}"]

    def test_it_goes_though_what_is_wanted_instead_can_not_be_made(self) -> None:
        going = case(MACHINE, *machine(100), reports=says("done"), now=after(101))
        assert ready(plan(going))[0] == "KubeVirtMissing"
        assert done(plan(going)) == [f"delete VirtualMachine/{VM}"]

    def test_it_is_not_tried_out_what_comes_after(self) -> None:
        """The machine is lost anyway."""
        found = case(CONTAINER, *machine(100), reports=says("asked"), now=after(101), rehearsed=False)
        assert plan(found).actions == ()

    def test_it_is_no_drift_and_takes_no_change(self) -> None:
        bigger = workload(
            {"isolationPolicy": "VirtualMachine"}, pod={"containers": [{"name": "web", "image": "nginx:2"}]}
        )
        found = case(
            bigger, KUBEVIRT, *machine(100), reports=says("asked", manifest="a" * 64), now=after(101)
        )
        assert done(plan(found)) == []
        assert not any(former.foreign_edit for former in found.former)


class TestRefused:
    """The API server doesn't let the machine be changed."""

    def refused(self, *, final: bool, key: str = "end", left: float = 8, since: float = 10) -> Case:
        retry_at, first = NOW + timedelta(seconds=left), NOW - timedelta(seconds=since)
        answer = Refusal(Reason.VIRTUAL_MACHINE_FAILED, "no webhook", final, retry_at, first)
        refusals = {f"VirtualMachine/{VM}/{key}": answer}
        return case(STOPPED, KUBEVIRT, *machine(), reports=says("none"), refusals=refusals)

    def test_for_good(self) -> None:
        assert done(plan(self.refused(final=True))) == [f"delete VirtualMachine/{VM}"]

    def test_for_now(self) -> None:
        planned = plan(self.refused(final=False))
        assert (done(planned), planned.requeue_after) == ([], timedelta(seconds=8))
        assert ready(planned) == ("VirtualMachineFailed", "no webhook")

    def test_the_time_to_ask_again_has_come(self) -> None:
        """One attempt may have failed because the API server was busy."""
        assert done(plan(self.refused(final=False, left=0))) == [f"change VirtualMachine/{VM}/end"]

    def test_for_the_whole_grace_period(self) -> None:
        """KubeVirt's webhook may be gone for good; nothing else of an end needs it."""
        assert done(plan(self.refused(final=False, since=GRACE - 8))) == []
        assert done(plan(self.refused(final=False, since=GRACE - 7))) == [f"delete VirtualMachine/{VM}"]

    @pytest.mark.parametrize("final", [False, True])
    def test_long_ago(self, final: bool) -> None:  # noqa: FBT001
        found = self.refused(final=final, left=-3600, since=9000)
        assert done(plan(found)) == [f"change VirtualMachine/{VM}/end"]

    def test_another_change(self) -> None:
        assert done(plan(self.refused(final=True, key="change"))) == [f"change VirtualMachine/{VM}/end"]


class TestStartFirst:
    """Two hulls, one of which is a machine that was asked to end."""

    CONTAINER = workload({"isolationPolicy": "Container", **START_FIRST}, pod=PORTS)
    MACHINE = workload({"isolationPolicy": "VirtualMachine", **START_FIRST}, pod=PORTS)
    POD, VM = case(CONTAINER).hull_name, case(MACHINE).hull_name

    def pod(self, *, ready: bool = True, since: float = 1) -> Raw:
        made = hull("Pod", self.POD, spec=PORTS, status=running(ready=ready, since=since))
        made["metadata"]["creationTimestamp"] = at(since)
        return made

    def service(self, hull: str | None = None, since: float = 9) -> Raw:
        ports = [{"name": "tcp-80", "port": 80, "targetPort": 80, "protocol": "TCP"}]
        selector = {"twinhull.dev/workload": "web", **({HULL_NAME_LABEL: hull} if hull else {})}
        made = companion("Service", "web", spec={"type": "ClusterIP", "selector": selector, "ports": ports})
        if hull:
            made["metadata"]["annotations"] = {"twinhull.dev/pinned-at": at(since)}
        return made

    def planned(self, raw: Raw, *objects: Raw, stop: Stop = "none", now: float = 14) -> Plan:
        return plan(case(raw, KUBEVIRT, *objects, reports=says(stop, self.VM), now=after(now)))

    def test_a_guest_is_asked_once_its_machine_has_drained(self) -> None:
        objects = (*machine(name=self.VM), self.pod(), self.service(self.POD))
        assert done(self.planned(self.CONTAINER, *objects, now=13)) == []
        assert done(self.planned(self.CONTAINER, *objects)) == [f"change VirtualMachine/{self.VM}/end"]

    def test_the_workload_is_ready_meanwhile_and_the_service_stays(self) -> None:
        objects = (*machine(14, name=self.VM), self.pod(), self.service(self.POD))
        planned = self.planned(self.CONTAINER, *objects, stop="asked", now=20)
        assert (done(planned), planned.requeue_after) == ([], timedelta(seconds=14 + GRACE - 20))
        assert ready(planned) == ("Replacing", f"waiting for VirtualMachine {self.VM} to end its Pod")
        assert planned.status
        assert next(c.status for c in planned.status.conditions or () if c.type == "Ready") == "True"
        assert planned.status.previous_hull
        assert planned.status.previous_hull.name == self.VM

    def test_it_has_drained_before_and_does_not_again(self) -> None:
        objects = (*machine(14, name=self.VM), self.pod(), self.service(self.POD, since=19))
        planned = self.planned(self.CONTAINER, *objects, stop="asked", now=20)
        assert ready(planned)[0] == "Replacing"

    def test_it_is_neither_what_serves_nor_what_is_kept_though_kubevirt_still_calls_it_ready(self) -> None:
        third = workload({"isolationPolicy": "Container", **START_FIRST}, pod={**PORTS, "hostname": "third"})
        objects = (*machine(14, name=self.VM), self.pod(ready=False), self.service())
        found = case(third, KUBEVIRT, *objects, reports=says("asked", self.VM), now=after(20))
        assert (found.serving and found.serving.name, len(found.former)) == (self.POD, 2)
        assert serving_first(found.own)[0].name == self.POD

    def test_it_is_wanted_again_meanwhile(self) -> None:
        objects = (*machine(14, name=self.VM), self.pod(), self.service(self.POD))
        planned = self.planned(self.MACHINE, *objects, stop="asked", now=20)
        assert done(planned) == [], "the Pod serves, and a third hull isn't made"
        assert ready(planned)[1] == f"waiting for VirtualMachine {self.VM} to end its Pod"
        gone = self.planned(self.MACHINE, self.pod(), self.service(self.POD), now=20)
        assert done(gone) == ["change Service/web/change", f"create ConfigMap/{self.VM}"]

    def test_a_new_machine_that_was_given_up_goes_and_it_is_told_once(self) -> None:
        attempt = {"revision": self.VM.rpartition("-")[2], "generation": 1, "startedAt": at(1)}
        failed = attempt | {"failedAt": at(601), "message": "it was too slow"}
        raw = self.MACHINE | {"status": {"observedGeneration": 1, "replacement": failed}}
        starting = machine(name=self.VM, ready=False)
        first = self.planned(raw, self.pod(), self.service(), *starting, now=602)
        assert done(first) == [f"change VirtualMachine/{self.VM}/end"]
        ending = machine(602, name=self.VM, ready=False)
        second = self.planned(raw, self.pod(), self.service(), *ending, stop="asked", now=603)
        assert done(second) == ["change Service/web/change"], "it leads to the other alone"
        assert first.status
        assert second.status
        assert ready(second) == ready(first)
        assert list(events(first.status, second.status, are_dropped=True)) == []

    def test_one_that_was_given_up_goes_though_its_run_ended_just_before_it_was_asked(self) -> None:
        raw = workload(
            {"isolationPolicy": "VirtualMachine", **START_FIRST}, pod={**PORTS, "restartPolicy": "Never"}
        )
        name = case(raw).hull_name
        attempt = {"revision": name.rpartition("-")[2], "generation": 1, "startedAt": at(1)}
        raw |= {"status": {"replacement": attempt | {"failedAt": at(601), "message": "it was too slow"}}}
        state = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": at(601)}}
        container = {"name": "web", "ready": False, "restartCount": 0, "state": state}
        status = {"phase": "Succeeded", "containerStatuses": [container]}
        reports = says("asked", name, status=status, final=True)
        objects = (self.pod(), *machine(602, name=name, strategy="Once", ready=False))
        planned = plan(case(raw, KUBEVIRT, *objects, reports=reports, now=after(700)))
        assert f"delete VirtualMachine/{name}" in done(planned)

    def test_a_machine_alone_that_ends_is_no_reason_to_wait(self) -> None:
        planned = self.planned(self.MACHINE, *machine(14, name=self.VM), self.service(), stop="asked", now=20)
        made = case(self.MACHINE, *machine(14, name=self.VM)).hull_name
        assert made != self.VM, "both are there for a while"
        assert done(planned) == [f"create ConfigMap/{made}"]


class TestRunToCompletion:
    """A run that is interrupted hasn't ended, and one that has is remembered before its machine goes."""

    RAW = workload({"isolationPolicy": "VirtualMachine"}, pod={"restartPolicy": "Never"})
    NAME = case(RAW).hull_name

    def ended(self, seconds: float, code: int, *, final: bool) -> dict[str, Report]:
        terminated = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": at(seconds)}
        container = {"name": "web", "ready": False, "restartCount": 0, "state": {"terminated": terminated}}
        status = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [container]}
        return says("done", self.NAME, status=status, final=final)

    def machine(self, phase: str = "Running", seconds: float = 110) -> tuple[Raw, Raw, Raw]:
        entered = [{"phase": phase, "phaseTransitionTimestamp": at(seconds)}]
        return machine(100, name=self.NAME, strategy="Once", phase=phase, phaseTransitionTimestamps=entered)

    @pytest.mark.parametrize("code", [0, 143])
    @pytest.mark.parametrize("final", [False, True])
    def test_a_run_that_was_asked_to_end_has_not_completed(self, code: int, final: bool) -> None:  # noqa: FBT001
        found = case(
            self.RAW, KUBEVIRT, *self.machine(), reports=self.ended(105, code, final=final), now=after(110)
        )
        assert found.history.exit is None
        assert done(plan(found)) == [f"delete VirtualMachine/{self.NAME}"]

    @pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
    def test_nor_has_one_whose_guest_was_shut_down_then(self, phase: str) -> None:
        found = case(self.RAW, KUBEVIRT, *self.machine(phase), now=after(115))
        assert (found.history.exit, done(plan(found))) == (None, [f"delete VirtualMachine/{self.NAME}"])

    @pytest.mark.parametrize("state", ["Running", "Stopped"])
    def test_nor_if_the_clock_of_the_operator_that_asked_is_ahead(self, state: str) -> None:
        """By its clock the guest ended before it was asked, but after the API server deleted the machine."""
        entered = [{"phase": "Failed", "phaseTransitionTimestamp": at(110)}]
        objects = machine(
            130,
            name=self.NAME,
            strategy="Once",
            phase="Failed",
            deleting=True,
            phaseTransitionTimestamps=entered,
        )
        objects[0]["metadata"] |= {"deletionTimestamp": at(105), "deletionGracePeriodSeconds": 0}
        raw = workload({"isolationPolicy": "VirtualMachine", "state": state}, pod={"restartPolicy": "Never"})
        found = case(raw, KUBEVIRT, *objects, now=after(115))
        assert (found.history.exit, done(plan(found))) == (None, [])

    def test_an_end_just_before_is_remembered_before_the_machine_goes(self) -> None:
        objects = (KUBEVIRT, *self.machine())
        first = plan(case(self.RAW, *objects, reports=self.ended(99, 3, final=True), now=after(110)))
        assert (done(first), first.requeue_after) == ([], timedelta())
        assert first.status
        assert first.status.exit
        assert first.status.exit.code == 3
        remembering = self.RAW | {"status": first.status.raw()}
        second = plan(case(remembering, *objects, reports=self.ended(99, 3, final=True), now=after(110)))
        assert done(second) == [f"delete VirtualMachine/{self.NAME}"]

    def test_it_runs_again_when_it_is_wanted_again(self) -> None:
        assert decide(case(self.RAW, KUBEVIRT)).reason == "Creating"


def test_each_end_is_told_once() -> None:
    """From the patch to the deletion: the Event comes with the patch, and the status says no more."""
    first = plan(case(STOPPED, KUBEVIRT, *machine(100), reports=says("asked"), now=after(101))).status
    assert isinstance(first, WorkloadStatus)
    later = plan(
        case(
            STOPPED | {"status": first.raw()}, KUBEVIRT, *machine(100), reports=says("asked"), now=after(102)
        )
    )
    assert (later.actions, later.status, later.events) == ((), None, ())


def test_a_workload_that_can_not_be_read_ends_its_machine_in_time() -> None:
    found = case(STOPPED, KUBEVIRT, *machine(100), reports=says("asked"), now=after(110))
    unreadable = UnreadableWorkload(obj=workload(), problem="spec.state", hulls=found.own, now=found.now)
    assert (unreadable.actions(), unreadable.requeue_after) == ((), timedelta(seconds=GRACE - 10))
    over = replace(unreadable, now=after(100 + GRACE))
    assert [type(action).__name__ for action in over.actions()] == ["Delete"]


def test_nor_does_one_that_can_not_be_read_wait_for_a_note_that_is_refused() -> None:
    """KubeVirt's webhook is gone: as with a Workload that can be read, the machine is deleted in the end."""
    serving = hull("Pod", POD, status=running())
    objects = (serving, *machine(ready=False))
    hulls = case(CONTAINER, KUBEVIRT, *objects, reports=says("none")).observed.hulls
    key = f"VirtualMachine/{VM}/end"

    def unreadable(final: bool, left: float) -> UnreadableWorkload:  # noqa: FBT001
        retry_at = NOW + timedelta(seconds=left)
        refusal = Refusal(Reason.VIRTUAL_MACHINE_FAILED, "no webhook", final, retry_at, NOW)
        return UnreadableWorkload(
            obj=workload(), problem="spec.state", hulls=hulls, now=NOW, refusals={key: refusal}
        )

    waits = unreadable(final=False, left=8)
    assert (waits.actions(), waits.requeue_after) == ((), timedelta(seconds=8))
    for given_up in (unreadable(final=True, left=8), unreadable(final=False, left=GRACE + 1)):
        assert [action.key for action in given_up.actions()] == [f"VirtualMachine/{VM}"]
