"""Finds what keeps a Workload from an isolation: fields that it can't honour, policies, and fields that reach
past it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twinhull.api.group import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.workload import WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.explanation import Explanation
from twinhull.core.isolation import Policy, Subject
from twinhull.core.new_workload import field_of, new_case, new_workload, objection
from twinhull.core.references import KindAndName
from twinhull.hulls.parity import ParityContext
from twinhull.hulls.types import SpecSection, type_of
from twinhull.validation.findings import Finding, Level, Source

#: Stands for the guest image and the RuntimeClass, which only an operator or a cluster knows.
_ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What an isolation depends on, beside the Workload itself."""

    #: The operator's own settings.
    defaults: OperatorDefaults
    #: The IsolationPolicies, the highest priority first.
    policies: tuple[Policy, ...] = ()
    #: The names of the cluster's RuntimeClasses, None if they are unknown.
    runtime_classes: frozenset[str] | None = None


def explanation(
    document: Raw,
    labels: dict[str, str],
    assumed: Assumptions,
    referred: Mapping[KindAndName, Raw | None] | None = None,
) -> Explanation:
    """Which isolation a Workload gets.

    The document is valid, and has no idle nulls. `labels` are those of its namespace, and `referred` the
    instancetypes and preferences there, None for one that doesn't exist.
    """
    workload = new_workload(document["metadata"], document["spec"])
    namespace = workload.metadata.namespace
    # What the API server adds: the template of a machine that boots a disk, and a label of every namespace.
    completed = {**document, "spec": {**document["spec"], "template": workload.spec.template}}
    subject = Subject.of(completed, namespace, {"kubernetes.io/metadata.name": namespace, **labels}, pods=())
    objects = {target: obj or {} for target, obj in (referred or {}).items()}
    return Explanation(workload, subject, assumed.policies, assumed.defaults, objects)


def hindrances(explained: Explanation, document: Raw, assumed: Assumptions) -> Iterator[Finding]:
    """What keeps a Workload from starting with the isolation that it gets, though no policy refuses it. The
    document is as for `explanation`.
    """
    spec = WorkloadSpec.model_validate(document["spec"])
    unable = tuple(_unable(explained, spec, assumed))
    yield from unable
    if not any(finding.level is Level.ERROR for finding in unable):
        yield from _objections(explained, document)


def _objections(explained: Explanation, document: Raw) -> Iterator[Finding]:
    """The objections of the operator's own rules to a Workload. They assume that it is to run, and that the
    cluster has all prerequisites.
    """
    resolution = explained.resolution
    runtime_class = resolution.runtime_class or _ASSUMED
    defaults = OperatorDefaults(resolution.resolved, runtime_class, _ASSUMED, node_addresses=True)
    spec = {**document["spec"], "isolationPolicy": resolution.resolved.value, "state": "Running"}
    if message := objection(new_case(document["metadata"], spec, defaults), spec):
        yield Finding(Level.ERROR, Source.OPERATOR, *field_of(message))


def _unable(explained: Explanation, spec: WorkloadSpec, assumed: Assumptions) -> Iterator[Finding]:
    """The fields that the hull can't honour, and a missing RuntimeClass."""
    resolution = explained.resolution
    isolation, runtime_class = resolution.resolved, resolution.runtime_class
    hull_type = type_of(isolation, spec)
    if hull_type.spec_section is SpecSection.SANDBOX:
        remedy = ""
        if runtime_class is None:
            remedy = "no RuntimeClass is named: set spec.sandbox.runtimeClassName, or --sandbox-runtime-class"
        elif assumed.runtime_classes is not None and runtime_class not in assumed.runtime_classes:
            remedy = f"the cluster has no RuntimeClass {runtime_class}: install it, or name another"
        if remedy:
            yield Finding(Level.WARNING, Source.PARITY, "", remedy)
    context = ParityContext(
        virtiofs_storage=True,
        node_addresses=True,
        runtime_class=runtime_class,
        disks=spec.virtual_machine.disk_volumes(),
    )
    for field in hull_type.unsupported(spec.template, context):
        yield Finding(Level.ERROR, Source.PARITY, f"spec.template.{field.path}", field.reason)


def of_workload(
    document: Raw, labels: dict[str, str], assumed: Assumptions, requested: Isolation | None
) -> Iterator[Finding]:
    """What keeps a Workload from the isolation that it asks for, or from `requested` if that is given.

    The document is as for `explanation`. A field that reaches past an isolation is an error if a policy
    requires that isolation, else a warning: the Workload may have the field as long as no policy does.
    """
    if requested is not None:
        document = {**document, "spec": {**document["spec"], "isolationPolicy": requested.value}}
    spec = WorkloadSpec.model_validate(document["spec"])
    explained = explanation(document, labels, assumed)
    resolution = explained.resolution
    isolation = resolution.resolved
    if resolution.rejected:
        yield Finding(Level.ERROR, Source.POLICY, "spec.isolationPolicy", resolution.message)
        return
    for image in explained.rejected_images:
        yield Finding(Level.ERROR, Source.POLICY, image.path, f"{image.why} ({isolation})")
    for part in explained.unseen:
        unseen = (
            f"{part.kind} {part.name} of the namespace isn't checked: it may set a field that a policy "
            "refuses"
        )
        yield Finding(Level.WARNING, Source.POLICY, f"spec.{part.path}", unseen)
    required = {evasion.path for evasion in explained.evasions}
    for evasion in type_of(isolation, spec).evasions(spec):
        level = Level.ERROR if evasion.path in required else Level.WARNING
        yield Finding(level, Source.EVASION, evasion.path, f"reaches past a {isolation}: {evasion.why}")
    for hindrance in hindrances(explained, document, assumed):
        if hindrance.source is Source.OPERATOR:
            yield hindrance
            continue
        sentence = f"not with isolation {isolation}: {hindrance.message}"
        yield Finding(hindrance.level, hindrance.source, hindrance.path or "spec.isolationPolicy", sentence)
