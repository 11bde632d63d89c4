"""What a hull was last given of what can change while it runs: a note that it carries as an annotation.

A Pod itself doesn't tell: others add labels and annotations to it, and webhooks rewrite its images. Nor does
a machine, whose Pod is in its manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Annotated

from pydantic import Field, TypeAdapter

from twinhull.api.base import GROUP, Raw
from twinhull.hulls import quantity

APPLIED_ANNOTATION = f"{GROUP}/applied"
#: The resources that a running container can be given more or less of.
RESIZABLE = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class Same:
    """How the present operator calls the revision `of`, which an earlier one worked out in another way, and
    its `fixed`. It says so of a hull for as long as that is of this revision: any operator may change it.
    """

    of: str
    revision: str
    fixed: str


@dataclass(frozen=True, slots=True)
class Applied:
    """`fixed` is a hash of all that can't change; `labels` and `annotations` are the keys of the template's;
    `images` and `resources` (requests and limits of CPU and memory) are by container. `outgoing` are, by
    container, the ids that were there when a Pod was given its last new images, each with the image that the
    Pod named for it then: while such an id is there and the Pod names another image for it, the container has
    yet to be started anew. A machine's change isn't over while that is `pending`. `attempted`
    are the containers that may have been given other resources, between a change's first write and its last.
    `init_containers` and `volumes` are the names of the template's; None if an earlier operator noted none.
    `same` is there if an earlier operator worked out the revision and `fixed` in another way.
    """

    fixed: str
    labels: tuple[str, ...]
    annotations: tuple[str, ...]
    images: Annotated[Mapping[str, str], Field(min_length=1)]  # a template has a container
    resources: Mapping[str, dict[str, dict[str, str | int | float]]]
    outgoing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pending: bool = False
    attempted: tuple[str, ...] = ()
    init_containers: tuple[str, ...] | None = None
    volumes: tuple[str, ...] | None = None
    same: Same | None = None

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
            found = _NOTES.validate_json(text or "", strict=True)
            for kinds in found.resources.values():
                for amount in chain(*(amounts.values() for amounts in kinds.values())):
                    quantity.parse(amount)
        except ValueError:  # pydantic's are such, too
            return None
        return found

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

    def is_resized_so(self, pod: Raw) -> bool:
        """Whether a Pod asks its node for the CPU and memory that it was given. If not, somebody else resizes
        it (a VerticalPodAutoscaler), and how far that is isn't the Workload's business.
        """
        asked = {one["name"]: one.get("resources") or {} for one in pod["spec"]["containers"]}
        amounts = [
            (amount, (asked.get(name, {}).get(kind) or {}).get(resource))
            for name, said in self.resources.items()
            for kind, given in said.items()
            for resource, amount in given.items()
        ]
        return bool(amounts) and all(
            there is not None and quantity.parse(there) == quantity.parse(amount) for amount, there in amounts
        )

    def note(self) -> str:
        """The annotation's value."""
        seldom = {"pending", "attempted"}
        said = {
            key: value
            for key, value in asdict(self).items()
            if value is not None and (key not in seldom or value)
        }
        return json.dumps(said, sort_keys=True, separators=(",", ":"))


_NOTES = TypeAdapter(Applied)


def _names(named: Iterable[Raw] | None) -> tuple[str, ...]:
    return tuple(sorted(one["name"] for one in named or ()))


def images(pod: Raw) -> dict[str, str]:
    """The images that a Pod names, by container, as webhooks have rewritten them."""
    return {container["name"]: container.get("image") or "" for container in pod["spec"]["containers"]}


def resizable(container: Raw) -> Raw:
    """The part of a container's resources that it can be given while it runs."""
    resources = container.get("resources") or {}
    return {
        kind: amounts
        for kind in ("requests", "limits")
        if (
            amounts := {
                name: value for name, value in (resources.get(kind) or {}).items() if name in RESIZABLE
            }
        )
    }
