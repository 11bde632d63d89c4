"""The rehearsal: what is tried out before anything that runs goes, and which refusals of it count."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twinhull.core import quota
from twinhull.core.actions import Rehearse, RehearseChange
from twinhull.core.case import Case
from twinhull.core.companions import service_to_be
from twinhull.hulls import launcher_rehearsal, pod
from twinhull.hulls.hull import HULL_NAME_LABEL
from twinhull.hulls.objectmeta import labels
from twinhull.hulls.refusalsentences import exceeds_quota

#: What refuses a Pod like the launcher's, and KubeVirt's own no less: whoever makes it, whatever else it has.
_OF_LAUNCHER = re.compile(
    r"""
    violates\ PodSecurity | no\ PriorityClass\ with\ name | error\ looking\ up\ service\ account
    | maximum\ [^ ]+\ usage\ per\ (Container|Pod)\ is | exceeded\ quota | ^Pod\ "[^"]+"\ is\ invalid:
    """,
    re.VERBOSE,
)
#: The same of one whose memory has no limit, or gets a LimitRange's default.
_OF_UNLIMITED = re.compile(
    r"must be less than or equal to memory limit|maximum memory usage per \w+ is \S+\s+No limit is specified"
)


def rehearsals(case: Case) -> tuple[Rehearse | RehearseChange, ...]:
    """What is yet to be tried out before hulls are replaced: all that their replacement makes."""
    return tuple(one for one in _all(case) if one.key not in case.observed.rehearsed)


def of_guests_pod(case: Case) -> tuple[Rehearse, ...]:
    """The same before a machine is made or changed: the Pod in it, which no API server has seen."""
    if not case.hull_type.has_guest:
        return ()
    rehearsal = Rehearse(pod.as_template(case.desired.guests_pod), "guest's Pod")
    return () if rehearsal.key in case.observed.rehearsed else (rehearsal,)


def counts(action: Rehearse, sentence: str) -> bool:
    """Whether a refusal, in the API server's words, is one of what is to be made. The hulls that are replaced
    may fill a quota, and what only stands for something may be refused where that isn't.
    """
    if is_unable(sentence):
        return False
    if action.stands_for == "guest's Pod":
        return sentence.startswith('PodTemplate "') and " is invalid: " in sentence
    if action.stands_for == "launcher without limits":
        return _OF_UNLIMITED.search(sentence) is not None
    if action.stands_for == "launcher" and not _OF_LAUNCHER.search(sentence):
        return False
    return not (exceeds_quota(sentence) and quota.fits_without(sentence, action.replaced))


def is_unable(sentence: str) -> bool:
    """Whether a webhook of the cluster's can't rehearse, which is no refusal."""
    return "does not support dry run" in sentence


def explained(action: Rehearse, sentence: str) -> str:
    """A refusal that counts, for people: of what stands for something else, what that is."""
    name = labels(action.obj).get(HULL_NAME_LABEL) or action.obj["metadata"]["name"]
    if action.stands_for == "guest's Pod":
        return f"VirtualMachine {name} can't run its Pod: {sentence.partition(' is invalid: ')[2]}"
    if action.stands_for != "itself":
        return f"KubeVirt couldn't make the launcher Pod of VirtualMachine {name}: {sentence}"
    return sentence


def _all(case: Case) -> Iterator[Rehearse | RehearseChange]:
    yield from of_guests_pod(case)
    for obj in case.desired.hull_objects:
        if obj["kind"] != "ConfigMap" or case.hull_name not in case.observed.manifests:
            yield Rehearse(obj, replaced=case.former)
    settings = case.observed.capabilities.launcher
    if case.hull_type.run_by_kubevirt and settings is not None:
        vm = case.desired.hull_objects[-1]
        yield Rehearse(launcher_rehearsal.render(vm, settings), "launcher", case.former)
        if not launcher_rehearsal.limits_memory(vm):
            unlimited = launcher_rehearsal.render(vm, settings, limited=False)
            yield Rehearse(unlimited, "launcher without limits", case.former)
    for change in service_to_be(case):
        yield RehearseChange(change)
