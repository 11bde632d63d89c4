"""The report: medians over the rounds, and ratios, since only those mean something on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from tests.bench.outcome import Outcome

Rounds = Mapping[str, Sequence[Outcome]]
Column = tuple[str, Callable[[Outcome], float]]

HULLS: Column = ("hulls/s", lambda outcome: outcome.hulls)
DONE: Column = ("done/s", lambda outcome: outcome.done)
P50: Column = ("p50 s", lambda outcome: outcome.p50)
P99: Column = ("p99 s", lambda outcome: outcome.p99)
CPU: Column = ("CPU s", lambda outcome: outcome.cpu)


def table(rounds: Rounds, columns: Sequence[Column]) -> Iterable[str]:
    """A line for each contestant: the median, and the rounds that it is of; then the first one's ratios to
    the others.
    """
    yield _line("", [title for title, _ in columns])
    for name, outcomes in rounds.items():
        yield _line(name, [_median(outcomes, value) for _, value in columns])
    first, *others = rounds
    for other in others:
        ratios = [_ratio(rounds[first], rounds[other], value) for _, value in columns]
        yield _line(f"  {first} : {other}", ratios)


def cost(name: str, outcomes: Sequence[Outcome]) -> str:
    """What one object costs a contestant in requests, and all of them in memory."""
    kinds = outcomes[0].requests
    costs = ", ".join(f"{median(each.requests[kind] for each in outcomes):.2f} {kind}" for kind in kinds)
    memory, restarted = max(each.memory for each in outcomes), max(each.restarted for each in outcomes)
    again = f", and {restarted:.0f} MiB when it was started with all of them there" if restarted else ""
    return f"{name}: one object costs {costs}. The process had {memory:.0f} MiB of memory at most{again}."


def _line(name: str, cells: Iterable[str]) -> str:
    return f"   {name:<35}" + "".join(f"  {cell:>18}" for cell in cells)


def _median(outcomes: Sequence[Outcome], value: Callable[[Outcome], float]) -> str:
    values = [value(outcome) for outcome in outcomes]
    return f"{_number(median(values))} ({', '.join(map(_number, values))})"


def _ratio(ours: Sequence[Outcome], theirs: Sequence[Outcome], value: Callable[[Outcome], float]) -> str:
    return f"{median(map(value, ours)) / median(map(value, theirs)):.2f}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"
