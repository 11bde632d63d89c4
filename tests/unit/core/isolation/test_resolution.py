"""Resolution: which isolation a Workload gets, and which parameters its hull."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.core.policies import policy, rules
from twinhull.api.base import Raw
from twinhull.api.isolation import Isolation
from twinhull.api.workload import WorkloadSpec
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import Resolution, precedence, resolve

TEMPLATE: Raw = {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}


def resolved(
    policy: str | None, default: Isolation = Isolation.CONTAINER, sandbox: str | None = None
) -> Resolution:
    spec: Raw = {"template": TEMPLATE, **({"isolationPolicy": policy} if policy else {})}
    if sandbox:
        spec["sandbox"] = {"runtimeClassName": sandbox}
    return resolve(WorkloadSpec.model_validate(spec), OperatorDefaults(default, runtime_class="gvisor"))


@pytest.mark.parametrize("isolation", Isolation)
@pytest.mark.parametrize("default", Isolation)
def test_what_is_asked_for_by_name_is_given(isolation: Isolation, default: Isolation) -> None:
    resolution = resolved(isolation, default)
    assert (resolution.requested, resolution.resolved) == (isolation, isolation)
    assert (resolution.reason, resolution.message) == (
        "Requested",
        f"spec.isolationPolicy asks for {isolation}",
    )


@pytest.mark.parametrize("policy", ["Auto", None])
@pytest.mark.parametrize("default", Isolation)
def test_auto_is_what_the_operator_makes_of_it(policy: str | None, default: Isolation) -> None:
    resolution = resolved(policy, default)
    assert (resolution.requested, resolution.resolved) == ("Auto", default)
    assert resolution.reason == "OperatorDefault"
    assert (
        resolution.message == f"spec.isolationPolicy is Auto, for which the operator's default is {default}"
    )


@pytest.mark.parametrize(
    ("policy", "sandbox", "runtime_class"),
    [
        ("Sandbox", None, "gvisor"),
        ("Sandbox", "kata", "kata"),
        ("Container", "kata", None),
        ("VirtualMachine", "kata", None),
    ],
)
def test_only_a_sandbox_has_a_runtime_class(
    policy: str, sandbox: str | None, runtime_class: str | None
) -> None:
    assert resolved(policy, sandbox=sandbox).runtime_class == runtime_class


def test_status_says_the_same() -> None:
    resolution = resolved("Auto", Isolation.SANDBOX)
    assert resolution.status().raw() == {
        "requested": "Auto",
        "resolved": "Sandbox",
        "reason": "OperatorDefault",
        "message": "spec.isolationPolicy is Auto, for which the operator's default is Sandbox",
    }


# --- with policies -----------------------------------------------------------------------------------------


def decided(
    isolation: str, *policies: Raw, default: Isolation = Isolation.CONTAINER, **spec: Any
) -> Resolution:
    """The resolution of a Workload that these policies concern."""
    raw = {"template": TEMPLATE, "isolationPolicy": isolation, **spec}
    defaults = OperatorDefaults(default, runtime_class="gvisor")
    return resolve(WorkloadSpec.model_validate(raw), defaults, precedence(rules(*policies)))


def summary(resolution: Resolution) -> tuple[str, str, str | None]:
    return resolution.resolved, resolution.reason, resolution.policy


@pytest.mark.parametrize(
    ("isolation", "policies", "expected"),
    [
        ("Auto", [policy("a", default="Sandbox")], ("Sandbox", "PolicyDefault", "a")),
        ("Container", [policy("a", default="Sandbox")], ("Container", "Requested", None)),
        (
            "Auto",
            [policy("a", default="Sandbox"), policy("b", default="VirtualMachine", priority=1)],
            ("VirtualMachine", "PolicyDefault", "b"),
        ),
        (
            "Auto",
            [policy("b", default="Sandbox"), policy("a", default="VirtualMachine")],
            ("VirtualMachine", "PolicyDefault", "a"),
        ),
        (
            "Auto",
            [policy("a", default="Sandbox"), policy("b", minimum="Container", priority=9)],
            ("Sandbox", "PolicyDefault", "a"),
        ),
        ("Container", [policy("a", minimum="Sandbox")], ("Sandbox", "RaisedByPolicy", "a")),
        ("Auto", [policy("a", minimum="Sandbox")], ("Sandbox", "RaisedByPolicy", "a")),
        ("Sandbox", [policy("a", minimum="Sandbox")], ("Sandbox", "Requested", None)),
        ("VirtualMachine", [policy("a", minimum="Sandbox")], ("VirtualMachine", "Requested", None)),
        (
            "Container",
            [policy("a", minimum="Sandbox", priority=9), policy("b", minimum="VirtualMachine")],
            ("VirtualMachine", "RaisedByPolicy", "b"),
        ),
        (
            "Container",
            [policy("b", minimum="Sandbox"), policy("c", minimum="Sandbox", priority=1)],
            ("Sandbox", "RaisedByPolicy", "c"),
        ),
        (
            "Auto",
            [policy("a", default="Sandbox", priority=1), policy("b", minimum="VirtualMachine")],
            ("VirtualMachine", "RaisedByPolicy", "b"),
        ),
        (
            "Container",
            [policy("a", minimum="Sandbox", onViolation="Reject")],
            ("Container", "RejectedByPolicy", "a"),
        ),
        (
            "Auto",
            [policy("a", minimum="Sandbox", onViolation="Reject")],
            ("Container", "RejectedByPolicy", "a"),
        ),
        (
            "Auto",
            [policy("a", minimum="Sandbox", onViolation="Reject", default="Sandbox")],
            ("Sandbox", "PolicyDefault", "a"),
        ),
        (
            "Container",
            [policy("a", minimum="Sandbox", onViolation="Reject"), policy("b", minimum="VirtualMachine")],
            ("Container", "RejectedByPolicy", "a"),
        ),
        (
            "Sandbox",
            [policy("a", minimum="Sandbox", onViolation="Reject"), policy("b", minimum="VirtualMachine")],
            ("VirtualMachine", "RaisedByPolicy", "b"),
        ),
        ("VirtualMachine", [policy("a", minimum="Enclave")], ("VirtualMachine", "PolicyUnreadable", "a")),
    ],
)
def test_policies_decide(isolation: str, policies: list[Raw], expected: tuple[str, str, str | None]) -> None:
    assert summary(decided(isolation, *policies)) == expected
    assert summary(decided(isolation, *reversed(policies))) == expected, "in whatever order they come"


def test_every_policy_that_rejects_is_named() -> None:
    resolution = decided(
        "Container",
        policy("a", minimum="Sandbox", onViolation="Reject"),
        policy("b", minimum="VirtualMachine", onViolation="Reject"),
        policy("c", minimum="Container", onViolation="Reject"),
    )
    assert resolution.rejected_by == ("b", "a")
    assert resolution.message == (
        "IsolationPolicy b requires VirtualMachine, and spec.isolationPolicy asks for Container: set "
        "spec.isolationPolicy to VirtualMachine"
    )


@pytest.mark.parametrize(
    ("own", "policies", "runtime_class", "source"),
    [
        (None, [], "gvisor", "the operator's --sandbox-runtime-class"),
        ("runc", [], "runc", "spec.sandbox"),
        (
            "runc",
            [policy("a", default="Sandbox", sandbox={"runtimeClassName": "kata"})],
            "runc",
            "spec.sandbox",
        ),
        (None, [policy("a", sandbox={"runtimeClassName": "kata"})], "kata", "IsolationPolicy a"),
        (
            "runc",
            [policy("a", minimum="Sandbox", sandbox={"runtimeClassName": "kata"})],
            "kata",
            "IsolationPolicy a",
        ),
        ("runc", [policy("a", minimum="Sandbox")], "gvisor", "the operator's --sandbox-runtime-class"),
        (
            "runc",
            [
                policy("a", sandbox={"runtimeClassName": "fast"}, priority=9),
                policy("b", minimum="Sandbox", sandbox={"runtimeClassName": "kata"}),
            ],
            "kata",
            "IsolationPolicy b",
        ),
    ],
)
def test_runtime_class(own: str | None, policies: list[Raw], runtime_class: str, source: str) -> None:
    resolution = decided("Sandbox", *policies, sandbox={"runtimeClassName": own} if own else None)
    assert resolution.runtime_class == runtime_class
    assert [(entry.field, entry.source) for entry in resolution.parameters] == [
        ("runtime_class_name", source)
    ]


def test_policies_say_how_machines_are_built_where_workloads_do_not() -> None:
    policies = [
        policy("a", virtualMachine={"guestImage": "guest:a", "instancetype": {"name": "small"}}, priority=1),
        policy("b", virtualMachine={"guestImage": "guest:b", "preference": {"name": "linux"}}),
    ]
    resolution = decided("VirtualMachine", *policies, virtualMachine={"instancetype": {"name": "own"}})
    assert resolution.virtual_machine.raw() == {
        "guestImage": "guest:a",
        "instancetype": {"name": "own", "kind": "VirtualMachineClusterInstancetype"},
        "preference": {"name": "linux", "kind": "VirtualMachineClusterPreference"},
        "os": "Linux",
    }
    assert [(entry.field, entry.source) for entry in resolution.parameters] == [
        ("guest_image", "IsolationPolicy a"),
        ("preference", "IsolationPolicy b"),
    ]
    assert decided("Container", *policies).parameters == ()


@pytest.mark.parametrize(
    ("own", "policies", "secret"),
    [
        ({}, [{"guestImage": "guest:a", "guestImagePullSecret": "a"}], "a"),
        ({}, [{"guestImage": "guest:a"}, {"guestImage": "guest:b", "guestImagePullSecret": "b"}], None),
        ({}, [{"preference": {"name": "p"}}, {"guestImage": "guest:b", "guestImagePullSecret": "b"}], "b"),
        ({}, [{"guestImagePullSecret": "a"}, {"guestImage": "guest:b"}], None),
        ({"guestImage": "guest:own"}, [{"guestImage": "guest:a", "guestImagePullSecret": "a"}], None),
        ({"guestImagePullSecret": "own"}, [{"guestImage": "guest:a", "guestImagePullSecret": "a"}], "own"),
    ],
)
def test_a_policys_pull_secret_goes_with_its_own_guest_image(
    own: Raw, policies: list[Raw], secret: str | None
) -> None:
    given = [policy(name, virtualMachine=built) for name, built in zip("ab", policies, strict=False)]
    resolution = decided("VirtualMachine", *given, virtualMachine=own)
    assert resolution.virtual_machine.guest_image_pull_secret == secret
    sources = [entry.source for entry in resolution.parameters if entry.field == "guest_image_pull_secret"]
    assert sources == ([f"IsolationPolicy {secret}"] if secret in {"a", "b"} else [])


def test_revision_changes_only_by_what_a_policy_adds() -> None:
    spec = WorkloadSpec.model_validate({"template": TEMPLATE, "isolationPolicy": "VirtualMachine"})
    resolution = resolve(spec, OperatorDefaults(), rules(policy("a", minimum="VirtualMachine")))
    assert resolution.virtual_machine is spec.virtual_machine


def test_rulings_are_every_rule_that_was_asked_in_order() -> None:
    resolution = decided("Auto", policy("a", default="Sandbox"), policy("b", minimum="VirtualMachine"))
    by_default = "spec.isolationPolicy is Auto, for which IsolationPolicy a has the default Sandbox"
    assert [
        (ruling.rule, getattr(ruling.answer, "message", ruling.answer)) for ruling in resolution.rulings
    ] == [
        ("requested", "spec.isolationPolicy is Auto"),
        ("policy default", by_default),
        ("policy unreadable", "every policy that concerns it can be read"),
        ("rejected by policy", "no policy that rejects has a stronger minimum"),
        (
            "raised by policy",
            f"IsolationPolicy b requires VirtualMachine, and {by_default}",
        ),
    ]


ISOLATIONS = st.sampled_from([None, *Isolation])
POLICIES = st.lists(
    st.builds(
        lambda priority, default, minimum, reject: {
            "priority": priority,
            **({"default": default} if default else {}),
            **({"minimum": minimum} if minimum else {}),
            **({"onViolation": "Reject"} if reject and minimum else {}),
        },
        st.integers(0, 2),
        ISOLATIONS,
        ISOLATIONS,
        st.booleans(),
    ),
    max_size=4,
).map(lambda specs: [policy(f"p{number}", **spec) for number, spec in enumerate(specs)])


@given(st.sampled_from(["Auto", *Isolation]), POLICIES)
def test_nothing_is_weaker_than_asked_or_required(isolation: str, policies: list[Raw]) -> None:
    resolution = decided(isolation, *policies)
    minima = [Isolation(obj["spec"].get("minimum", "Container")).strength for obj in policies]
    if isolation != "Auto":
        assert resolution.resolved.strength >= Isolation(isolation).strength
    if not resolution.rejected:
        assert resolution.resolved.strength >= max(minima, default=0)
    assert resolution.rejected == (resolution.reason == "RejectedByPolicy")


@given(st.sampled_from(list(Isolation)), POLICIES)
def test_what_names_its_isolation_is_rejected_by_each_policy_by_itself(
    isolation: str, policies: list[Raw]
) -> None:
    together = set(decided(isolation, *policies).rejected_by)
    alone = {name for obj in policies for name in decided(isolation, obj).rejected_by}
    assert together == alone


@given(st.sampled_from(["Auto", *Isolation]), POLICIES, st.randoms())
def test_order_of_policies_does_not_matter(isolation: str, policies: list[Raw], chance: Random) -> None:
    shuffled = chance.sample(policies, len(policies))
    assert decided(isolation, *shuffled) == decided(isolation, *policies)


@pytest.mark.parametrize("size", [{"memory": "4Gi"}, {"instancetype": {"name": "own"}}])
def test_policies_do_not_say_how_a_machine_with_a_disk_is_built(size: Raw) -> None:
    """An instancetype would replace the machine's own memory, and a preference may give devices for which the
    disk's system has no drivers.
    """
    disk = {"source": {"containerDisk": {"image": "disk:1"}}}
    own = {"bootDisk": disk, "firmware": {"bootloader": "BIOS"}, **size}
    built = {
        "guestImage": "guest:1",
        "guestImagePullSecret": "guest",
        "instancetype": {"name": "small"},
        "preference": {"name": "windows"},
    }
    resolution = decided("VirtualMachine", policy("a", virtualMachine=built), virtualMachine=own)
    assert (
        resolution.virtual_machine.raw()
        == decided("VirtualMachine", virtualMachine=own).virtual_machine.raw()
    )
    assert resolution.parameters == ()
