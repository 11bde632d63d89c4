"""The revision: a hash of what a hull is made from, which its name ends in.

The same content has the same name, so a creation repeated after a crash is the same creation. However a
template is written, its content is the same (core/canonical). What the operator itself renders isn't part of
the content, nor is its default guest image, or the Secret that this is pulled with: upgrading the operator
restarts nothing.
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

#: The first character of every revision: how it was worked out. A new way gets a new character, and the
#: hulls of the old way stay current for as long as their content does.
FORMAT = "2"
#: The way of earlier operators: from the template as it is written.
FORMER = "1"

_DIGITS = 9
#: What KubeVirt changes of a machine that runs, as a patch that takes it away.
_LIVE: Raw = {"domain": {"cpu": {"sockets": None}, "memory": {"guest": None}}}
#: Those of the template's annotations that are there to restart it: ours, and that of `kubectl rollout
#: restart`.
_RESTARTS = (RESTART_ANNOTATION, "kubectl.kubernetes.io/restartedAt")


@dataclass(frozen=True)
class Content:
    """What a hull is made from."""

    spec: WorkloadSpec
    isolation: Isolation
    runtime_class: str | None
    #: Whatever was last said to restart it, None if nothing ever was.
    restart: str | None = None
    #: That of a machine as an earlier operator worked it out of the containers, None if it is to be worked
    #: out.
    size: Raw | None = None
    #: How its revision is worked out: FORMAT, or FORMER.
    way: str = FORMAT

    @cached_property
    def former(self) -> Content:
        """The same, whose revisions are those that an earlier operator gave it. They are worked out once."""
        return replace(self, way=FORMER)

    @cached_property
    def hull_type(self) -> HullType:
        """The type of the hull that is made from it."""
        return type_of(self.isolation, self.spec)

    @cached_property
    def _template(self) -> Raw:
        template = self.spec.template
        return canonical(template) if self.way == FORMAT else _as_stored_formerly(template)

    @cached_property
    def revision(self) -> str:
        """The revision of what would run: 10 characters, fit for a name.

        Fields at their defaults leave no trace, so that a field added later changes no revision; nor do those
        of another kind of hull, or of the Service.
        """
        return self._hash(self._content)

    @cached_property
    def fixed(self) -> str:
        """The same of what can't change while a Pod runs: all but the template's labels and annotations
        (without those that are read at its start), and its containers' images and, in a plain Pod, their CPU
        and memory.

        A sandbox may not be able to grow. Annotations that only describe a machine are in it, since notes of
        FORMAT 2 have them.
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
        """The same of what can't change while a machine runs: all but its containers' images, how much CPU
        and memory they have, and its own size where an instancetype of the cluster or the overrides say it.
        What an instancetype of the namespace brings beside may be what a floor refuses, and stays until the
        machine goes.

        KubeVirt gives labels and annotations to a machine's launcher Pod at its start only, and a size that
        comes from the containers is also what the node reserves, which KubeVirt doesn't change while a
        machine runs.
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
        """Anew each time, since some leave parts of it out."""
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
    """A template as it was stored when revisions were made of that: the API server put in each port's
    protocol, and no other default.
    """
    return {**template, "spec": with_protocols(template["spec"])}


def _hash(content: Raw, way: str = FORMAT) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return way + hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
