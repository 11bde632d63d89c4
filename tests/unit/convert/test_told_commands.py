"""Commands that are told beside what is converted are for the namespace that a person has chosen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace

from tests.unit.commands import elsewhere
from tests.unit.convert import compose_samples, dockerrun_samples, machines_samples
from tests.unit.convert.kubernetes import examples
from twinhull.convert import compose, dockerrun
from twinhull.convert.conversion import CannotConvert, Conversion

CHOSEN = "elsewhere"


def _conversions() -> Iterator[Conversion]:
    for path in compose_samples.INPUTS:
        read = compose_samples.reader(path)
        yield compose.convert(
            path.read_text("utf-8"), environment=compose_samples.ENVIRONMENT, read=read, namespace=CHOSEN
        )
    for subject in dockerrun_samples.SUBJECTS:
        files = dockerrun_samples.files(subject)
        for line in dockerrun_samples.lines(subject):
            try:
                yield dockerrun.convert(shlex.split(line), read=files.get, namespace=CHOSEN)
            except CannotConvert:
                continue
    for name in examples.EXAMPLES:
        yield examples.converted(*examples.read(name), namespace=CHOSEN)
    for sample in machines_samples.SAMPLES:
        yield sample.of.convert(sample.text, replace(sample.options, namespace=CHOSEN))


def test_commands_that_are_told_name_a_namespace() -> None:
    """What is to be done with a machine that is converted from a cluster is done in its own namespace."""
    count = 0
    for conversion in _conversions():
        names = {obj["metadata"]["name"] for obj in conversion.objects}
        for why in (one.why for one in conversion.left):
            count += f" -n {CHOSEN}" in why
            found = {name: wrong for name in names if (wrong := elsewhere(why, name, r"[\w-]+"))}
            assert found == {}, why
    assert count > 20
