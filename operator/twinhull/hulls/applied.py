"""What a hull was last given of what can change while it runs: a note that it carries as an annotation.

A Pod itself doesn't tell: others add labels and annotations to it, and webhooks rewrite its images. Nor does
a machine, whose Pod is in its manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Annotated

from pydantic import Field, TypeAdapter

from twinhull.api.base import GROUP, Raw
from twinhull.hulls import quantity
from twinhull.hulls.changeable import resizable

APPLIED_ANNOTATION = f"{GROUP}/applied"


@dataclass(frozen=True, slots=True)
class RenamedRevision:
    """A revision of an earlier operator, and the present operator's names for it.

    It is valid while the hull has the revision `former`. Any operator may change the hull's revision.
    """

    #: The revision as the earlier operator computed it.
    former: Annotated[str, Field(alias="of")]
    #: The same revision as the present operator computes it.
    revision: str
    #: `Applied.fixed` as the present operator computes it.
    fixed: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What a hull was last given: noted on the hull, so that a change can be compared with it."""

    #: A hash of everything that can't change in place.
    fixed: str
    #: The keys of the template's labels.
    labels: tuple[str, ...]
    #: The keys of the template's annotations.
    annotations: tuple[str, ...]
    #: The images, by container. A template has at least one container.
    images: Annotated[Mapping[str, str], Field(min_length=1)]
    #: Requests and limits of CPU and memory, by container.
    resources: Mapping[str, dict[str, dict[str, str | int | float]]]
    #: By container, the ids that it had when the Pod got its last new images, each with the image that the
    #: Pod then named for it. While such an id is there and the Pod names another image, the container hasn't
    #: been restarted yet.
    outgoing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Whether a machine's change isn't over yet.
    pending: bool = False
    #: The containers that may have got other resources, between the first and the last write of a change.
    attempted: tuple[str, ...] = ()
    #: The names of the template's init containers; None if an earlier operator noted none.
    init_containers: tuple[str, ...] | None = None
    #: The names of the template's volumes; None if an earlier operator noted none.
    volumes: tuple[str, ...] | None = None
    #: The RuntimeClass of the sandbox that a Pod was made as; empty if it was made as none.
    sandbox: str = ""
    #: Set if an earlier operator computed the revision and `fixed` in another way.
    renamed_revision: Annotated[RenamedRevision | None, Field(alias="same")] = None

    @classmethod
    def of(cls, template: Raw, fixed: str) -> Applied:
        """What a template gives to its hull."""
        metadata, spec = template.get("metadata") or {}, template["spec"]
        containers = spec["containers"]
        return cls(
            fixed,
            tuple(sorted(metadata.get("labels") or ())),
            tuple(sorted(metadata.get("annotations") or ())),
            {container["name"]: container.get("image", "") for container in containers},
            {container["name"]: resizable(container) for container in containers},
            init_containers=_names(spec.get("initContainers")),
            volumes=_names(spec.get("volumes")),
        )

    @classmethod
    def read(cls, hull: Raw) -> Applied | None:
        """A Pod's or VirtualMachine's note, None if it has none that can be read: whoever may change a Pod
        may write anything there.
        """
        text = (hull["metadata"].get("annotations") or {}).get(APPLIED_ANNOTATION)
        try:
            applied = _NOTES.validate_json(text or "", strict=True)
            for kinds in applied.resources.values():
                for amount in chain(*(amounts.values() for amounts in kinds.values())):
                    quantity.parse(amount)
        except ValueError:  # pydantic's are such, too
            return None
        return applied

    def outdated(self, container_ids: Mapping[str, str], named: Mapping[str, str]) -> list[str]:
        """The containers, of those that are there, that still run an image of before. `named` are the images
        that the Pod names now: a webhook may have made the same digest of the new image as of the former one,
        and the kubelet then starts nothing anew. Earlier operators noted the template's image for an id.
        """
        running = {name: ran.get(container_ids.get(name, "")) for name, ran in self.outgoing.items()}
        return [
            name
            for name, image in running.items()
            if image not in {None, self.images.get(name), named.get(name)}
        ]

    def outgoing_images(self, container_ids: Mapping[str, str]) -> tuple[str, ...]:
        """The images that containers ran when the Pod got other images, while those containers run on."""
        ran = (images.get(container_ids.get(name, "")) for name, images in self.outgoing.items())
        return tuple(image for image in ran if image)

    def part_of(self, spec: Raw) -> Raw:
        """The spec of a Pod with only those containers and volumes that its template had. Where an earlier
        operator noted no names, it is all of them.
        """
        named = {
            "containers": self.images,
            "initContainers": self.init_containers,
            "volumes": self.volumes,
        }
        known = {part: frozenset(names) for part, names in named.items() if names is not None}
        own = {
            part: [one for one in spec[part] if one["name"] in names]
            for part, names in known.items()
            if spec.get(part)
        }
        return {**spec, **own}

    def is_resized_so(self, pod: Raw) -> bool:
        """Whether a Pod asks its node for the CPU and memory that it was given. If not, somebody else resizes
        it (a VerticalPodAutoscaler), and how far that is isn't the Workload's business.
        """
        requested = {one["name"]: one.get("resources") or {} for one in pod["spec"]["containers"]}
        amounts = [
            (amount, (requested.get(name, {}).get(kind) or {}).get(resource))
            for name, kinds in self.resources.items()
            for kind, values in kinds.items()
            for resource, amount in values.items()
        ]
        return bool(amounts) and all(
            seen is not None and quantity.parse(seen) == quantity.parse(amount) for amount, seen in amounts
        )

    def as_annotation(self) -> str:
        """The annotation's value."""
        seldom = {"pending", "attempted", "sandbox"}
        fields = {
            key: value
            for key, value in _NOTES.dump_python(self, by_alias=True).items()
            if value is not None and (key not in seldom or value)
        }
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


_NOTES = TypeAdapter(Applied)


def _names(named: Iterable[Raw] | None) -> tuple[str, ...]:
    return tuple(sorted(one["name"] for one in named or ()))


def images(pod: Raw) -> dict[str, str]:
    """The images that a Pod names, by container, as webhooks have rewritten them."""
    return {container["name"]: container.get("image") or "" for container in pod["spec"]["containers"]}
