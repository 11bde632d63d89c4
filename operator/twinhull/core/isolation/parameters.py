"""Parameters of a hull that policies set: the RuntimeClass of a sandbox, and the guest image, instancetype
and preference of a machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from twinhull.api.virtualmachine import Instancetype, Preference
from twinhull.api.workload import WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation.policy import Policy

#: The fields of spec.virtualMachine that a policy may set.
_MACHINE_FIELDS = ("guest_image", "instancetype", "preference")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting with which the hull is made."""

    #: The field's name in the models of api/.
    field: str
    value: str | Instancetype | Preference
    #: Who sets the field, such as `IsolationPolicy untrusted`.
    source: str


def runtime_class(
    spec: WorkloadSpec, policies: tuple[Policy, ...], defaults: OperatorDefaults
) -> Parameter | None:
    """The RuntimeClass of a Workload's sandbox, None if nobody names one.

    Under a policy with a minimum the Workload's own spec.sandbox is ignored: it could name a RuntimeClass
    that sandboxes nothing.
    """
    floors = any(policy.requires for policy in policies)
    if spec.sandbox and not floors:
        return Parameter("runtime_class_name", spec.sandbox.runtime_class_name, "spec.sandbox")
    return next(_named_by_others(policies, defaults), None)


def required_runtime_class(policies: tuple[Policy, ...], defaults: OperatorDefaults) -> str | None:
    """The only RuntimeClass that counts as a sandbox under these policies, of which at least one has the
    minimum Sandbox. None if neither a policy nor the operator names a RuntimeClass.
    """
    return next((str(parameter.value) for parameter in _named_by_others(policies, defaults)), None)


def _named_by_others(policies: tuple[Policy, ...], defaults: OperatorDefaults) -> Iterator[Parameter]:
    """The RuntimeClasses that policies and the operator name; the first decides. Policies with a minimum come
    first, then other policies, then the operator.
    """
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
    """The fields of spec.virtualMachine that policies set because the Workload leaves them empty. Each field
    comes from the first policy that has a value.

    The pull secret comes from the policy that names the guest image, since its credentials are for that image
    only. Policies set no field of a machine that boots a disk of its own: such a machine has no guest, its
    spec says its size, and its system may have drivers for other devices than a preference gives it.
    """
    own = spec.virtual_machine
    if own.boot_disk:
        return
    for field in _MACHINE_FIELDS:
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
    settings = policy.spec.virtual_machine
    if settings and settings.guest_image_pull_secret:
        yield Parameter("guest_image_pull_secret", settings.guest_image_pull_secret, source)
