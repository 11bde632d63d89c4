"""What kustomize has to know of our kinds beside their schemas: where they name other objects.

Fields that name other objects are found in the CRDs by what they are called. The format is that of
kustomize's transformer configurations (sigs.k8s.io/kustomize, api/internal/konfig/builtinpluginconsts), and
a part of a path that is no list but has brackets isn't made (api/filters/fieldspec).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from twinhull.api.base import GROUP, Raw
from twinhull.api.crd import crds


class Kind(NamedTuple):
    """A kind of objects that ours name."""

    name: str
    #: Its API group, empty for Kubernetes' core.
    group: str
    #: With what the paths of fields end that name one, as a regular expression.
    fields: str


_OF_CONFIG_MAPS = r"(configMap|configMapRef|configMapKeyRef)/name|ca/configMap|certConfigMap|vddk/extraArgs"
_OF_SECRETS = (
    r"(secret|secretRef|secretKeyRef|nodePublishSecretRef|imagePullSecrets)/name|secretName|secretRef"
    r"|\w+Secret|(sysprep|sshKeys)/secret|secretExtraHeaders"
)
#: The kinds that fields name. kustomize doesn't look at the field `kind` beside a name. So a field that may
#: name objects of several kinds is listed for its default kind only, and not at all without a default, as the
#: dataSource of a volumeClaimTemplate.
KINDS = (
    Kind("ConfigMap", "", _OF_CONFIG_MAPS),
    Kind("Secret", "", _OF_SECRETS),
    Kind("PersistentVolumeClaim", "", "claimName|source/claim/name"),
    Kind("ServiceAccount", "", "serviceAccountName|serviceAccount"),
    Kind("RuntimeClass", "node.k8s.io", "runtimeClassName"),
    Kind("PriorityClass", "scheduling.k8s.io", "priorityClassName"),
    Kind("PodGroup", "scheduling.k8s.io", "podGroupName"),
    Kind("StorageClass", "storage.k8s.io", "storageClassName"),
    Kind("VolumeAttributesClass", "storage.k8s.io", "volumeAttributesClassName"),
    Kind("VolumeSnapshot", "snapshot.storage.k8s.io", "source/snapshot/name"),
    Kind("DataSource", "cdi.kubevirt.io", "source/dataSource/name"),
    Kind("ResourceClaim", "resource.k8s.io", "resourceClaimName"),
    Kind("ResourceClaimTemplate", "resource.k8s.io", "resourceClaimTemplateName"),
    Kind("ClusterTrustBundle", "certificates.k8s.io", "clusterTrustBundle/name"),
    Kind("VirtualMachineClusterInstancetype", "instancetype.kubevirt.io", "instancetype/name"),
    Kind("VirtualMachineClusterPreference", "instancetype.kubevirt.io", "preference/name"),
    Kind("Workload", GROUP, "spec/workload"),
)

_HEAD = """\
# Made by `make generate` from tools/kustomize_configuration.py; changes belong there.
#
# What kustomize has to know of Workloads. Images are found without it, as in every kind that has
# `containers`; they are here for tools that look only where they are told to.
images:
- {kind: Workload, group: twinhull.dev, path: "spec/template/spec/containers[]/image", create: true}
- {kind: Workload, group: twinhull.dev, path: "spec/template/spec/initContainers[]/image", create: true}

# Names that a prefix, a suffix or a generator's hash changes are changed where our kinds refer to them.
nameReference:
"""
_LABELS = """\

# `labels` with `includeTemplates: true` go to what a Workload runs in, too. Without the brackets, kustomize
# would make a template where there is none: it makes no field that it takes for a list.
templateLabels:
- {kind: Workload, group: twinhull.dev, path: "spec/template[]/metadata/labels", create: true}
"""


def configuration() -> str:
    """The text of deploy/kustomize/configuration.yaml."""
    found = list(texts())
    return _HEAD + "".join(line + "\n" for kind in KINDS for line in _references(kind, found)) + _LABELS


def _references(kind: Kind, found: list[tuple[str, str]]) -> Iterator[str]:
    yield f"- kind: {kind.name}"
    yield f"  group: {kind.group}" if kind.group else "  version: v1"
    yield "  fieldSpecs:"
    for owner, path in found:
        if re.search(rf"(^|/)({kind.fields})$", path):
            yield f"  - {{kind: {owner}, group: {GROUP}, path: {_changed(owner, path, found)}}}"


def _changed(owner: str, path: str, found: list[tuple[str, str]]) -> str:
    """The path by which kustomize changes a name. Where a namespace stands beside it, that is the map of
    both, in which kustomize looks at the namespace (api/filters/nameref, filterMapCandidatesByNamespace).
    """
    above = path.removesuffix("/name")
    return above if (owner, f"{above}/namespace") in found else path


def texts() -> Iterator[tuple[str, str]]:
    """Every field of a spec that holds a text or a list of texts: our kind, and the path for kustomize."""
    for crd in crds():
        (version,) = crd["spec"]["versions"]
        spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
        yield from ((crd["spec"]["names"]["kind"], path) for path in _texts(spec, "spec"))


def _texts(schema: Raw, path: str) -> Iterator[str]:
    element = schema.get("items", schema)
    if element.get("type") == "string":
        yield path
    for name, below in element.get("properties", {}).items():
        yield from _texts(below, f"{path}/{name}")
