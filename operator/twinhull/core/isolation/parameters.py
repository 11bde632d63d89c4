"""What policies add to a hull beside its isolation: the sandbox's RuntimeClass, how a machine is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.virtualmachine import Instancetype, Preference
from twinhull.api.workload import WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.policy import Policy

#: The fields of spec.virtualMachine that a policy may fill in.
_MACHINE = ("guest_image", "instancetype", "preference")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field that the hull is made with, by its name in the models, and who says so."""

    field: str
    value: str | Instancetype | Preference
    source: str


def runtime_class(
    spec: WorkloadSpec, policies: tuple[Policy, ...], defaults: OperatorDefaults
) -> Parameter | None:
    """The RuntimeClass of a Workload's sandbox, None if nobody names one.

    Under a policy whose minimum is a sandbox the Workload has no say, or it would name one that is none.
    """
    floors = any(policy.requires for policy in policies)
    if spec.sandbox and not floors:
        return Parameter("runtime_class_name", spec.sandbox.runtime_class_name, "spec.sandbox")
    return next(_named_by_others(policies, defaults), None)


def required_runtime_class(policies: tuple[Policy, ...], defaults: OperatorDefaults) -> str | None:
    """The RuntimeClass of every sandbox under policies of which one's minimum is a sandbox."""
    return next((str(parameter.value) for parameter in _named_by_others(policies, defaults)), None)


def _named_by_others(policies: tuple[Policy, ...], defaults: OperatorDefaults) -> Iterator[Parameter]:
    """The RuntimeClasses that policies and the operator name, the one that decides first."""
    floors = [policy for policy in policies if policy.requires]
    others = [policy for policy in policies if policy not in floors]
    for policy in (*floors, *others):
        if policy.spec.sandbox and policy.spec.sandbox.runtime_class_name:
            source = f"IsolationPolicy {policy.name}"
            yield Parameter("runtime_class_name", policy.spec.sandbox.runtime_class_name, source)
    if defaults.runtime_class:
        yield Parameter(
            "runtime_class_name", defaults.runtime_class, "the operator's --sandbox-runtime-class"
        )


def machine(spec: WorkloadSpec, policies: tuple[Policy, ...]) -> Iterator[Parameter]:
    """What policies say of a machine where the Workload says nothing: each field the first that has it.

    The Secret that pulls the guest image comes from the policy that names the image: credentials aren't for
    somebody else's image. A machine that boots a disk of its own gets nothing of it: it has no guest, says
    its size itself, and may boot with no other devices than its system has drivers for.
    """
    own = spec.virtual_machine
    if own.boot_disk:
        return
    for field in _MACHINE:
        if getattr(own, field) is not None:
            continue
        for policy in policies:
            if value := getattr(policy.spec.virtual_machine, field, None):
                source = f"IsolationPolicy {policy.name}"
                yield Parameter(field, value, source)
                if field == "guest_image" and own.guest_image_pull_secret is None:
                    yield from _pull_secret(policy, source)
                break


def _pull_secret(policy: Policy, source: str) -> Iterator[Parameter]:
    built = policy.spec.virtual_machine
    if built and built.guest_image_pull_secret:
        yield Parameter("guest_image_pull_secret", built.guest_image_pull_secret, source)
