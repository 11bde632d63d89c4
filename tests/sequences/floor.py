"""The floor that policies lay under a Workload, worked out apart from the operator, to hold it against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Raw = dict[str, Any]

_ORDER = ("Container", "Sandbox", "VirtualMachine")


@dataclass(frozen=True)
class Demand:
    """How strong a hull has to be, as a place in the order of isolations, and whether there may be none.

    `floor` is the strongest minimum of the policies that concern the Workload.
    """

    strength: int
    floor: int
    rejected: bool

    @property
    def isolation(self) -> str:
        """The isolation of that strength."""
        return _ORDER[self.strength]


def demand(workload: Raw, policies: Iterable[Raw], namespace_labels: Raw) -> Demand:
    """What is demanded of a Workload's hull by its spec and by the policies, as they are."""
    concerning = [found["spec"] for found in policies if _concerns(found["spec"], workload, namespace_labels)]
    requested = _asked(workload["spec"].get("isolationPolicy", "Auto"), concerning)
    minima = {"Raise": 0, "Reject": 0}  # what Evict adds to Raise ends hulls, and makes none
    for policy in concerning:
        how = "Reject" if policy.get("onViolation") == "Reject" else "Raise"
        minima[how] = max(minima[how], _ORDER.index(policy.get("minimum", "Container")))
    rejected = minima["Reject"] > requested
    raised = requested if rejected else max(requested, minima["Raise"])
    return Demand(raised, max(minima.values()), rejected)


def strength(hull: Raw) -> int:
    """How strong a hull is: a Pod, a Pod with a RuntimeClass, a machine."""
    if hull["kind"] != "Pod":
        return _ORDER.index("VirtualMachine")
    return _ORDER.index("Sandbox" if hull["spec"].get("runtimeClassName") else "Container")


def _asked(policy: str, concerning: list[Raw]) -> int:
    """By name, or what the one policy that has a default makes of Auto."""
    defaults = [found["default"] for found in concerning if "default" in found]
    return _ORDER.index(policy if policy != "Auto" else next(iter(defaults), "Container"))


def _concerns(policy: Raw, workload: Raw, namespace_labels: Raw) -> bool:
    match, images = policy.get("match", {}), list(_images(workload["spec"]["template"]["spec"]))
    labels = workload["metadata"].get("labels") or {}
    return (
        _has(namespace_labels, match.get("namespaceSelector"))
        and _has(labels, match.get("workloadSelector"))
        and ("images" not in match or any(_fits(image, match["images"]) for image in images))
    )


def _fits(image: str, patterns: list[str]) -> bool:
    """Whether an image that has a tag fits patterns of the form **/name and **/name:tag."""
    wanted = [pattern.removeprefix("**/") for pattern in patterns]
    return image in wanted or image.partition(":")[0] in wanted


def _has(labels: Raw, selector: Raw | None) -> bool:
    return selector is None or selector["matchLabels"].items() <= labels.items()


def _images(pod_spec: Raw) -> Iterator[str]:
    return (container["image"] for container in pod_spec["containers"])
