"""The note on a hull of the values that it was last given of the fields that can change while it runs.

The hull's object doesn't tell these values. Others add labels and annotations to a Pod, and webhooks rewrite
its images. The Pod of a machine is in its manifest.
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

    #: The revision as the earlier operator computed it. The key in the annotation is `of`.
    former: Annotated[str, Field(alias="of")]
    #: The same revision as the present operator computes it.
    revision: str
    #: `Applied.fixed` as the present operator computes it.
    fixed: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The values that a hull was last given, noted on the hull so that a change can be compared with them."""

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
    #: By container, the ids that it had when the Pod was last given new images, each with the image that the
    #: Pod named for it until then. While the container still has such an id and the Pod names another image,
    #: it hasn't been restarted yet.
    outgoing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Whether the last change of a machine isn't completed yet.
    pending: bool = False
    #: The containers that may have been given other resources, between the first and the last write of a
    #: change. Empty if no change is under way.
    attempted: tuple[str, ...] = ()
    #: The names of the template's init containers; None if an earlier operator noted none.
    init_containers: tuple[str, ...] | None = None
    #: The names of the template's volumes; None if an earlier operator noted none.
    volumes: tuple[str, ...] | None = None
    #: The RuntimeClass of the sandbox that a Pod was made as; empty if the Pod was made as a plain one.
    sandbox: str = ""
    #: Set if an earlier operator computed the revision and `fixed` in another way. The key in the annotation
    #: is `same`.
    renamed_revision: Annotated[RenamedRevision | None, Field(alias="same")] = None

    @classmethod
    def of(cls, template: Raw, fixed: str) -> Applied:
        """The values that a template gives to its hull. `fixed` is the hash of the fields that can't change
        in place.
        """
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
        """The note on a Pod or VirtualMachine; None if there is none that can be read: whoever may change the
        object may write anything there.
        """
        text = (hull["metadata"].get("annotations") or {}).get(APPLIED_ANNOTATION)
        try:
            applied = _NOTES.validate_json(text or "", strict=True)
            for kinds in applied.resources.values():
                for amount in chain(*(amounts.values() for amounts in kinds.values())):
                    quantity.parse(amount)
        except ValueError:  # also pydantic's ValidationError
            return None
        return applied

    def outdated(self, container_ids: Mapping[str, str], named: Mapping[str, str]) -> list[str]:
        """The containers that still run a former image. `container_ids` are the present ids; `named` are the
        images that the Pod names now: a webhook may have resolved the new and the former image to the same
        digest, and the kubelet then restarts nothing. Earlier operators noted the template's image for an id,
        not the Pod's.
        """
        running = {name: ran.get(container_ids.get(name, "")) for name, ran in self.outgoing.items()}
        return [
            name
            for name, image in running.items()
            if image not in {None, self.images.get(name), named.get(name)}
        ]

    def outgoing_images(self, container_ids: Mapping[str, str]) -> tuple[str, ...]:
        """The former images that containers still run."""
        ran = (images.get(container_ids.get(name, "")) for name, images in self.outgoing.items())
        return tuple(image for image in ran if image)

    def part_of(self, spec: Raw) -> Raw:
        """The spec of a Pod with only the containers and volumes that its template had. If an earlier
        operator noted no names of a kind, all of that kind.
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
        """Whether a Pod requests the CPU and memory that it was given. If not, somebody else resizes it (a
        VerticalPodAutoscaler), and the progress of that isn't reported on the Workload.
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
        """The value of the annotation."""
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
    """The images that a Pod names, by container. Webhooks may have rewritten them."""
    return {container["name"]: container.get("image") or "" for container in pod["spec"]["containers"]}
