"""The ValidatingAdmissionPolicies. They refuse a Workload at once, in CEL, that an IsolationPolicy would
reject: one policy for isolation, one for the images of machines.

For a Workload that names its isolation they decide as `core/isolation` does, which
tests/e2e/operator/test_admission.py checks. Every IsolationPolicy is a parameter of them, so nothing has to
be kept in step. Their CEL is in api/cel: isolation.cel and machine_images.cel.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinhull.api import injectors
from twinhull.api.base import API_VERSION, GROUP, VERSION, Raw
from twinhull.api.celfile import Cel
from twinhull.api.isolation import Isolation, strengths, strongest
from twinhull.api.virtualmachine import DESCRIBING_ANNOTATIONS

NAME = f"isolation.{GROUP}"
IMAGES_NAME = f"machine-images.{GROUP}"


def admission(machines: Iterable[Isolation]) -> list[Raw]:
    """The policies and their bindings, as they can be applied. `machines` are the isolations whose hull is a
    VirtualMachine: IsolationPolicies have rules for the images of those.
    """
    values = {
        "strengths": strengths(),
        "isolations": str([one.value for one in Isolation]),
        "strongest": f"'{strongest()}'",
    }
    isolation = Cel("isolation", values)
    of_machines = {
        "machineIsolations": str([one.value for one in machines]),
        "describing": str(list(DESCRIBING_ANNOTATIONS)),
        **injectors.in_cel(),
    }
    images = Cel("machine_images", of_machines)
    return [
        _policy(NAME, isolation),
        _binding(NAME),
        _policy(IMAGES_NAME, images),
        _binding(IMAGES_NAME),
    ]


def workload_images() -> str:
    """CEL for all images that a Workload names, as a list of strings: those of its template, those that its
    machine boots, and those in overrides. It is for tools that look at images, in the environment of
    ValidatingAdmissionPolicies.
    """
    return Cel("workload_images", {}).texts["expression"]["images"]


def _policy(name: str, cel: Cel) -> Raw:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "paramKind": {"apiVersion": API_VERSION, "kind": "IsolationPolicy"},
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": [GROUP],
                        "apiVersions": [VERSION],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["workloads"],
                    }
                ]
            },
            "matchConditions": _named(cel.texts["condition"]),
            "variables": _named(cel.texts["variable"]),
            "validations": [
                {
                    "expression": f"!({refused})",
                    "messageExpression": cel.texts["message"][of],
                    "reason": "Forbidden",
                }
                for of, refused in cel.texts["refuse"].items()
            ],
        },
    }


def _named(texts: dict[str, str]) -> list[Raw]:
    return [{"name": name, "expression": text} for name, text in texts.items()]


def _binding(name: str) -> Raw:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            # All IsolationPolicies. In a cluster without any nothing is refused.
            "paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"},
        },
    }
