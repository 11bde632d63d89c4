"""What a hull was last given of what can change while it runs: a note that it carries as an annotation.

A Pod itself doesn't tell: others add labels and annotations to it, and webhooks rewrite its images. Nor does
a machine, whose Pod is in its manifest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from twinhull.api.base import GROUP, Raw

APPLIED_ANNOTATION = f"{GROUP}/applied"
#: The resources that a running container can be given more or less of.
RESIZABLE = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class Applied:
    """`fixed` is a hash of all that can't change; `labels` and `annotations` are the keys of the template's;
    `images` and `resources` (requests and limits of CPU and memory) are by container. `outgoing` are, by
    container, the ids that the last new images put an end to, with the image that each runs: while one is
    there that runs another, it isn't done. So it isn't with a machine while that is `pending`. `attempted`
    are the containers that may have been given other resources, between a change's first write and its last.
    """

    fixed: str
    labels: tuple[str, ...]
    annotations: tuple[str, ...]
    images: Mapping[str, str]
    resources: Mapping[str, Raw]
    outgoing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pending: bool = False
    attempted: tuple[str, ...] = ()

    @classmethod
    def of(cls, template: Raw, fixed: str) -> Applied:
        """What a template gives to its hull."""
        metadata, containers = template.get("metadata") or {}, template["spec"]["containers"]
        return cls(
            fixed,
            tuple(sorted(metadata.get("labels") or ())),
            tuple(sorted(metadata.get("annotations") or ())),
            {container["name"]: container.get("image", "") for container in containers},
            {container["name"]: resizable(container) for container in containers},
        )

    @classmethod
    def read(cls, hull: Raw) -> Applied | None:
        """A Pod's or VirtualMachine's note, None if it has none that can be read."""
        try:
            said = json.loads((hull["metadata"].get("annotations") or {})[APPLIED_ANNOTATION])
            return cls(
                fixed=said["fixed"],
                labels=tuple(said["labels"]),
                annotations=tuple(said["annotations"]),
                images=dict(said["images"]),
                resources=dict(said["resources"]),
                outgoing={name: dict(ran) for name, ran in said.get("outgoing", {}).items()},
                pending=bool(said.get("pending", False)),
                attempted=tuple(said.get("attempted", ())),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def outdated(self, container_ids: Mapping[str, str]) -> list[str]:
        """The containers, of those that are there, that still run an image of before."""
        running = {name: ran.get(container_ids.get(name, "")) for name, ran in self.outgoing.items()}
        return [name for name, image in running.items() if image not in {None, self.images.get(name)}]

    def note(self) -> str:
        """The annotation's value."""
        seldom = {"pending", "attempted"}
        said = {key: value for key, value in asdict(self).items() if key not in seldom or value}
        return json.dumps(said, sort_keys=True, separators=(",", ":"))


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
