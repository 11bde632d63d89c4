"""The revision: a hash of the content that a hull is made from. The hull's name ends in it.

The same content gives the same name, so a creation that is repeated after a crash creates nothing new. Two
ways to write the same template have the same content (core/canonical). The content leaves out what the
operator adds when it renders a hull, its default guest image and that image's pull Secret: an upgrade of the
operator restarts nothing.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property

from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.virtualmachine import DESCRIBING_ANNOTATIONS
from twinhull.api.workload import RESTART_ANNOTATION, WorkloadSpec
from twinhull.core.canonical import canonical
from twinhull.hulls import machine
from twinhull.hulls.changeable import without_changeable, without_values
from twinhull.hulls.evasion import reaching
from twinhull.hulls.merge import merge_patch
from twinhull.hulls.pod import with_protocols
from twinhull.hulls.types import HullType, type_of

#: The first character of a revision. It tells how the revision was computed. A new way to compute revisions
#: gets a new character; hulls with the former one stay current as long as their content stays the same.
FORMAT = "2"
#: The character of earlier operators, which computed the revision from the template as it was written.
FORMER = "1"

_DIGITS = 9
#: A merge patch that removes the fields of overrides that KubeVirt changes in a running machine.
_LIVE: Raw = {"domain": {"cpu": {"sockets": None}, "memory": {"guest": None}}}
#: The annotations of a template whose change restarts the hull: ours, and that of `kubectl rollout restart`.
_RESTARTS = (RESTART_ANNOTATION, "kubectl.kubernetes.io/restartedAt")


@dataclass(frozen=True)
class Content:
    """The content that a hull is made from."""

    spec: WorkloadSpec
    isolation: Isolation
    runtime_class: str | None
    #: The value of the Workload's restart annotation, None if it was never restarted.
    restart: str | None = None
    #: The size of the machine as an earlier operator computed it from the containers; None to compute it.
    size: Raw | None = None
    #: How the revision is computed: FORMAT or FORMER.
    way: str = FORMAT

    @cached_property
    def former(self) -> Content:
        """The same content, whose hashes are those that an earlier operator computed. They are cached."""
        return replace(self, way=FORMER)

    @cached_property
    def hull_type(self) -> HullType:
        """The type of the hull that is made from this content."""
        return type_of(self.isolation, self.spec)

    @cached_property
    def _template(self) -> Raw:
        template = self.spec.template
        return canonical(template) if self.way == FORMAT else _as_stored_formerly(template)

    @cached_property
    def revision(self) -> str:
        """The revision: 10 characters that may stand in an object's name.

        It leaves out fields at their defaults, so that a field that is added to the API later changes no
        revision; and fields of other hull types and of the Service.
        """
        return self._hash(self._content)

    @cached_property
    def fixed(self) -> str:
        """A hash of the fields that can't change while a Pod runs. It leaves out the template's labels, its
        annotations except those that are read when the Pod starts, the containers' images and, in a plain
        Pod, their CPU and memory. A sandbox may be unable to grow.

        DESCRIBING_ANNOTATIONS are included, since FORMAT 2 has had them from the beginning.
        """
        content = self._content
        annotations = content["metadata"].pop("annotations", {})
        content["metadata"].pop("labels", None)
        content["metadata"]["restarts"] = {
            key: value
            for key, value in annotations.items()
            if key.startswith(_RESTARTS)
            or reaching(key)
            or (key in DESCRIBING_ANNOTATIONS and self.way == FORMAT)
        }
        pod_spec, grows = self._template["spec"], self.hull_type.grows
        containers = [
            without_changeable(container, grows=grows) for container in pod_spec.get("containers", ())
        ]
        content["spec"] = {**pod_spec, "containers": containers}
        return self._hash(content)

    @cached_property
    def fixed_in_machine(self) -> str:
        """A hash of the fields that can't change while a machine runs. It leaves out the containers' images,
        CPU and memory, and the machine's size if a cluster-wide instancetype or the overrides set it.

        An instancetype of the namespace is included: it may have brought a device that a policy forbids, and
        the machine keeps that until it ends. Labels and annotations are included, since KubeVirt gives them
        to the launcher Pod only when it creates that. A size that is computed from the containers is
        included: the node reserves it, and KubeVirt can't change that reservation in a running machine.
        """
        content = self._content
        pod_spec, built = self._template["spec"], self.spec.virtual_machine
        content["spec"] = {
            **pod_spec,
            "containers": [without_values(one) for one in pod_spec.get("containers", ())],
        }
        if built.instancetype and built.instancetype.kind == "VirtualMachineClusterInstancetype":
            content["virtualMachine"]["instancetype"] = "any"
        elif built.instancetype is None:
            content["size"] = self.size or machine.size(self.spec.template["spec"])
        if built.overrides:
            content["virtualMachine"]["overrides"] = merge_patch(built.overrides, _LIVE)
        return self._hash(content)

    @property
    def _content(self) -> Raw:
        """A new dict each time: `fixed` and `fixed_in_machine` remove parts of it."""
        content: Raw = {
            "isolation": self.isolation,
            "runtimeClass": self.runtime_class,
            **self.hull_type.content(self.spec, self._template, former=self.way == FORMER),
        }
        if self.restart is not None:
            content["restart"] = self.restart
        return content

    def _hash(self, content: Raw) -> str:
        return _hash(content, self.way)


def stand_in_revision(name: str, uid: str) -> str:
    """A hash for a hull's name instead of its revision, while another hull of that name and uid exists."""
    return _hash({"name": name, "uid": uid})


def _as_stored_formerly(template: Raw) -> Raw:
    """The template as the API server stored it when operators computed revisions from the stored template:
    the only default in it was each port's protocol.
    """
    return {**template, "spec": with_protocols(template["spec"])}


def _hash(content: Raw, way: str = FORMAT) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return way + hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
