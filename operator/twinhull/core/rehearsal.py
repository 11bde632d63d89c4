"""The rehearsal: dry runs of all objects of a replacement before a running hull ends, and which refusals of
them count.
"""

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

#: Refusals of a stand-in for the launcher Pod that KubeVirt's own launcher Pod would get as well.
_OF_LAUNCHER = re.compile(
    r"""
    violates\ PodSecurity | no\ PriorityClass\ with\ name | error\ looking\ up\ service\ account
    | maximum\ [^ ]+\ usage\ per\ (Container|Pod)\ is | exceeded\ quota | ^Pod\ "[^"]+"\ is\ invalid:
    """,
    re.VERBOSE,
)
#: The same for a launcher Pod whose memory has no limit, or gets a LimitRange's default.
_OF_UNLIMITED = re.compile(
    r"must be less than or equal to memory limit|maximum memory usage per \w+ is \S+\s+No limit is specified"
)


def rehearsals(case: Case) -> tuple[Rehearse | RehearseChange, ...]:
    """The objects and changes of a replacement that haven't been rehearsed yet."""
    return tuple(one for one in _all(case) if one.key not in case.observed.rehearsed)


def of_guests_pod(case: Case) -> tuple[Rehearse, ...]:
    """The rehearsal of the Pod in a machine, which no API server has seen, before the machine is made or
    changed; nothing if it has been rehearsed.
    """
    if not case.hull_type.has_guest:
        return ()
    rehearsal = Rehearse(pod.as_template(case.desired.guests_pod), "guest's Pod")
    return () if rehearsal.key in case.observed.rehearsed else (rehearsal,)


def counts(action: Rehearse, sentence: str) -> bool:
    """Whether a refused rehearsal means that the real object would be refused; `sentence` is the API
    server's.

    It doesn't if only a quota is full that the replaced hulls will free, or if a stand-in fails a check that
    the object in its place would pass.
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
    """Whether the sentence only says that a webhook of the cluster doesn't support dry runs."""
    return "does not support dry run" in sentence


def explained(action: Rehearse, sentence: str) -> str:
    """A refusal that counts, for people. That of a stand-in names the object in whose place it was tried."""
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
