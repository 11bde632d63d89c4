"""Applies a person's choices to a conversion, whatever its Workloads are made of."""

from __future__ import annotations

from dataclasses import replace

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.convert.conversion import CannotConvert, Conversion


def placed(conversion: Conversion, namespace: str | None) -> Conversion:
    """A conversion with all its objects in a namespace; unchanged if that is None."""
    if namespace is None:
        return conversion
    objects = ({**obj, "metadata": {**obj["metadata"], "namespace": namespace}} for obj in conversion.objects)
    return replace(conversion, objects=tuple(objects))


def isolated(conversion: Conversion, isolation: Isolation | None) -> Conversion:
    """A conversion whose Workloads ask for an isolation; unchanged if that is None.

    Raises CannotConvert for a machine that has no containers that another isolation could run.
    """
    if isolation is None:
        return conversion
    return replace(conversion, objects=tuple(_asking(obj, isolation) for obj in conversion.objects))


def _asking(obj: Raw, isolation: Isolation) -> Raw:
    if obj["kind"] != "Workload":
        return obj
    if "template" not in obj["spec"] and isolation is not Isolation.VIRTUAL_MACHINE:
        raise CannotConvert(
            f"Workload {obj['metadata']['name']} boots a disk, and has no containers for isolation "
            f"{isolation}: leave out --isolation, and add spec.template to the Workload once there is an "
            "image"
        )
    rest = {key: value for key, value in obj["spec"].items() if key != "isolationPolicy"}
    return {**obj, "spec": {"isolationPolicy": isolation.value, **rest}}
