"""The screen of one Workload: first the verdict, then all objects that belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from twinhull.api import commands
from twinhull.api.base import Raw
from twinhull.api.workload import NO_TEMPLATE, State
from twinhull.hulls import podstatus
from twinhull.hulls.service import declared
from twinhull.view import events
from twinhull.view.age import age
from twinhull.view.podline import podline
from twinhull.view.screen import Cell, Screen, Section, Table, TableRow, Tone
from twinhull.view.verdict import Level, Verdict, endpoints, verdict
from twinhull.view.workloadobjects import WorkloadObjects, named, part

#: How many Events are shown, the last ones.
_EVENTS = 5
_TONES = {
    Level.FINE: Tone.GOOD,
    Level.UNDER_WAY: Tone.WAITING,
    Level.LIMITED: Tone.WAITING,
    Level.WRONG: Tone.BAD,
}


def screen(objects: WorkloadObjects, now: datetime) -> Screen:
    """The screen of a Workload."""
    parts = {
        "Isolation": _isolation(objects, now),
        "Hull": _hull(objects, "hull", now),
        "Old hull": _hull(objects, "previousHull", now) if objects.status.get("previousHull") else iter(()),
        "Launcher": _launchers(objects, now),
        "Containers": _containers(objects),
        "Exit": _exit(objects, now),
        "Service": _service(objects),
        "Disks": _disks(objects),
        "Lacks": _lacks(objects),
        "Unsupported": _unsupported(objects),
        "Replacement": _replacement(objects, now),
        "Events": _events(objects, now),
        "Not read": (Cell(f"{failure.kinds}: {failure.why}", Tone.BAD) for failure in objects.read_failures),
    }
    sections = ((title, tuple(lines)) for title, lines in parts.items())
    return Screen(
        tuple(_headline(objects, verdict(objects, now))),
        tuple(Section(title, lines) for title, lines in sections if lines),
    )


def _headline(objects: WorkloadObjects, judgement: Verdict) -> Iterator[Cell]:
    yield Cell(f"Workload {objects.namespace}/{objects.name}")
    reason = "" if judgement.level is Level.FINE else f" {judgement.reason}:"
    colon = ":" if judgement.level is not Level.LIMITED else ""
    yield Cell(f"{judgement.level}{colon}{reason} {judgement.message}", _TONES[judgement.level])
    if judgement.remedy:
        yield Cell(f"What to do: {judgement.remedy}")


def _isolation(objects: WorkloadObjects, now: datetime) -> Iterator[Cell]:
    isolation = part(objects.status, "isolation")
    if not isolation:
        condition = objects.condition("IsolationResolved")
        why = f": {condition['reason']}" if condition.get("reason") else ""
        yield Cell(f"requested {objects.spec.get('isolationPolicy')}, not resolved{why}", Tone.WAITING)
        return
    running, resolved = isolation.get("running"), isolation.get("resolved")
    yield Cell(
        f"requested {isolation.get('requested')}, resolved {resolved}, running {running or 'nothing'}",
        Tone.GOOD if running == resolved else Tone.WAITING,
    )
    policy, message = isolation.get("policy"), str(isolation.get("message"))
    decided = f"IsolationPolicy {policy}: " if policy and policy not in message else ""
    yield Cell(f"{isolation.get('reason')}: {decided}{message}")
    if isolation.get("pendingSince"):
        yield Cell(f"weaker than a policy requires for {age(isolation['pendingSince'], now)}", Tone.BAD)


def _hull(objects: WorkloadObjects, key: str, now: datetime) -> Iterator[Cell]:
    hull = part(objects.status, key)
    if not hull:
        stopped = objects.spec.get("state") == State.STOPPED
        yield Cell("none, as spec.state asks" if stopped else "none", Tone.PLAIN if stopped else Tone.WAITING)
        return
    ready = bool(hull.get("ready"))
    yield Cell(
        f"{hull.get('kind')} {hull.get('name')}, revision {hull.get('revision')}, "
        f"{'Ready' if ready else 'not Ready'}",
        Tone.GOOD if ready else Tone.WAITING,
    )
    obj = _object(objects, hull)
    born = obj["metadata"].get("creationTimestamp") if obj else hull.get("startedAt")
    yield Cell(
        f"node {hull.get('node') or 'none yet'}, address {hull.get('address') or 'none yet'}, "
        f"age {age(born, now)}"
    )
    if hull.get("kind") == "VirtualMachine":
        yield from _machine(objects, hull, obj)
    if obj and obj["metadata"].get("deletionTimestamp"):
        kept = obj["metadata"].get("finalizers")
        why = f"; it has finalizers: {', '.join(kept)}" if kept else ""
        since = age(obj["metadata"]["deletionTimestamp"], now)
        yield Cell(f"it was deleted {since} ago, and is ending{why}", Tone.WAITING)


def _object(objects: WorkloadObjects, hull: Raw) -> Raw | None:
    """The hull's object, None if it wasn't read or doesn't exist."""
    hulls = objects.hull_pods if hull.get("kind") == "Pod" else objects.own_machines
    return named(hulls, str(hull.get("name")))


def _machine(objects: WorkloadObjects, hull: Raw, obj: Raw | None) -> Iterator[Cell]:
    """What KubeVirt reports about a machine."""
    instance = objects.instance(str(hull.get("name")))
    printed = part(obj or {}, "status").get("printableStatus")
    phase = part(instance or {}, "status").get("phase")
    if printed or phase:
        yield Cell(f"KubeVirt says: VirtualMachine {printed or '-'}, VirtualMachineInstance {phase or '-'}")
    moves = part(hull, "migratable")
    if moves.get("possible") is True:
        yield Cell("can move to another node while it runs")
    elif moves:
        why = ": ".join(filter(None, (moves.get("reason"), moves.get("message"))))
        yield Cell(f"can't move to another node while it runs{f' ({why})' if why else ''}")


def _launchers(objects: WorkloadObjects, now: datetime) -> Iterator[Table | Cell]:
    hulls = part(objects.status, "hull"), part(objects.status, "previousHull")
    if not any(hull.get("kind") == "VirtualMachine" for hull in hulls):
        return
    if objects.launchers:
        yield _pods(objects.launchers, now)
    elif not objects.failed_to_read("Pods"):
        yield Cell("none", Tone.WAITING)


def _pods(pods: tuple[Raw, ...], now: datetime) -> Table:
    """A table of Pods, as `kubectl get pod -o wide` has it."""
    return Table(
        ("NAME", "READY", "STATUS", "RESTARTS", "AGE", "NODE"), tuple(_pod(pod, now) for pod in pods)
    )


def _pod(pod: Raw, now: datetime) -> TableRow:
    line = podline(pod)
    return (
        Cell(pod["metadata"]["name"]),
        Cell(line.ready),
        Cell(line.status, _tone(line.status)),
        Cell(line.restarts),
        Cell(age(pod["metadata"].get("creationTimestamp"), now)),
        Cell(part(pod, "spec").get("nodeName")),
    )


def _tone(status: str) -> Tone:
    """The meaning of a container's or a Pod's state, which is one word."""
    if status in {"Running", "Completed", "Succeeded"}:
        return Tone.GOOD
    passing = {"Pending", "ContainerCreating", "PodInitializing", "Terminating", "Waiting"}
    return Tone.WAITING if status in passing or status.startswith("Init:") else Tone.BAD


def _containers(objects: WorkloadObjects) -> Iterator[Cell | Table]:
    """The hull's Pod and its containers, as kubectl shows them."""
    hull = part(objects.status, "hull")
    pod = named(objects.hull_pods, str(hull.get("name")))
    rows = [_container(one) for one in _statuses(objects, pod)]
    if pod:
        line = podline(pod)
        restarts = f"{line.restarts} restart{'s' * (line.restarts != 1)}"
        yield Cell(f"{line.ready} ready, {line.status}, {restarts}", _tone(line.status))
    if rows:
        yield Table(("NAME", "READY", "STATUS", "RESTARTS", "LAST END"), tuple(rows))
    elif hull.get("kind") == "VirtualMachine" and objects.boots_disk:
        yield Cell("none: the machine boots a disk of its own")
    elif hull.get("kind") == "VirtualMachine":
        yield Cell("not known: only an operator with --guest-key-file asks a machine's guest for them")


def _statuses(objects: WorkloadObjects, pod: Raw | None) -> list[Raw]:
    """The states of the containers: those of the status, or else of the Pod."""
    statuses: list[Raw] = list(objects.status.get("containers") or ())
    if statuses or pod is None:
        return statuses
    return [one.model_dump(by_alias=True) for one in podstatus.containers(part(pod, "status"))]


def _container(container: Raw) -> TableRow:
    state, code = container.get("state"), container.get("exitCode")
    word = str(container.get("reason") or state)
    ended = f" (exit code {code})" if code is not None else ""
    last = " ".join(
        str(word)
        for word in (
            container.get("lastReason"),
            f"(exit code {container['lastExitCode']})" if container.get("lastExitCode") is not None else None,
        )
        if word
    )
    is_init = " (init)" if container.get("init") else ""
    return (
        Cell(f"{container.get('name')}{is_init}"),
        Cell("yes" if container.get("ready") else "no"),
        Cell(f"{word}{ended}", _tone(word)),
        Cell(container.get("restarts", 0), Tone.WAITING if container.get("restarts") else Tone.PLAIN),
        Cell(last),
    )


def _exit(objects: WorkloadObjects, now: datetime) -> Iterator[Cell]:
    ended = part(objects.status, "exit")
    if not ended:
        return
    code = ended.get("code")
    parts = (
        f"{ended.get('reason')}",
        f"exit code {code}" if code is not None else "no exit code is known",
        f"container {ended['container']}" if ended.get("container") else "",
        f"{age(ended['finishedAt'], now)} ago" if ended.get("finishedAt") else "",
    )
    yield Cell(", ".join(filter(None, parts)), Tone.GOOD if code == 0 else Tone.BAD)
    if ended.get("message"):
        yield Cell(ended["message"])


def _service(objects: WorkloadObjects) -> Iterator[Cell]:
    if objects.failed_to_read("Services"):
        return
    if objects.own_service is None:
        yield Cell(_no_service(objects))
        return
    spec = part(objects.own_service, "spec")
    ports = ", ".join(_port(port) for port in spec.get("ports") or ())
    outside = part(part(objects.own_service, "status"), "loadBalancer").get("ingress") or ()
    addresses = ", ".join(str(one.get("ip") or one.get("hostname")) for one in outside)
    balanced = f", from outside {addresses or 'pending'}" if spec.get("type") == "LoadBalancer" else ""
    yield Cell(
        f"{spec.get('type')} {objects.name}, {spec.get('clusterIP') or 'no address'}{balanced}: {ports}"
    )
    if objects.failed_to_read("EndpointSlices"):
        return
    all_endpoints = endpoints(objects)
    ready = [where for where, is_ready in all_endpoints if is_ready]
    unready = [where for where, is_ready in all_endpoints if not is_ready]
    yield Cell(
        f"{len(ready)} ready endpoint{'s' * (len(ready) != 1)}{': ' if ready else ''}{'; '.join(ready)}",
        Tone.GOOD if ready else Tone.WAITING,
    )
    if unready:
        yield Cell(f"not ready: {'; '.join(unready)}", Tone.WAITING)


def _no_service(objects: WorkloadObjects) -> str:
    service = part(objects.spec, "service")
    if service.get("enabled") is False:
        return "none, as spec.service.enabled is false"
    template = part(part(objects.spec, "template") or NO_TEMPLATE, "spec")
    if not service.get("ports") and not declared({"containers": [], **template}):
        return "none, since no container names a port, and spec.service.ports is empty"
    return f"none: Service {objects.name} isn't this Workload's" if objects.service else "none yet"


def _port(port: Raw) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{node}/{port.get('protocol')} → {port.get('targetPort')}"


def _disks(objects: WorkloadObjects) -> Iterator[Table | Cell]:
    if not objects.disks:
        return
    head = ("NAME", "CLAIM", "SIZE", "PHASE", "PROGRESS", "ATTACHED")
    yield Table(head, tuple(_disk(disk) for disk in objects.disks))
    for disk in objects.disks:
        if disk.get("message"):
            yield Cell(f"{disk.get('name')}: {disk['message']}", Tone.BAD)
        if failure := part(disk, "failure"):
            how = f"{disk.get('name')}: an import failed, {failure.get('attempts')} attempts at least"
            yield Cell(f"{how}: {failure.get('message')}", Tone.BAD)


def _disk(disk: Raw) -> TableRow:
    phase = disk.get("phase")
    return (
        Cell(disk.get("name")),
        Cell(disk.get("claim")),
        Cell(disk.get("size")),
        Cell(phase, Tone.GOOD if phase == "Succeeded" else Tone.WAITING),
        Cell(disk.get("progress")),
        Cell("yes" if disk.get("attached") else "no"),
    )


def _lacks(objects: WorkloadObjects) -> Iterator[Cell]:
    for lack in objects.status.get("lacks") or ():
        yield Cell(f"{lack.get('reason')}: {lack.get('message')}", Tone.BAD)


def _unsupported(objects: WorkloadObjects) -> Iterator[Cell]:
    for field in objects.status.get("unsupportedFields") or ():
        yield Cell(f"spec.template.{field.get('path')}: {field.get('reason')}", Tone.BAD)


def _replacement(objects: WorkloadObjects, now: datetime) -> Iterator[Cell]:
    replacement = part(objects.status, "replacement")
    if replacement.get("failedAt"):
        when = age(replacement["failedAt"], now)
        yield Cell(
            f"by revision {replacement.get('revision')}: given up {when} ago: {replacement.get('message')}",
            Tone.BAD,
        )
    elif replacement:
        since = age(replacement.get("startedAt"), now)
        yield Cell(f"by revision {replacement.get('revision')}: under way for {since}", Tone.WAITING)
    lost = part(objects.status, "backOff")
    if lost:
        why = ": ".join(filter(None, (lost.get("reason"), lost.get("message"))))
        times = lost.get("losses")
        yield Cell(
            f"{times} hull{'s' * (times != 1)} of revision {lost.get('revision')} lost in a row, the last "
            f"{age(lost.get('lostAt'), now)} ago{f' ({why})' if why else ''}; the next one is made at "
            f"{lost.get('retryAt')}",
            Tone.BAD,
        )


def _events(objects: WorkloadObjects, now: datetime) -> Iterator[Table | Cell]:
    if objects.failed_to_read("Events"):
        return
    listed = events.in_order(objects.events)
    if not listed:
        yield Cell("none", Tone.FAINT)
        return
    yield events.table(listed[-_EVENTS:], now)
    if len(listed) > _EVENTS:
        yield Cell(
            f"{len(listed) - _EVENTS} older ones: {commands.ours('events', objects.name, objects.namespace)}",
            Tone.FAINT,
        )
