"""Converts Pods that no controller made.

The fields that a cluster adds to a Pod: k8s.io/kubernetes/plugin/pkg/admission, `serviceaccount`, `priority`
and `defaulttolerationseconds`.
"""

from __future__ import annotations

from typing import Any

from twinhull.api.base import Raw
from twinhull.convert.conversion import Left
from twinhull.convert.formats import Options
from twinhull.convert.kubernetes.podtemplates import run
from twinhull.convert.kubernetes.source import SET_LABELS, Draft, Source, draft
from twinhull.convert.kubernetes.untyped import maps_at

#: The beginning of the name of the volume with the API server's token, which the ServiceAccount admission
#: controller adds.
_TOKEN_VOLUME = "kube-api-access-"  # noqa: S105  no password
#: The keys of the tolerations that the admission controller DefaultTolerationSeconds adds, and their seconds.
_ADDED_TOLERATIONS = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}
_ADDED_SECONDS = 300
_CONTAINERS = ("containers", "initContainers")


def pod(source: Source, options: Options, left: list[Left]) -> Draft:
    """A Pod as a Workload. Its labels and annotations go to the Workload and to the template."""
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    spec.leave("ephemeralContainers", "they are added to a Pod that runs (kubectl debug)")
    if source.is_live:
        spec.leave(
            "nodeName",
            "it is where the scheduler put the Pod: use a nodeSelector if it must run on that node",
        )
    metadata = {key: dict(made.metadata[key]) for key in ("labels", "annotations") if key in made.metadata}
    template: Raw = {**({"metadata": metadata} if metadata else {}), "spec": spec.take_open()}
    run(made, template, "")
    made.pod_fields = _own_fields(source)
    if source.is_live:
        made.spec["template"] = {**template, "spec": _as_written(template["spec"])}
    fields.finish()
    return made


def _own_fields(source: Source) -> dict[str, str]:
    """The fields of a Pod that the Workload's Pod doesn't have: its name, and its controller's labels."""
    labels = source.metadata.get("labels") or {}
    own = {f"metadata.labels['{key}']": str(value) for key, value in labels.items() if key in SET_LABELS}
    return {"metadata.name": source.name, **own} if source.metadata.get("name") else own


def _as_written(pod_spec: Raw) -> Raw:
    """The spec of a Pod in a cluster, without the fields that admission controllers of every cluster add."""
    spec = {key: value for key, value in pod_spec.items() if key not in {"priority", "preemptionPolicy"}}
    kept = {
        "tolerations": [one for one in maps_at(pod_spec, "tolerations") if not _is_added(one)],
        "volumes": [one for one in maps_at(pod_spec, "volumes") if not _is_token(one.get("name"))],
        **{kind: [_without_token(one) for one in maps_at(pod_spec, kind)] for kind in _CONTAINERS},
    }
    for key, values in kept.items():
        if values:
            spec[key] = values
        elif isinstance(spec.get(key), list):
            del spec[key]
    return spec


def _without_token(container: Raw) -> Raw:
    mounts = [mount for mount in maps_at(container, "volumeMounts") if not _is_token(mount.get("name"))]
    if not isinstance(container.get("volumeMounts"), list):
        return container
    rest = {key: value for key, value in container.items() if key != "volumeMounts"}
    return {**rest, "volumeMounts": mounts} if mounts else rest


def _is_token(name: Any) -> bool:  # noqa: ANN401  JSON
    return isinstance(name, str) and name.startswith(_TOKEN_VOLUME)


def _is_added(toleration: Raw) -> bool:
    return (
        toleration.get("key") in _ADDED_TOLERATIONS and toleration.get("tolerationSeconds") == _ADDED_SECONDS
    )
