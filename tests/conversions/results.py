"""Everything that the unit tests of conversions convert, and what comes of it.

A command line that is refused gives nothing. Each result has a name by which tables of tests call it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.unit.convert import compose_samples, dockerrun_samples, machines_samples
from tests.unit.convert.kubernetes import examples
from twinhull.api.base import Raw
from twinhull.convert.conversion import CannotConvert, Conversion


@dataclass(frozen=True)
class Result:
    """An input that was converted."""

    #: Such as `compose/wordpress` and `docker-run/ports-3`, the third line of ports.txt.
    name: str
    conversion: Conversion

    @property
    def workloads(self) -> list[Raw]:
        """The Workloads that were made."""
        return [obj for obj in self.conversion.objects if obj["kind"] == "Workload"]


def results() -> list[Result]:
    """All of them."""
    return [*_compose(), *_docker_run(), *_kubernetes(), *_machines()]


def _compose() -> Iterator[Result]:
    for path in compose_samples.INPUTS:
        yield Result(f"compose/{compose_samples.name_of(path)}", compose_samples.converted(path))


def _docker_run() -> Iterator[Result]:
    for subject in dockerrun_samples.SUBJECTS:
        for number, line in enumerate(dockerrun_samples.lines(subject), start=1):
            try:
                made = dockerrun_samples.converted(line, subject)
            except CannotConvert:
                continue
            yield Result(f"docker-run/{subject.stem}-{number}", made)


def _kubernetes() -> Iterator[Result]:
    for name in examples.EXAMPLES:
        yield Result(f"kubernetes/{name}", examples.converted(*examples.read(name)))


def _machines() -> Iterator[Result]:
    for sample in machines_samples.SAMPLES:
        yield Result(f"{sample.of.name}/{sample.path.stem}", sample.converted())
