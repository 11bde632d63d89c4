"""Objects of Kubernetes and KubeVirt that run something, made into Workloads."""

from __future__ import annotations

from collections.abc import Sequence

from twinhull.convert.conversion import CannotConvert, Conversion
from twinhull.convert.formats import Input, Options


def convert(inputs: Sequence[Input], options: Options) -> Conversion:
    """The Workloads of Deployments, Pods, machines and others among objects. Raises CannotConvert."""
    del options
    raise CannotConvert(f"{inputs[0].source}: nothing is converted yet")
