"""Converts the controllers that keep Pods running: Deployments, ReplicaSets, StatefulSets and DaemonSets.

Fields and their defaults: k8s.io/api/apps/v1, types.go. The names of a StatefulSet's claims:
k8s.io/kubernetes/pkg/controller/statefulset, stateful_set_utils.go.
"""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.convert.conversion import CannotConvert, Left
from twinhull.convert.formats import Options
from twinhull.convert.kubernetes.downward import pod_of_statefulset
from twinhull.convert.kubernetes.fields import Fields
from twinhull.convert.kubernetes.podtemplates import use_lasting_template, use_replicas
from twinhull.convert.kubernetes.source import SET_BY_SERVER, Draft, Source, draft

#: The seconds that spec.replacement.progressDeadlineSeconds allows.
_DEADLINES = range(1, 86_401)
#: The values of maxSurge that ask for no extra Pod in a rolling update.
_NONE_MORE = (0, "0", "0%")
_ON_DELETE = "a change of a Workload replaces its Pod at once: it can't wait until somebody deletes the Pod"


def deployment(source: Source, options: Options, left: list[Left]) -> Draft:
    """A Deployment as a Workload."""
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    use_lasting_template(made, spec)
    use_replicas(made, spec)
    _use_deadline(made, spec)
    spec.settle_value("paused", False)  # noqa: FBT003  the field's value
    spec.leave("paused", "a Workload can't be paused: its changes are made at once")
    strategy = spec.within("strategy")
    kind = strategy.take("type", str)
    if kind not in {None, "", "Recreate", "RollingUpdate"}:
        raise CannotConvert(f"{strategy.at('type')} is {kind!r}: use Recreate or RollingUpdate")
    if kind != "Recreate" and _surges(strategy.within("rollingUpdate"), default=True):
        made.rolling = spec.at("strategy")
    _finish(fields, spec)
    return made


def replicaset(source: Source, options: Options, left: list[Left]) -> Draft:
    """A ReplicaSet as a Workload."""
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    use_lasting_template(made, spec)
    use_replicas(made, spec)
    _finish(fields, spec)
    return made


def daemonset(source: Source, options: Options, left: list[Left]) -> Draft:
    """A DaemonSet as a Workload, which runs on one node only."""
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    use_lasting_template(made, spec)
    fields.say(
        "kind",
        "a Workload is one Pod, and not one on each node: keep the DaemonSet, or make a Workload for each "
        "node, with a nodeSelector of its own",
    )
    strategy = spec.within("updateStrategy")
    if strategy.peek("type", str) == "OnDelete":
        strategy.say("type", _ON_DELETE)
    strategy.settle("type")
    if _surges(strategy.within("rollingUpdate"), default=False):
        made.rolling = spec.at("updateStrategy")
    _finish(fields, spec)
    return made


def statefulset(source: Source, options: Options, left: list[Left]) -> Draft:
    """A StatefulSet as a Workload, with the claims of its first Pod."""
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    use_lasting_template(made, spec)
    use_replicas(made, spec)
    spec.settle("podManagementPolicy")  # the order of several Pods
    first = spec.within("ordinals").take("start", int) or 0
    made.pod_fields = pod_of_statefulset(source.name, first)
    service = spec.peek("serviceName", str)
    spec.say(
        "serviceName",
        f"the Pod's host name is {made.name}, and no longer {source.name}-{first}"
        + (f", and {source.name}-{first}.{service} doesn't resolve" if service else "")
        + ": change what uses that name",
    )
    strategy = spec.within("updateStrategy")
    if strategy.peek("type", str) == "OnDelete":
        strategy.say("type", _ON_DELETE)
    strategy.settle("type")
    rolling = strategy.within("rollingUpdate")
    rolling.settle("maxUnavailable")  # among several Pods
    rolling.settle_value("partition", 0)
    rolling.leave("partition", "a change of a Workload concerns its one Pod")
    retention = spec.within("persistentVolumeClaimRetentionPolicy")
    for key in ("whenDeleted", "whenScaled"):
        retention.settle_value(key, "Retain")
        retention.leave(
            key,
            "the claim stays until somebody deletes it. A StatefulSet in a cluster deletes it even so: set "
            "this to Retain there first",
        )
    for claim in spec.each("volumeClaimTemplates"):
        _use_claim(made, claim, f"{source.name}-{first}")
    _finish(fields, spec)
    return made


def _use_claim(made: Draft, claim: Fields, pod: str) -> None:
    """Mount the claim that a Pod of the StatefulSet has. If it exists already, the Workload uses that one."""
    metadata = claim.settle("apiVersion", "kind", "status").within("metadata").settle(*SET_BY_SERVER)
    metadata.settle("namespace")
    volume = metadata.take("name", str)
    if not volume:
        raise CannotConvert(f"{metadata.at('name')} is missing: add it")
    name = f"{volume}-{pod}"
    labels, annotations = metadata.texts("labels"), metadata.texts("annotations")
    namespace = made.metadata.get("namespace")
    made.needs.append(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": name,
                **({"namespace": namespace} if namespace else {}),
                **({"labels": labels} if labels else {}),
                **({"annotations": annotations} if annotations else {}),
            },
            "spec": claim.take("spec", dict) or {},
        }
    )
    _mount(made, volume, name, claim)


def _mount(made: Draft, volume: str, claim: str, template: Fields) -> None:
    """Add a claim to the template's volumes. As in a StatefulSet, it replaces a volume of the same name."""
    pod_spec: Raw = made.spec["template"]["spec"]
    others = [other for other in pod_spec.get("volumes") or () if other.get("name") != volume]
    if len(others) < len(pod_spec.get("volumes") or ()):
        template.left.append(
            Left(
                f"{made.source.title}: spec.template.spec.volumes[{volume}]",
                "the claim of that name in volumeClaimTemplates takes its place, as in the StatefulSet",
            )
        )
    mounted = {"name": volume, "persistentVolumeClaim": {"claimName": claim}}
    made.spec["template"] = {
        **made.spec["template"],
        "spec": {**pod_spec, "volumes": [*others, mounted]},
    }


def _use_deadline(made: Draft, spec: Fields) -> None:
    seconds = spec.peek("progressDeadlineSeconds", int)
    if seconds in _DEADLINES:
        spec.settle("progressDeadlineSeconds")
        made.spec["replacement"] = {"progressDeadlineSeconds": seconds}
    spec.leave(
        "progressDeadlineSeconds",
        f"replacement.progressDeadlineSeconds has {_DEADLINES[0]} to {_DEADLINES[-1]}: its default is 600",
    )


def _surges(rolling: Fields, *, default: bool) -> bool:
    """Whether a rolling update of one Pod starts the new Pod while the old one serves. With one Pod, any
    share of maxSurge means one Pod, and a share of maxUnavailable below 100% means none.
    """
    more = rolling.take("maxSurge", object)
    surges = default if more is None else more not in _NONE_MORE
    fewer = rolling.peek("maxUnavailable", object)
    if surges and (fewer == "100%" or (isinstance(fewer, int) and fewer > 0)):
        rolling.leave("maxUnavailable", "StartFirst ends the old Pod only when the new one is Ready")
    rolling.settle("maxUnavailable")
    return surges


def _finish(fields: Fields, spec: Fields) -> None:
    """Name the fields that the kinds have in common, and all that are still unread."""
    spec.settle("selector")  # the operator finds its objects by their owner
    spec.settle_value("minReadySeconds", 0)
    spec.leave(
        "minReadySeconds",
        "a Workload is Ready once its Pod is: let a readinessProbe say when (initialDelaySeconds)",
    )
    spec.settle_value("revisionHistoryLimit", 10)
    spec.leave("revisionHistoryLimit", "a Workload has no former revisions: apply the former manifest again")
    fields.finish()
