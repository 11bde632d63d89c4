"""The line of a Pod, as in `kubectl get pod` (k8s.io/kubernetes/pkg/printers/internalversion, printPod)."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.hulls.objectmeta import condition
from twinhull.view.workloadobjects import part


@dataclass(frozen=True, slots=True)
class PodLine:
    """The columns READY, STATUS and RESTARTS."""

    #: How many of the containers and sidecars are ready, such as 1/2.
    ready: str
    #: The Pod's state in one word, such as Running, Init:0/1 or CrashLoopBackOff.
    status: str
    #: How often its containers were restarted.
    restarts: int


def podline(pod: Raw) -> PodLine:
    """A Pod's line."""
    status, spec = part(pod, "status"), part(pod, "spec")
    inits, mains = status.get("initContainerStatuses") or [], status.get("containerStatuses") or []
    init_containers = spec.get("initContainers") or []
    sidecars = {one["name"] for one in init_containers if one.get("restartPolicy") == "Always"}
    held_up = _held_up(inits, sidecars, len(init_containers))
    initialized = condition(pod, "Initialized").get("status") == "True"
    counted = [one for one in inits if one["name"] in sidecars]
    running = held_up and not initialized
    lasting = [*counted, *(() if running else mains)]
    word = held_up if running else _word(pod, mains)
    return PodLine(
        f"{sum(_is_ready(one) for one in lasting)}/{len(spec.get('containers') or ()) + len(sidecars)}",
        _ending(pod, word or status.get("reason") or status.get("phase") or "Unknown"),
        sum(one.get("restartCount") or 0 for one in (inits if running else [*counted, *mains])),
    )


def _held_up(inits: list[Raw], sidecars: set[str], total: int) -> str:
    """The word for the init containers that the Pod waits for, empty if it waits for none."""
    for number, container in enumerate(inits):
        state = part(container, "state")
        ended, waiting = part(state, "terminated"), part(state, "waiting")
        if container["name"] in sidecars and container.get("started"):
            continue
        if ended:
            if ended.get("exitCode") == 0:
                continue
            return f"Init:{ended.get('reason') or _end(ended)}"
        if waiting.get("reason") not in {None, "", "PodInitializing"}:
            return f"Init:{waiting['reason']}"
        return f"Init:{number}/{total}"
    return ""


def _word(pod: Raw, mains: list[Raw]) -> str:
    """The word for the Pod's state by its containers, empty if they give none. The first container with a
    word decides.
    """
    word, runs = "", False
    for container in reversed(mains):
        state = part(container, "state")
        waiting, ended = part(state, "waiting"), part(state, "terminated")
        if waiting.get("reason"):
            word = waiting["reason"]
        elif ended:
            word = ended.get("reason") or _end(ended)
        runs = runs or _is_ready(container)
    if word == "Completed" and runs:
        return "Running" if condition(pod, "Ready").get("status") == "True" else "NotReady"
    if not word and condition(pod, "PodScheduled").get("reason") == "SchedulingGated":
        return "SchedulingGated"
    return word


def _ending(pod: Raw, word: str) -> str:
    if not pod["metadata"].get("deletionTimestamp"):
        return word
    if part(pod, "status").get("reason") == "NodeLost":
        return "Unknown"
    return word if part(pod, "status").get("phase") in {"Succeeded", "Failed"} else "Terminating"


def _is_ready(container: Raw) -> bool:
    return bool(container.get("ready")) and "running" in part(container, "state")


def _end(ended: Raw) -> str:
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode')}"
