"""Converts objects of Kubernetes and KubeVirt that run something into Workloads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias

from twinhull.api.base import GROUP, Raw
from twinhull.api.kubectllists import items_of
from twinhull.convert.conversion import CannotConvert, Conversion, Left, LeftKind, WrongOption
from twinhull.convert.formats import Input, Options
from twinhull.convert.kubernetes.controllers import daemonset, deployment, replicaset, statefulset
from twinhull.convert.kubernetes.downward import tell_lost_fields
from twinhull.convert.kubernetes.jobs import cronjob, job
from twinhull.convert.kubernetes.others import sort_out
from twinhull.convert.kubernetes.pods import pod
from twinhull.convert.kubernetes.services import use_services
from twinhull.convert.kubernetes.source import Draft, Source
from twinhull.convert.kubernetes.virtualmachines import virtualmachine
from twinhull.core import sharing
from twinhull.core.references import KindAndName, of_template

#: The most objects that are converted together: they are compared with one another.
_MOST_OBJECTS = 20_000
#: The beginning of an expression in Helm's templates, which YAML takes for nested mappings.
_HELM = "{{"
#: The remark on a key that stands twice in a mapping. kubectl silently takes the last value.
_TWICE = "the key is there twice, and the last value counts, as for kubectl: remove one of the two"
_Converter: TypeAlias = Callable[[Source, Options, list[Left]], Draft]

#: The function that makes a Workload of an object, by the group of its API and its kind.
_CONVERTERS: Mapping[tuple[str, str], _Converter] = {
    ("apps", "Deployment"): deployment,
    ("apps", "ReplicaSet"): replicaset,
    ("apps", "StatefulSet"): statefulset,
    ("apps", "DaemonSet"): daemonset,
    ("batch", "Job"): job,
    ("batch", "CronJob"): cronjob,
    ("", "Pod"): pod,
    ("kubevirt.io", "VirtualMachine"): virtualmachine,
}
KINDS = tuple(kind for _, kind in _CONVERTERS)


def convert(inputs: Sequence[Input], options: Options) -> Conversion:
    """The Workloads of all objects that run something, with the objects that they refer to.

    A Service among the objects becomes the Workload's own if `spec.service` can say all that it says. Raises
    CannotConvert if no object runs anything, or if an object can't be a Workload.
    """
    sources = list(islice((source for file in inputs for source in _sources(file)), _MOST_OBJECTS + 1))
    if len(sources) > _MOST_OBJECTS:
        raise CannotConvert(f"there are more than {_MOST_OBJECTS:,} objects: convert them in parts")
    left = [
        Left(f"{file.source}, {place}", _TWICE, LeftKind.CHECK) for file in inputs for place in file.repeated
    ]
    drafts, unconverted = _drafts(sources, options, left)
    if not drafts:
        raise CannotConvert(_why_nothing(inputs, sources))
    tell_lost_fields(drafts, left)
    services = [source for source in unconverted if _is_service(source)]
    kept_services = use_services(services, drafts, options, left)
    claims = {
        (source.namespace, source.name): source.document
        for source in unconverted
        if source.kind == "PersistentVolumeClaim" and _has_modes(source.document)
    }
    for made in drafts:
        _choose_strategy(made, claims, left)
    others = sort_out([source for source in unconverted if not _is_service(source)], drafts, options, left)
    needs = [obj for made in drafts for obj in made.needs]
    objects = (*others, *needs, *kept_services, *(made.workload() for made in drafts))
    return Conversion(objects, tuple(left))


def _drafts(
    sources: Sequence[Source], options: Options, left: list[Left]
) -> tuple[list[Draft], list[Source]]:
    """The Workloads for objects that can be one, and the other objects."""
    object_keys = {(source.namespace, source.kind, source.name) for source in sources}
    converted, unconverted = [], []
    for source in sources:
        if (source.group, source.kind) not in _CONVERTERS:
            unconverted.append(source)
        elif why := _made_by(source, object_keys):
            left.append(Left(source.title, why))
        else:
            converted.append(source)
    if options.name and len(converted) > 1:
        titles = ", ".join(source.title for source in converted)
        raise WrongOption(f"--name is for one Workload, and these are several ({titles}): leave it out")
    drafts = [_CONVERTERS[source.group, source.kind](source, options, left) for source in converted]
    _check_names(drafts)
    return drafts, unconverted


def _why_nothing(inputs: Sequence[Input], sources: Sequence[Source]) -> str:
    """The error if none of the inputs' objects runs anything."""
    files = ", ".join(file.source for file in inputs)
    kinds = ", ".join(dict.fromkeys(f"{one.kind} of {one.api_version}" for one in sources)) or "no object"
    return (
        f"{files}: nothing here can be a Workload ({kinds[:400]}): give one of {', '.join(KINDS)}, of the "
        "APIs apps, batch, v1 or kubevirt.io"
    )


def _made_by(source: Source, object_keys: Collection[tuple[str, str, str]]) -> str:
    """Why an object needs no Workload of its own: its owner would make it again. Empty if it needs one.

    `object_keys` are the namespaces, kinds and names of the input's objects.
    """
    owners = source.metadata.get("ownerReferences")
    for owner in owners if isinstance(owners, list) else ():
        if not isinstance(owner, dict) or owner.get("controller") is not True:
            continue
        kind, name = str(owner.get("kind")), str(owner.get("name"))
        if (source.namespace, kind, name) in object_keys:
            return f"{kind} {name} has made it, and is in the input itself"
        if str(owner.get("apiVersion")).startswith(f"{GROUP}/"):
            return f"{kind} {name} has made it, which already belongs to Twinhull"
        if kind == "VirtualMachineInstance":
            return f"a machine runs in it: convert VirtualMachine {name}"
    return ""


def _check_names(drafts: Sequence[Draft]) -> None:
    """Raise CannotConvert if two Workloads would have the same name."""
    seen: dict[tuple[str, str], Draft] = {}
    for made in drafts:
        key = made.metadata.get("namespace", ""), made.name
        if other := seen.get(key):
            raise CannotConvert(
                f"{other.source.title} and {made.source.title} would both be Workload {made.name}: convert "
                "one of them by itself, with --name"
            )
        seen[key] = made


def _choose_strategy(made: Draft, claims: Mapping[tuple[str, str], Raw], left: list[Left]) -> None:
    """Turn a rolling update into StartFirst, unless the template has something that two hulls can't have at
    once.
    """
    if not made.rolling:
        return
    template = made.spec["template"]
    referred: dict[KindAndName, Raw] = {}
    unknown = ""
    for reference in of_template(template):
        if reference.kind != "PersistentVolumeClaim":
            continue
        claim = claims.get((made.source.namespace, reference.name))
        referred[reference.target] = claim or {}
        if claim is None and not unknown:
            unknown = reference.name
    held = next(sharing.unshareable(template, referred), "")
    if held or unknown:
        left.append(Left(made.rolling, _why_recreate(held, unknown)))
        return
    made.spec["replacement"] = {"strategy": "StartFirst", **made.spec.get("replacement", {})}


def _why_recreate(held: str, unknown: str) -> str:
    """Why a rolling update becomes Recreate: because of something that two Pods can't have at once, for which
    the operator refuses StartFirst; or because of a claim whose access modes the input doesn't have.
    """
    if held:
        return f"the Workload has strategy Recreate, since two Pods can't run at once: {held}"
    return (
        f"the Workload has strategy Recreate, since claim {unknown} isn't in the input with its accessModes, "
        "and two Pods can't use it at once if it is ReadWriteOnce: if it is ReadWriteMany, set "
        "replacement.strategy to StartFirst"
    )


def _is_service(source: Source) -> bool:
    return (source.group, source.kind) == ("", "Service")


def _has_modes(claim: Raw) -> bool:
    """Whether a claim has access modes."""
    spec = claim.get("spec")
    modes = spec.get("accessModes") if isinstance(spec, dict) else None
    return isinstance(modes, list) and bool(modes) and all(isinstance(mode, str) for mode in modes)


def _sources(file: Input) -> Iterator[Source]:
    """The objects of an input, those of a list one by one. Raises CannotConvert for a document that isn't an
    object.
    """
    if file.unreadable:
        remedy = "convert what helm template prints of this template" if _HELM in file.text else "correct it"
        raise CannotConvert(f"{file.source}: this is not valid YAML: {file.unreadable}: {remedy}")
    for number, document in enumerate(file.documents, start=1):
        listed = items_of(document)
        for obj in [document] if listed is None else listed:
            yield _source(obj, file.source, number)


def _source(obj: object, file: str, number: int) -> Source:
    where = f"{file}: document {number}"
    if not isinstance(obj, dict) or not isinstance(obj.get("kind"), str):
        raise CannotConvert(f"{where} is no object of Kubernetes: give it apiVersion, kind and metadata")
    metadata = obj.get("metadata")
    if not isinstance(obj.get("apiVersion"), str) or not isinstance(metadata, dict):
        raise CannotConvert(f"{where} ({obj['kind']}) has no apiVersion or no metadata: add them")
    for key, kind in (("name", str), ("namespace", str), ("labels", dict), ("annotations", dict)):
        if metadata.get(key) is not None and not isinstance(metadata[key], kind):
            wanted = "a string" if kind is str else "a map of strings"
            raise CannotConvert(f"{where} ({obj['kind']}): metadata.{key} must be {wanted}: correct it")
    group = obj["apiVersion"].rpartition("/")[0]
    name = metadata.get("name") or metadata.get("generateName") or ""
    return Source(obj, file, obj["kind"], group, str(name), metadata.get("namespace") or "")
