"""Which isolation a Workload gets: two ordered lists of rules. Of the first, the rule that answers first says
what is asked for; of the second, whether policies let that be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from twinhull.api.isolation import Isolation
from twinhull.api.reasons import Reason
from twinhull.api.virtualmachine import VirtualMachine
from twinhull.api.workload import WorkloadSpec
from twinhull.api.workloadstatus import IsolationStatus
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.parameters import Parameter, machine, runtime_class
from twinhull.core.isolation.policy import Policy, strictest
from twinhull.hulls.types import SpecSection, type_of


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be decided: a Workload's spec, the policies that concern it, the highest priority first,
    and what the operator is configured to do.
    """

    spec: WorkloadSpec
    policies: tuple[Policy, ...]
    defaults: OperatorDefaults


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rule decides."""

    isolation: Isolation
    reason: Reason
    message: str
    #: The policy that decides, if one does.
    policy: str | None = None
    #: The policies that let no hull be made.
    rejected_by: tuple[str, ...] = ()


#: A rule that doesn't decide says why.
Pass: TypeAlias = str
Asking: TypeAlias = Callable[[Question], Answer | Pass]
Limiting: TypeAlias = Callable[[Question, Answer], Answer | Pass]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule said."""

    rule: str
    answer: Answer | Pass


class Part(StrEnum):
    """What a policy has to do with a Workload."""

    MATCHED = "matched"
    RAISED = "raised"
    PENDING = "pending"
    REJECTED = "rejected"


class Effect(NamedTuple):
    """A policy by its name, and its part in a resolution."""

    policy: str
    part: Part


@dataclass(frozen=True, slots=True)
class Resolution:
    """The isolation that was decided, and what the hull is made with."""

    #: The value of spec.isolationPolicy.
    requested: str
    #: The isolation that was decided. If policies reject the Workload, it is the one that was asked for.
    resolved: Isolation
    #: Why, in one word.
    reason: Reason
    #: The same in a sentence.
    message: str
    #: The policy that decided, if one did.
    policy: str | None
    #: The policies that let no hull be made.
    rejected_by: tuple[str, ...]
    #: All policies that concern the Workload.
    policies: tuple[Policy, ...]
    #: The policy with the strongest minimum, if any has one.
    floor: Policy | None
    #: The sandbox's RuntimeClass, None if nobody names one, or it is no sandbox.
    runtime_class: str | None
    #: The spec's settings, with those that policies add.
    virtual_machine: VirtualMachine
    #: The rules that were asked, in order.
    rulings: tuple[Ruling, ...]
    #: Settings of the hull that come from policies or the operator.
    parameters: tuple[Parameter, ...]

    @property
    def rejected(self) -> bool:
        """Whether a policy lets no hull be made."""
        return bool(self.rejected_by)

    def effects(self, pending: frozenset[str] = frozenset()) -> frozenset[Effect]:
        """The part that each policy has in it. What runs is below the minimums of those that are `pending`,
        so that those haven't raised it yet. They concern what runs, if not the spec.
        """
        raised = [self.policy] if self.policy and self.reason == Reason.RAISED_BY_POLICY else []
        return frozenset(
            (
                *(Effect(name, Part.MATCHED) for name in {*pending, *(p.name for p in self.policies)}),
                *(Effect(name, Part.RAISED) for name in raised if name not in pending),
                *(Effect(name, Part.PENDING) for name in pending),
                *(Effect(name, Part.REJECTED) for name in self.rejected_by),
            )
        )

    def status(
        self, running: Isolation | None = None, pending_since: datetime | None = None
    ) -> IsolationStatus:
        """What `status.isolation` says of it, and of what runs."""
        return IsolationStatus(
            requested=self.requested,
            resolved=self.resolved,
            running=running,
            pending_since=pending_since,
            policy=self.policy,
            reason=self.reason,
            message=self.message,
        )


def requested(question: Question) -> Answer | Pass:
    """What the Workload asks for by name."""
    policy = question.spec.isolation_policy
    if policy == "Auto":
        return "spec.isolationPolicy is Auto"
    return Answer(Isolation(policy), Reason.REQUESTED, f"spec.isolationPolicy asks for {policy}")


def policy_default(question: Question) -> Answer | Pass:
    """What the highest policy that has a default makes of Auto."""
    highest = next(((p.name, p.spec.default) for p in question.policies if p.spec.default), None)
    if highest is None:
        return "no policy that concerns it has a default"
    name, default = highest
    sentence = f"spec.isolationPolicy is Auto, for which IsolationPolicy {name} has the default {default}"
    return Answer(default, Reason.POLICY_DEFAULT, sentence, name)


def operator_default(question: Question) -> Answer:
    """What the operator is configured to make of Auto."""
    default = question.defaults.isolation
    sentence = f"spec.isolationPolicy is Auto, for which the operator's default is {default}"
    return Answer(default, Reason.OPERATOR_DEFAULT, sentence)


def policy_unreadable(question: Question, answer: Answer) -> Answer | Pass:
    """A policy that this operator can't read may demand anything."""
    unread = [policy for policy in question.policies if policy.problem]
    if not unread:
        return "every policy that concerns it can be read"
    sentence = (
        f"this operator can't read IsolationPolicy {unread[0].name} ({unread[0].problem}), so it starts no "
        "Workload that the policy may concern: correct the policy, or upgrade the operator"
    )
    return _rejection(answer, Reason.POLICY_UNREADABLE, sentence, unread)


def rejected_by_policy(question: Question, answer: Answer) -> Answer | Pass:
    """Policies that reject what is weaker than their minimum, each by itself."""
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


def raised_by_policy(question: Question, answer: Answer) -> Answer | Pass:
    """The strictest of the policies that raise what is weaker than their minimum."""
    first = strictest(policy for policy in _violated(question, answer) if not policy.rejects)
    if first is None:
        return "no policy that raises has a stronger minimum"
    sentence = f"IsolationPolicy {first.name} requires {first.requirement}, and {answer.message}"
    return Answer(first.minimum, Reason.RAISED_BY_POLICY, sentence, first.name)


def as_asked(_: Question, answer: Answer) -> Answer:
    """Nothing is against it."""
    return answer


ASKING: tuple[Asking, ...] = (requested, policy_default, operator_default)
LIMITING: tuple[Limiting, ...] = (policy_unreadable, rejected_by_policy, raised_by_policy, as_asked)


def resolve(spec: WorkloadSpec, defaults: OperatorDefaults, policies: tuple[Policy, ...] = ()) -> Resolution:
    """The isolation of a Workload that these policies concern, the highest priority first. Never weaker than
    what it asks for by name, nor than any of the policies requires.
    """
    question = Question(spec, policies, defaults)
    asking, answer = _decided(Ruling(rule.__name__, rule(question)) for rule in ASKING)
    limiting, decided = _decided(Ruling(rule.__name__, rule(question, answer)) for rule in LIMITING)
    floor = strictest(policies)
    section = type_of(decided.isolation, spec).spec_section
    sandbox = runtime_class(spec, policies, defaults) if section is SpecSection.SANDBOX else None
    built = tuple(machine(spec, policies)) if section is SpecSection.VIRTUAL_MACHINE else ()
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
        virtual_machine=_with(spec.virtual_machine, built),
        rulings=(*asking, *limiting),
        parameters=(sandbox, *built) if sandbox else built,
    )


def _decided(rulings: Iterator[Ruling]) -> tuple[tuple[Ruling, ...], Answer]:
    """The rulings up to the first that decides, and what it decides. The last rule of a list always does."""
    considered = []
    for ruling in rulings:
        considered.append(ruling)
        if isinstance(ruling.answer, Answer):
            return tuple(considered), ruling.answer
    raise AssertionError("no rule has an answer")


def _violated(question: Question, answer: Answer) -> list[Policy]:
    return [policy for policy in question.policies if policy.minimum.strength > answer.isolation.strength]


def _rejection(answer: Answer, reason: Reason, message: str, policies: list[Policy]) -> Answer:
    names = tuple(policy.name for policy in policies)
    return Answer(answer.isolation, reason, message, names[0], names)


def _with(own: VirtualMachine, parameters: tuple[Parameter, ...]) -> VirtualMachine:
    """A machine's settings with what policies add; the very same if they add nothing."""
    added = {parameter.field: parameter.value for parameter in parameters}
    return own.model_copy(update=added) if added else own
