"""Takes over the Pod templates of objects that run something, unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from twinhull.api.base import Raw
from twinhull.api.podtemplate import podtemplate
from twinhull.api.validation import problems
from twinhull.convert.conversion import CannotConvert
from twinhull.convert.kubernetes.fields import Fields
from twinhull.convert.kubernetes.source import Draft, NamedPorts
from twinhull.hulls import service

#: How many mistakes of a template are listed at once, and how many are counted.
_MOST_TOLD, _MOST_COUNTED = 20, 1_000


def use_template(draft: Draft, spec: Fields, key: str = "template") -> Raw:
    """Take over an object's template, unchanged. Raises CannotConvert if there is none, or if the API server
    would refuse it.
    """
    template = spec.take(key, dict)
    if template is None:
        raise CannotConvert(f"{spec.at(key)} is missing: it says what to run")
    run(draft, template, spec.at(key).removeprefix(f"{draft.source.title}: "))
    return template


def run(draft: Draft, template: Raw, path: str) -> None:
    """Give a Workload a template, which is at `path` in its object. Raises CannotConvert."""
    draft.template_path = path
    wrong = [
        f"{problem.path} {problem.message}"
        for problem in islice(problems(podtemplate(), template, path), _MOST_COUNTED)
    ]
    if wrong:
        raise CannotConvert(f"{draft.source.title}: a Workload can't have this template:", _told(wrong))
    metadata = template.get("metadata") or {}
    draft.spec["template"] = template
    draft.pod_labels = {key: value or "" for key, value in (metadata.get("labels") or {}).items()}
    draft.named_ports = _named_ports(template["spec"])


def use_lasting_template(draft: Draft, spec: Fields) -> None:
    """The same for an object whose Pods run on. Raises CannotConvert for Pods that end."""
    policy = restart_policy(use_template(draft, spec))
    if policy != "Always":
        raise CannotConvert(
            f"{spec.at('template')}.spec.restartPolicy is {policy}, and must be Always here: correct it, or "
            "make a Job of it"
        )


def restart_policy(template: Raw) -> str:
    """When the kubelet starts containers again: Always, OnFailure or Never."""
    return template["spec"].get("restartPolicy") or "Always"


def use_replicas(draft: Draft, spec: Fields) -> None:
    """Take over whether any Pod is to run. A Workload is one Pod."""
    count = spec.take("replicas", int)
    if count == 0:
        draft.spec["state"] = "Stopped"
    elif count is not None and count > 1:
        spec.say(
            "replicas",
            f"a Workload is one Pod, and this asks for {count}: keep this object, or make a Workload for "
            "each",
        )


def _named_ports(pod_spec: Raw) -> NamedPorts:
    """The port to which each name and protocol leads: the first one of the containers, and then of the
    sidecars. A Service can't reach the ports of init containers that end.

    Source: k8s.io/kubernetes/pkg/api/v1/pod/util.go, FindPort.
    """
    ports: NamedPorts = {}
    for container in service.serving(pod_spec):
        for port in container.get("ports") or ():
            if name := port.get("name"):
                ports.setdefault((name, port.get("protocol") or "TCP"), port["containerPort"])
    return ports


def _told(mistakes: Sequence[str]) -> list[str]:
    """The mistakes that are listed, and how many more there are."""
    more = len(mistakes) - _MOST_TOLD
    count = f"{more} or more" if len(mistakes) == _MOST_COUNTED else str(more)
    return [*mistakes[:_MOST_TOLD], *([f"and {count} more"] if more > 0 else [])]
