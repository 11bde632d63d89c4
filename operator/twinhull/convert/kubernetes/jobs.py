"""Converts Jobs and CronJobs, which run to completion.

Fields and their defaults: k8s.io/api/batch/v1, types.go.
"""

from __future__ import annotations

from twinhull.api import commands
from twinhull.convert.conversion import CannotConvert, Left
from twinhull.convert.formats import Options
from twinhull.convert.kubernetes.fields import Fields
from twinhull.convert.kubernetes.podtemplates import restart_policy, use_template
from twinhull.convert.kubernetes.source import SET_ANNOTATIONS, SET_LABELS, Draft, Source, draft, without

#: How often a Job tries again by default.
_DEFAULT_BACKOFF_LIMIT = 6


def job(source: Source, options: Options, left: list[Left]) -> Draft:
    """A Job as a Workload that runs to completion once."""
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    _run_once(made, spec)
    fields.finish()
    return made


def cronjob(source: Source, options: Options, left: list[Left]) -> Draft:
    """A CronJob as a Workload that is stopped, and runs once when somebody starts it."""
    fields = source.fields(left)
    made, spec = draft(source, fields, options), fields.within("spec")
    namespace = made.metadata.get("namespace", "")
    start, again = (commands.ours(verb, made.name, namespace) for verb in ("start", "restart"))
    spec.say(
        "schedule",
        f"a Workload has no schedule, so it is Stopped: {start} runs it, and {again} runs it again",
    )
    for key in ("timeZone", "startingDeadlineSeconds"):
        spec.leave(key, "a Workload has no schedule")
    spec.settle("suspend")
    spec.settle_value("concurrencyPolicy", "Allow")
    spec.leave("concurrencyPolicy", "a Workload has one run at a time: a new run ends the former one")
    spec.settle_value("successfulJobsHistoryLimit", 3)
    spec.settle_value("failedJobsHistoryLimit", 1)
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        spec.leave(key, "a Workload keeps the end of its last run only, in status.exit")
    template = spec.within("jobTemplate")
    _join_metadata(made, template.within("metadata"))
    _run_once(made, template.within("spec"))
    made.spec["state"] = "Stopped"
    fields.finish()
    return made


def _join_metadata(made: Draft, metadata: Fields) -> None:
    """Add the labels and annotations that each Job would have. The CronJob's own have precedence."""
    metadata.settle("creationTimestamp")
    for key, dropped in (("labels", SET_LABELS), ("annotations", SET_ANNOTATIONS)):
        own = made.metadata.get(key, {})
        entries = without(metadata.texts(key), dropped)
        for name in sorted(name for name in entries if own.get(name, entries[name]) != entries[name]):
            metadata.left.append(
                Left(f"{metadata.at(key)}.{name}", f"the CronJob's own {key} have another value")
            )
        if joined := {**entries, **own}:
            made.metadata[key] = joined


def _run_once(made: Draft, spec: Fields) -> None:
    """Take over a Job's spec. Raises CannotConvert for a template that doesn't end."""
    template = use_template(made, spec)
    policy = restart_policy(template)
    if policy == "Always":
        raise CannotConvert(
            f"{spec.at('template')}.spec.restartPolicy must be OnFailure or Never, as in any Job: correct it"
        )
    _drop_set_labels(made)
    if spec.take("suspend", bool):
        made.spec["state"] = "Stopped"
    for key in ("completions", "parallelism"):
        count = spec.peek(key, int)
        if count == 0:
            spec.settle(key)
            made.spec["state"] = "Stopped"
        spec.settle_value(key, 1)
        spec.leave(key, f"a Workload runs one Pod once, and this asks for {count}: keep the Job")
    _name_retries(spec, policy)
    spec.leave(
        "activeDeadlineSeconds",
        "it is the Job's: for the same of the Workload's one Pod, set activeDeadlineSeconds in "
        "spec.template.spec",
    )
    spec.leave("ttlSecondsAfterFinished", "a Workload that has ended stays until somebody deletes it")
    spec.settle("selector", "manualSelector")  # the operator finds its objects by their owner
    spec.settle_value("completionMode", "NonIndexed")
    spec.leave("completionMode", "a Workload's Pod has no index, and no variable JOB_COMPLETION_INDEX")
    spec.settle_value("podReplacementPolicy", "TerminatingOrFailed")
    why = "a Workload doesn't count the failures of its Pods"
    for key in ("podFailurePolicy", "successPolicy", "backoffLimitPerIndex", "maxFailedIndexes"):
        spec.leave(key, why)


def _name_retries(spec: Fields, policy: str) -> None:
    """Name how often a Job tries again, unless the Workload does the same."""
    backoff_limit = spec.take("backoffLimit", int)
    limit = _DEFAULT_BACKOFF_LIMIT if backoff_limit is None else backoff_limit
    often = f"the Job tries {limit} times again" + (" (the default)" if backoff_limit is None else "")
    if policy == "Never" and limit:
        spec.say(
            "backoffLimit",
            f"{often}, and a Workload with restartPolicy Never has failed for good: with OnFailure its "
            "containers start again until they succeed",
        )
    if policy == "OnFailure":
        spec.say("backoffLimit", f"{often}, and a Workload's containers start again until they succeed")


def _drop_set_labels(made: Draft) -> None:
    """Remove the labels from the template that a cluster has added: they name the former Job."""
    metadata = made.spec["template"].get("metadata") or {}
    labels = metadata.get("labels") or {}
    if kept := without(labels, SET_LABELS):
        metadata = {**metadata, "labels": kept}
    else:
        metadata = {key: value for key, value in metadata.items() if key != "labels"}
    if labels.keys() & SET_LABELS:
        made.spec["template"] = {**made.spec["template"], "metadata": metadata}
        made.pod_labels = without(made.pod_labels, SET_LABELS)
