"""How long `plan()` takes for each golden case, and which rules take longest.

    make bench-plan
    python -m tests.bench.decisions --save before.json     # then change a rule, and
    python -m tests.bench.decisions --against before.json  # see it next to what it was

Times are CPU time of one thread, the shortest of many runs, so other work on the machine hardly changes
them. They still depend on the processor: compare them with each other, or with a file that was saved on the
same machine.
"""

from __future__ import annotations

import gc
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import click

from tests.unit.core.test_golden import INPUTS, read
from twinhull.core.case import Case
from twinhull.core.plan import plan
from twinhull.core.rules import RULES

#: How many runs the shortest is taken of.
_RUNS = 40
_NANOSECONDS = 1_000
_SLOWEST = 12

Clock = Callable[[], int]


@dataclass(frozen=True)
class Timing:
    """What deciding one case takes, in microseconds.

    `rules` has each rule that was asked, by its name. A value that several rules need is worked out by the
    first of them that asks, so it counts for that one.
    """

    case: str
    plan: float
    rules: Mapping[str, float] = field(default_factory=dict)


def measure(name: str, case: Case, runs: int = _RUNS, clock: Clock = time.thread_time_ns) -> Timing:
    """Time one case. Every run decides on a new Case, which has worked out nothing yet."""
    whole, rules = [], []
    gc.collect()
    gc.disable()
    try:
        for _ in range(runs):
            fresh = replace(case)
            began = clock()
            plan(fresh)
            whole.append(clock() - began)
            rules.append(_timed_rules(replace(case), clock))
    finally:
        gc.enable()
    shortest = {rule: min(run[rule] for run in rules) / _NANOSECONDS for rule in rules[0]}
    return Timing(name, min(whole) / _NANOSECONDS, shortest)


def _timed_rules(case: Case, clock: Clock) -> dict[str, int]:
    """How long each rule takes, in nanoseconds, up to the one that decides."""
    taken = {}
    for rule in RULES:
        began = clock()
        step = rule(case)
        taken[rule.__name__] = clock() - began
        if step is not None:
            break
    return taken


def table(timings: Iterable[Timing], baseline: Mapping[str, float]) -> Iterable[str]:
    """A line for each case, the slowest first; then the rules by all that they take in all cases."""
    slowest_first = sorted(timings, key=lambda timing: -timing.plan)
    usual = median(timing.plan for timing in slowest_first)
    yield _line("case", "µs", "of median", "of before", "its slowest rule")
    for timing in slowest_first:
        rule, took = max(timing.rules.items(), key=lambda entry: entry[1])
        earlier = f"{timing.plan / baseline[timing.case]:.2f}" if timing.case in baseline else ""
        ratio = f"{timing.plan / usual:.2f}"
        yield _line(timing.case, f"{timing.plan:.0f}", ratio, earlier, f"{rule} {took:.0f}")
    yield _line("median", f"{usual:.0f}", "1.00", _against(slowest_first, baseline), "")
    yield ""
    yield _line("rule", "µs", "of all", "most", "in")
    yield from _rules(slowest_first)


def _against(timings: list[Timing], baseline: Mapping[str, float]) -> str:
    ratios = [timing.plan / baseline[timing.case] for timing in timings if timing.case in baseline]
    return f"{median(ratios):.2f}" if ratios else ""


def _rules(timings: list[Timing]) -> Iterable[str]:
    """The slowest rules: all cases together, their share of all that plans take, and where they take most."""
    total, whole = Counter[str](), sum(timing.plan for timing in timings)
    for timing in timings:
        total.update(timing.rules)
    for rule, took in total.most_common(_SLOWEST):
        worst = max(timings, key=lambda timing: timing.rules.get(rule, 0.0))
        yield _line(rule, f"{took:.0f}", f"{took / whole:.2f}", f"{worst.rules[rule]:.0f}", worst.case)
    rest = whole - sum(total.values())
    yield _line("(upkeep, status and Events)", f"{rest:.0f}", f"{rest / whole:.2f}", "", "")


def _line(name: str, *cells: str) -> str:
    *numbers, last = cells
    return f"{name:<36}" + "".join(f"{cell:>11}" for cell in numbers) + f"  {last}"


@click.command(help=__doc__)
@click.option("--save", type=click.Path(path_type=Path), help="Write the times to this file.")
@click.option("--against", type=click.Path(path_type=Path, exists=True), help="Show ratios to a saved file.")
def main(save: Path | None, against: Path | None) -> None:
    """Time every golden case."""
    timings = [measure(path.name.removesuffix(".input.yaml"), read(path)[0]) for path in INPUTS]
    baseline = json.loads(against.read_text(encoding="utf-8")) if against else {}
    for line in table(timings, baseline):
        click.echo(line.rstrip())
    if save:
        times = {timing.case: timing.plan for timing in timings}
        save.write_text(json.dumps(times, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
