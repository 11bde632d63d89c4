"""Steps of the world, in any order: what people do, what breaks, what everybody does of their own accord."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import strategies as st

from tests.sequences import CHANGES
from tests.sequences.changes import container
from twinhull.api.base import Raw
from twinhull.shell.errors import Refused, ServerError, TimedOut, Unreachable

from .simulation import Simulation

#: What happens, and a number that chooses among its ways.
Step: TypeAlias = tuple[str, int]

ISOLATIONS = ("Container", "Sandbox", "VirtualMachine")
#: The changes that a Workload under StartFirst is to come through without a gap.
GENTLE_CHANGES = tuple(change for change in CHANGES if not change.takes_away)

_WORK = [*["deliver"] * 3, *["reconcile"] * 3, *["everybody"] * 2, "wait"]
_ACCIDENTS = ["restart", "relist", "crash", "crash", "cut", "refuse", "allow", "kubevirt", "runtimeclass"]
_GENTLE = [*_WORK, *["kubelet kindly"] * 2, *["virt kindly"] * 3, *_ACCIDENTS]
_ROUGH = [
    *(*_WORK, *["kubelet"] * 2, *["virt"] * 3, *_ACCIDENTS),
    *("delete", "vanish", "lose", "stranger", "recreate", "collect", "collect"),
]
_NUMBERS = st.integers(0, 1000)


def episodes(change: str, kinds: list[str]) -> st.SearchStrategy[list[Step]]:
    """Sequences of changes, each followed by some kinds of steps, and then often by rest."""
    rest = st.sampled_from([0, 3, 9]).map(lambda rounds: [("everybody", number) for number in range(rounds)])
    some = st.lists(st.tuples(st.sampled_from(kinds), _NUMBERS), max_size=8)
    episode = st.tuples(st.tuples(st.just(change), _NUMBERS), some, rest).map(
        lambda parts: [parts[0], *parts[1], *parts[2]]
    )
    return st.lists(episode, min_size=4, max_size=9).map(
        lambda found: [step for part in found for step in part]
    )


ROUGH_STEPS, GENTLE_STEPS = episodes("change", _ROUGH), episodes("gentle change", _GENTLE)


def _spec(isolation: str, state: str, strategy: str, restart: str, drain: int, service: bool) -> Raw:  # noqa: FBT001, PLR0913, PLR0917
    started_first = strategy == "StartFirst"
    replacement = {"strategy": strategy, "progressDeadlineSeconds": 60, "drainSeconds": drain}
    restart_policy = "Always" if started_first else restart
    return {
        "isolationPolicy": isolation,
        "state": state,
        "replacement": replacement,
        "service": {"enabled": service},
        "template": {"spec": {"containers": [container()], "restartPolicy": restart_policy}},
    }


_DRAINS = st.sampled_from([0, 1, 5])
SPECS = st.builds(
    _spec,
    st.sampled_from(ISOLATIONS),
    st.sampled_from(["Running", "Running", "Stopped"]),
    st.sampled_from(["Recreate", "StartFirst", "StartFirst"]),
    st.sampled_from(["Always", "OnFailure", "Never"]),
    _DRAINS,
    st.booleans(),
)
GENTLE_SPECS = st.builds(
    _spec,
    st.sampled_from(ISOLATIONS),
    st.just("Running"),
    st.just("StartFirst"),
    st.just("Always"),
    _DRAINS,
    st.just(True),  # noqa: FBT003
)


def take(world: Simulation, step: str, choice: int) -> None:  # noqa: C901, PLR0912  one line a step
    """One step of the world."""
    match step:
        case "change":
            world.change(CHANGES[choice % len(CHANGES)])
        case "gentle change":
            world.change(GENTLE_CHANGES[choice % len(GENTLE_CHANGES)])
        case "kubelet kindly":
            world.kubelet(choice, kindly=True)
        case "virt kindly":
            world.virt(choice, kindly=True)
        case "lose":
            world.nodes.lose(choice)
        case "vanish":
            world.vanish()
        case "delete":
            world.delete_something(choice)
        case "kubevirt" | "runtimeclass":
            world.switch({"kubevirt": "KubeVirt", "runtimeclass": "RuntimeClass"}[step])
        case "crash":
            world.cluster.killed_at[len(world.cluster.writes) + choice % 3] = choice % 2 == 0
        case "cut":
            world.cluster.accident = (Unreachable, choice % 2 == 0)
        case "refuse":
            verbs = [("create", kind) for kind in ("Pod", "VirtualMachine", "ConfigMap", "Service")]
            verbs += [("delete", kind) for kind in ("Pod", "VirtualMachine", "Service")]
            verbs += [("patch", kind) for kind in ("Service", "Pod", "VirtualMachine")] + [
                ("patch/resize", "Pod")
            ]
            errors = (Refused("not here"), ServerError("not now"), TimedOut("context deadline exceeded"))
            world.cluster.refused[verbs[choice % len(verbs)]] = errors[choice % 3]
        case "allow":
            world.cluster.refused.clear()
        case "wait":
            world.wait((1, 10, 700)[choice % 3])
        case "restart":
            world.restart()
        case "relist":
            world.relist()
        case _:
            getattr(world, step)(choice)
