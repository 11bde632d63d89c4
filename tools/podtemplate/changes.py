"""Where a Workload's template is stricter or more lenient than what Kubernetes' document says, and why."""

from __future__ import annotations

from copy import deepcopy

from tools.podtemplate.upstream import Schema, Schemas
from twinhull.api.base import GROUP
from twinhull.api.templatebounds import LONGEST_QUANTITY

#: A label with this prefix is the operator's own: its Service and its watches select by them.
RESERVED_PREFIX = f"{GROUP}/"

#: k8s.io/apimachinery pkg/api/resource/quantity.go, as kubebuilder writes it.
QUANTITY = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)

#: Types that the document says in words which a structural schema can't have.
LEAVES: Schemas = {
    # Any number, or a string of the pattern. Not x-kubernetes-int-or-string, which refuses `cpu: 0.5`; and a
    # type can't be given as an alternative, so what is left after each keyword took its part is excluded.
    "api.resource.Quantity": {
        "x-kubernetes-preserve-unknown-fields": True,
        "pattern": QUANTITY,
        "maxLength": LONGEST_QUANTITY,
        "maxItems": 0,
        "maxProperties": 0,
        "not": {"enum": [True, False, [], {}]},
    },
    "util.intstr.IntOrString": {"x-kubernetes-int-or-string": True, "maxLength": 63},
    "meta.v1.Time": {"type": "string", "format": "date-time"},
}

#: Fields with a fixed set of values whose Go types lack the `+enum` marker; from k8s.io/api core/v1/types.go.
ENUMS: dict[str, dict[str, list[str]]] = {
    "core.v1.Container": {"restartPolicy": ["Always", "Never", "OnFailure"]},
    "core.v1.ContainerResizePolicy": {"restartPolicy": ["NotRequired", "RestartContainer"]},
    "core.v1.ContainerRestartRule": {"action": ["Restart", "RestartAllContainers"]},
    "core.v1.ContainerRestartRuleOnExitCodes": {"operator": ["In", "NotIn"]},
    "core.v1.PodOS": {"name": ["linux", "windows"]},
    "core.v1.PodSecurityContext": {"seLinuxChangePolicy": ["MountOption", "Recursive"]},
    "core.v1.VolumeMount": {"recursiveReadOnly": ["Disabled", "Enabled", "IfPossible"]},
    "meta.v1.LabelSelectorRequirement": {"operator": ["DoesNotExist", "Exists", "In", "NotIn"]},
}

#: Fields that aren't pointers in k8s.io/api core/v1/types.go: "" is the same as absent to the API server,
#: and a chart renders it for a value that wasn't set.
EMPTY_IS_ABSENT: dict[str, list[str]] = {
    "core.v1.Container": ["imagePullPolicy", "terminationMessagePolicy"],
    "core.v1.ContainerPort": ["protocol"],
    "core.v1.HTTPGetAction": ["scheme"],
    "core.v1.ImageVolumeSource": ["pullPolicy"],
    "core.v1.PodSpec": ["dnsPolicy", "restartPolicy"],
    "core.v1.Toleration": ["effect", "operator"],
}

#: What the API server's validation requires though the document doesn't.
REQUIRED: dict[str, list[str]] = {
    "core.v1.Container": ["image"],
    "core.v1.PodTemplateSpec": ["spec"],
}

#: What the document requires though the API server takes it for its zero when it's absent.
OPTIONAL: dict[str, list[str]] = {
    "core.v1.HTTPHeader": ["value"],
    "core.v1.ISCSIVolumeSource": ["lun"],
    "core.v1.PreferredSchedulingTerm": ["preference"],
    "core.v1.SleepAction": ["seconds"],
    "core.v1.Sysctl": ["value"],
}

#: A name as RFC 1123 has it, for what the API server calls a DNS label.
_LABEL: Schema = {"minLength": 1, "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"}
_PORT: Schema = {"minimum": 1, "maximum": 65535}

#: Bounds from k8s.io/kubernetes pkg/apis/core/validation, where a slip is likely: said on apply, not later.
BOUNDS: dict[str, dict[str, Schema]] = {
    "core.v1.Container": {"name": _LABEL, "image": {"minLength": 1}},
    "core.v1.ContainerPort": {"containerPort": _PORT, "name": {"maxLength": 15}},
    "core.v1.Volume": {"name": _LABEL},
    "core.v1.PodSpec": {"containers": {"minItems": 1}},
}

_STRING: Schema = {"type": "string"}

_LABELS: Schema = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": 63},
    "maxProperties": 128,
    "x-kubernetes-validations": [
        {
            "rule": f"self.all(key, !key.startsWith('{RESERVED_PREFIX}'))",
            "message": f"labels with the prefix {RESERVED_PREFIX} are the operator's own: choose another",
        }
    ],
}


#: Of ObjectMeta, what a Pod takes from its template; and the names, which mean nothing in a template, but
#: which templates have and a Deployment takes.
TEMPLATE_METADATA: Schema = {
    "type": "object",
    "properties": {
        "annotations": {"type": "object", "additionalProperties": _STRING},
        "creationTimestamp": LEAVES["meta.v1.Time"],
        "finalizers": {"type": "array", "items": _STRING, "x-kubernetes-list-type": "set"},
        "generateName": _STRING,
        "labels": _LABELS,
        "name": _STRING,
        "namespace": _STRING,
    },
}

#: core/v1 PersistentVolumeClaimTemplate: "labels and annotations […] No other fields are allowed".
CLAIM_METADATA: Schema = {
    "type": "object",
    "properties": {
        "annotations": {"type": "object", "additionalProperties": _STRING},
        "creationTimestamp": LEAVES["meta.v1.Time"],
        "labels": {"type": "object", "additionalProperties": _STRING},
    },
}


def changed(upstream: Schemas) -> Schemas:
    """Kubernetes' types as a Workload's template has them."""
    types = deepcopy(upstream) | LEAVES
    for name, enums in ENUMS.items():
        for field, values in enums.items():
            types[name]["properties"][field]["enum"] = values
    for name, fields in EMPTY_IS_ABSENT.items():
        for field in fields:
            types[name]["properties"][field]["enum"].insert(0, "")
    for name, fields in REQUIRED.items():
        types[name].setdefault("required", []).extend(fields)
    for name, fields in OPTIONAL.items():
        types[name]["required"] = [field for field in types[name]["required"] if field not in fields]
    for name, bounds in BOUNDS.items():
        for field, bound in bounds.items():
            types[name]["properties"][field] |= bound

    types["core.v1.PodTemplateSpec"]["properties"]["metadata"] = TEMPLATE_METADATA
    types["core.v1.PersistentVolumeClaimTemplate"]["properties"]["metadata"] = CLAIM_METADATA

    pod = types["core.v1.PodSpec"]["properties"]
    # The API server takes them from the ephemeralcontainers subresource of a running Pod only.
    del pod["ephemeralContainers"]
    # Merged by port and protocol, each port needs a default protocol. It would turn up in stored objects, so
    # that a second `kubectl apply` of the same file would change the list back each time.
    ports = types["core.v1.Container"]["properties"]["ports"]
    del ports["x-kubernetes-list-map-keys"]
    ports["x-kubernetes-list-type"] = "atomic"
    # The keys of a list map have to be there: required, or by default.
    pod["imagePullSecrets"]["items"] = {**types["core.v1.LocalObjectReference"], "required": ["name"]}
    return types
