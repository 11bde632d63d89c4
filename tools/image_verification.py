"""deploy/image-verification: how tools that verify images find those of Workloads.

Fields are those of policies.kyverno.io/v1 (kyverno/kyverno, api/policies.kyverno.io/v1), of
templates.gatekeeper.sh/v1 with the engine K8sNativeValidation (open-policy-agent/gatekeeper-library), and of
sigstore/policy-controller, whose webhook has a fixed list of kinds (cmd/webhook/main.go).
"""

from __future__ import annotations

from collections.abc import Callable

from twinhull.api.admission import workload_images
from twinhull.api.base import GROUP, VERSION, Raw
from twinhull.api.isolation import Isolation
from twinhull.hulls.types import machine_isolations

_WORKLOADS = {
    "apiGroups": [GROUP],
    "apiVersions": [VERSION],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["workloads"],
}
#: Which requests are looked at: those by which a Workload may run other images than before, as in
#: api/cel/concerned.cel. One that was there before the policy can be labelled, stopped and deleted: an update
#: takes its finalizers away. `oldObject` is null if there is none, as in Gatekeeper's audit, or may be empty.
_CHANGED = (
    "object != null && (!has(object.spec.state) || object.spec.state != 'Stopped') "
    "&& (oldObject == null || !has(oldObject.spec) || object.spec != oldObject.spec)"
)
_CONDITIONS = [{"name": "changed", "expression": _CHANGED}]
_KEY = "-----BEGIN PUBLIC KEY-----\nput your own key here\n-----END PUBLIC KEY-----\n"


def kyverno() -> list[Raw]:
    """Signatures of all images that a Workload names."""
    return [
        {
            "apiVersion": "policies.kyverno.io/v1",
            "kind": "ImageValidatingPolicy",
            "metadata": {"name": "workload-images"},
            "spec": {
                "failurePolicy": "Fail",
                "validationActions": ["Deny"],
                "matchConstraints": {"resourceRules": [_WORKLOADS]},
                "matchConditions": _CONDITIONS,
                # A tag may be another image by the time that a machine pulls it.
                "validationConfigurations": {"mutateDigest": False, "verifyDigest": True, "required": True},
                # What fits none of these isn't verified at all.
                "matchImageReferences": [{"glob": "*"}],
                "images": [{"name": "workload", "expression": workload_images()}],
                "attestors": [{"name": "cosign", "cosign": {"key": {"data": _KEY}}}],
                "validations": [
                    {
                        "expression": "images.workload.map(image, verifyImageSignatures(image, "
                        "[attestors.cosign])).all(verified, verified > 0)",
                        "message": "an image of the Workload isn't signed with our key",
                    }
                ],
            },
        }
    ]


def gatekeeper() -> list[Raw]:
    """An allow-list for all images that a Workload names, each with a digest."""
    kind = "WorkloadImages"
    template = {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}, "validation": {"openAPIV3Schema": _PARAMETERS}}},
            "targets": [
                {
                    "target": "admission.k8s.gatekeeper.sh",
                    "code": [{"engine": "K8sNativeValidation", "source": _source()}],
                }
            ],
        },
    }
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": kind,
        "metadata": {"name": "workload-images"},
        "spec": {
            "match": {"kinds": [{"apiGroups": [GROUP], "kinds": ["Workload"]}]},
            "parameters": {"prefixes": ["registry.example/ours/"]},
        },
    }
    return [template, constraint]


_PARAMETERS = {
    "type": "object",
    "properties": {
        "prefixes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What images begin with, up to and with a slash.",
        }
    },
}


def _source() -> Raw:
    images = workload_images().replace("object.", "variables.anyObject.")
    return {
        "variables": [
            {"name": "changed", "expression": _CHANGED},
            {"name": "images", "expression": images},
            {
                "name": "refused",
                "expression": "variables.images.filter(image, !image.contains('@sha256:') || "
                "!variables.params.prefixes.exists(prefix, image.startsWith(prefix)))",
            },
        ],
        "validations": [
            {
                "expression": "!variables.changed || size(variables.refused) == 0",
                "messageExpression": "'not allowed, or without a digest: ' + variables.refused.join(', ')",
            }
        ],
    }


def policy_controller() -> list[Raw]:
    """No machines where policy-controller verifies images: it looks at Pods and what makes them, and takes no
    other kinds.
    """
    name = f"verified-images.{GROUP}"
    kind = "ValidatingAdmissionPolicy"
    pods = [one.value for one in Isolation if one not in machine_isolations()]
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [_WORKLOADS]},
            "matchConditions": _CONDITIONS,
            "validations": [
                {
                    # What Auto means, policies say, and the operator.
                    "expression": f"object.spec.isolationPolicy in {pods}",
                    "message": "policy-controller verifies images here, and can't see those of a "
                    f"machine: set spec.isolationPolicy to {' or '.join(pods)}",
                    "reason": "Forbidden",
                }
            ],
        },
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}Binding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            # The namespaces that policy-controller looks at.
            "matchResources": {"namespaceSelector": {"matchLabels": {"policy.sigstore.dev/include": "true"}}},
        },
    }
    return [policy, binding]


#: What is made for each tool.
TOOLS: dict[str, Callable[[], list[Raw]]] = {
    "kyverno": kyverno,
    "gatekeeper": gatekeeper,
    "policy-controller": policy_controller,
}
