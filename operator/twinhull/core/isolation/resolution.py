"""The resolution: which isolation a Workload gets, by two ordered lists of rules. The first list decides
which isolation is asked for, and the second whether policies reject, raise or accept that isolation. In each
list, the first rule that doesn't abstain decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Reason
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.api.workload import WorkloadSpec
from twinhull.api.workloadstatus import IsolationStatus
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.parameters import Parameter, machine, runtime_class
from twinhull.core.isolation.policy import Policy, strictest
from twinhull.core.isolation.policy_reading import unreadable
from twinhull.hulls.types import SpecSection, type_of


@dataclass(frozen=True, slots=True)
class Question:
    """All that the rules look at."""

    #: The Workload's spec.
    spec: WorkloadSpec
    #: The policies that concern the Workload, the highest priority first.
    policies: tuple[Policy, ...]
    #: The operator's settings.
    defaults: OperatorDefaults


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision of a rule."""

    isolation: Isolation
    reason: Reason
    message: str
    #: The policy that decides, if one does.
    policy: str | None = None
    #: The names of the policies because of which no hull is made.
    rejected_by: tuple[str, ...] = ()


#: Why a rule doesn't decide.
Abstention: TypeAlias = str
Asking: TypeAlias = Callable[[Question], Answer | Abstention]
Limiting: TypeAlias = Callable[[Question, Answer], Answer | Abstention]


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer of one rule."""

    #: The rule's name, as `twinhull explain` shows it.
    rule: str
    answer: Answer | Abstention


class PolicyEffect(StrEnum):
    """An effect of a policy on a Workload. A policy may have several."""

    #: The policy concerns the Workload, or one of its hulls.
    MATCHED = "matched"
    #: The policy has raised the isolation, and no hull runs below its minimum any more.
    RAISED = "raised"
    #: A hull runs below the policy's minimum.
    PENDING = "pending"
    #: The policy lets no hull be made.
    REJECTED = "rejected"


class PolicyAndEffect(NamedTuple):
    """A policy, by its name, and one of its effects."""

    policy: str
    effect: PolicyEffect


@dataclass(frozen=True, slots=True)
class Resolution:
    """The isolation of a Workload, why, and the parameters of its hull."""

    #: The value of spec.isolationPolicy.
    requested: str
    #: The isolation that was decided. If policies reject the Workload, it is the isolation that was asked
    #: for.
    resolved: Isolation
    #: Why, in one word.
    reason: Reason
    #: The same in a sentence.
    message: str
    #: The name of the policy that decided, if one did.
    policy: str | None
    #: The names of the policies because of which no hull is made.
    rejected_by: tuple[str, ...]
    #: All policies that concern the Workload.
    policies: tuple[Policy, ...]
    #: The policy with the strongest minimum, None if no policy has a minimum.
    floor: Policy | None
    #: The sandbox's RuntimeClass. None if nobody names one, or the isolation isn't Sandbox.
    runtime_class: str | None
    #: The Workload's spec.virtualMachine, with the fields that policies set.
    virtual_machine: VirtualMachine
    #: The answers of the rules that were asked, in order.
    rulings: tuple[Ruling, ...]
    #: The fields of the hull that policies or the operator set, and of spec.sandbox.
    parameters: tuple[Parameter, ...]

    @property
    def rejected(self) -> bool:
        """Whether no hull is made because of a policy."""
        return bool(self.rejected_by)

    def effects(self, pending: frozenset[str] = frozenset()) -> frozenset[PolicyAndEffect]:
        """The effects of each policy on the Workload. `pending` are the names of the policies below whose
        minimum a hull of this Workload still runs. These count as PENDING and MATCHED, also if they don't
        match the spec any more, and not yet as RAISED.
        """
        raised = {self.policy} if self.policy and self.reason == Reason.RAISED_BY_POLICY else set()
        names: dict[PolicyEffect, Iterable[str]] = {
            PolicyEffect.MATCHED: {policy.name for policy in self.policies} | pending,
            PolicyEffect.RAISED: raised - pending,
            PolicyEffect.PENDING: pending,
            PolicyEffect.REJECTED: self.rejected_by,
        }
        return frozenset(PolicyAndEffect(name, effect) for effect in names for name in names[effect])

    def status(
        self, running: Isolation | None = None, pending_since: datetime | None = None
    ) -> IsolationStatus:
        """The Workload's status.isolation. `running` is the weakest isolation of its hulls, and
        `pending_since` the time since when one runs below a policy's minimum.
        """
        return IsolationStatus(
            requested=self.requested,
            resolved=self.resolved,
            running=running,
            pending_since=pending_since,
            policy=self.policy,
            reason=self.reason,
            message=self.message,
        )


def requested(question: Question) -> Answer | Abstention:
    """The isolation that spec.isolationPolicy names, unless it is Auto."""
    policy = question.spec.isolation_policy
    if policy == "Auto":
        return "spec.isolationPolicy is Auto"
    return Answer(Isolation(policy), Reason.REQUESTED, f"spec.isolationPolicy asks for {policy}")


def policy_default(question: Question) -> Answer | Abstention:
    """The default of the first policy that has one."""
    highest = next(((p.name, p.spec.default) for p in question.policies if p.spec.default), None)
    if highest is None:
        return "no policy that concerns it has a default"
    name, default = highest
    sentence = f"spec.isolationPolicy is Auto, for which IsolationPolicy {name} has the default {default}"
    return Answer(default, Reason.POLICY_DEFAULT, sentence, name)


def operator_default(question: Question) -> Answer:
    """The default of the operator's options."""
    default = question.defaults.isolation
    sentence = f"spec.isolationPolicy is Auto, for which the operator's default is {default}"
    return Answer(default, Reason.OPERATOR_DEFAULT, sentence)


def policy_unreadable(question: Question, answer: Answer) -> Answer | Abstention:
    """A policy that this operator can't read rejects the Workload, since it may require any isolation."""
    unread = [policy for policy in question.policies if policy.problem]
    if not unread:
        return "every policy that concerns it can be read"
    return _rejection(answer, Reason.POLICY_UNREADABLE, unreadable(unread[0]), unread)


def rejected_below_minimum(question: Question, answer: Answer) -> Answer | Abstention:
    """Policies with `onViolation: Reject` reject an isolation below their minimum. The message names the
    strictest of these policies.
    """
    rejecting = [policy for policy in _violated(question, answer) if policy.rejects]
    first = strictest(rejecting)
    if first is None:
        return "no policy that rejects has a stronger minimum"
    sentence = (
        f"IsolationPolicy {first.name} requires {first.requirement}, and {answer.message}: set "
        f"spec.isolationPolicy to {first.allowed}"
    )
    others = [policy for policy in rejecting if policy is not first]
    return _rejection(answer, Reason.REJECTED_BY_POLICY, sentence, [first, *others])


def raised_to_minimum(question: Question, answer: Answer) -> Answer | Abstention:
    """The strictest of the other policies raises an isolation that is below its minimum."""
    first = strictest(policy for policy in _violated(question, answer) if not policy.rejects)
    if first is None:
        return "no policy that raises has a stronger minimum"
    sentence = f"IsolationPolicy {first.name} requires {first.requirement}, and {answer.message}"
    return Answer(first.minimum, Reason.RAISED_BY_POLICY, sentence, first.name)


def as_asked(_: Question, answer: Answer) -> Answer:
    """No policy objects to the isolation that is asked for."""
    return answer


#: The rules by the names that `twinhull explain` shows, in its JSON as well.
ASKING: Mapping[str, Asking] = MappingProxyType(
    {
        "requested": requested,
        "policy default": policy_default,
        "operator default": operator_default,
    }
)
LIMITING: Mapping[str, Limiting] = MappingProxyType(
    {
        "policy unreadable": policy_unreadable,
        "rejected by policy": rejected_below_minimum,
        "raised by policy": raised_to_minimum,
        "as asked": as_asked,
    }
)


def resolve(spec: WorkloadSpec, defaults: OperatorDefaults, policies: tuple[Policy, ...] = ()) -> Resolution:
    """The isolation of a Workload. `policies` are those that concern it, the highest priority first. Unless
    they reject the Workload, the isolation is never weaker than the one that the spec names, nor below the
    minimum of any policy.
    """
    question = Question(spec, policies, defaults)
    asking, answer = _decided(Ruling(name, rule(question)) for name, rule in ASKING.items())
    limiting, decided = _decided(Ruling(name, rule(question, answer)) for name, rule in LIMITING.items())
    floor = strictest(policies)
    section = type_of(decided.isolation, spec).spec_section
    sandbox = runtime_class(spec, policies, defaults) if section is SpecSection.SANDBOX else None
    added = tuple(machine(spec, policies)) if section is SpecSection.VIRTUAL_MACHINE else ()
    return Resolution(
        requested=spec.isolation_policy,
        resolved=decided.isolation,
        reason=decided.reason,
        message=decided.message,
        policy=decided.policy,
        rejected_by=decided.rejected_by,
        policies=policies,
        floor=floor if floor and floor.requires else None,
        runtime_class=str(sandbox.value) if sandbox else None,
        virtual_machine=_with(spec.virtual_machine, added),
        rulings=(*asking, *limiting),
        parameters=(sandbox, *added) if sandbox else added,
    )


def _decided(rulings: Iterator[Ruling]) -> tuple[tuple[Ruling, ...], Answer]:
    """The rulings up to the first that decides, and its answer. The last rule of a list always decides."""
    considered = []
    for ruling in rulings:
        considered.append(ruling)
        if isinstance(ruling.answer, Answer):
            return tuple(considered), ruling.answer
    raise AssertionError("no rule has an answer")


def _violated(question: Question, answer: Answer) -> list[Policy]:
    """The policies with a minimum above the isolation of the answer."""
    return [policy for policy in question.policies if policy.minimum.strength > answer.isolation.strength]


def _rejection(answer: Answer, reason: Reason, message: str, policies: list[Policy]) -> Answer:
    """The answer by which these policies reject the Workload; the first of them is named in the status."""
    names = tuple(policy.name for policy in policies)
    return Answer(answer.isolation, reason, message, names[0], names)


def _with(own: VirtualMachine, parameters: tuple[Parameter, ...]) -> VirtualMachine:
    """A Workload's spec.virtualMachine with the parameters; the same object if there are none."""
    added = {parameter.field: parameter.value for parameter in parameters}
    return own.model_copy(update=added) if added else own
