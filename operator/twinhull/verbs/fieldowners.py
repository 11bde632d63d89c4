"""Finds the tools that set a field of an object again and again, so that a change by somebody else doesn't
last.

managedFields tell who set a field last (meta/v1, type ManagedFieldsEntry). They have to be read before a
change, which takes the field away from its former manager. Annotations and labels tell which tool manages an
object, also after the change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from twinhull.api.base import Raw
from twinhull.view.safetext import plain

#: The name of a tool, and its step that sets fields again, by the tool's field manager.
_TOOLS: Mapping[str, tuple[str, str]] = {
    # argoproj/argo-cd, common/common.go, ArgoCDSSAManager; the other is its process' name, which client-go
    # uses for a client that gives no field manager.
    "argocd-controller": ("Argo CD", "next sync"),
    "argocd-application-controller": ("Argo CD", "next sync"),
    # fluxcd/kustomize-controller and fluxcd/helm-controller, main.go, controllerName.
    "kustomize-controller": ("Flux", "next reconciliation"),
    "helm-controller": ("Flux", "next reconciliation"),
    # The name of the program, of Helm 3 and 4.
    "helm": ("Helm", "next upgrade"),
    # k8s.io/kubectl, pkg/cmd/apply/apply.go, constants FieldManagerClientSideApply and
    # fieldManagerServerSideApply.
    "kubectl-client-side-apply": ("kubectl apply", "next apply of the file"),
    "kubectl": ("kubectl apply", "next apply of the file"),
    # hashicorp/terraform-provider-kubernetes, the default of field_manager.
    "Terraform": ("Terraform", "next apply"),
}
#: The tool that manages an object, by the annotation or label that the tool puts on it.
_TRACKS: Mapping[str, tuple[str, str]] = {
    "argocd.argoproj.io/tracking-id": _TOOLS["argocd-controller"],
    "kustomize.toolkit.fluxcd.io/name": _TOOLS["kustomize-controller"],
    "helm.toolkit.fluxcd.io/name": _TOOLS["helm-controller"],
    "meta.helm.sh/release-name": _TOOLS["helm"],
}
#: kubectl's copy of the file that it applied last (k8s.io/api/core/v1, LastAppliedConfigAnnotation).
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SERVER_SIDE_ONLY = {"kubectl"}


@dataclass(frozen=True, slots=True)
class Owner:
    """A tool that sets a field again."""

    tool: str
    #: The tool's step that sets the field, such as "next sync".
    when: str
    #: Its field manager, empty if it is only known by a label or an annotation.
    manager: str = ""
    #: Whether it is known to set this field, and not only other fields of the object.
    sets: bool = True

    def warning(self, field: str, workload: str) -> str:
        """The warning for a person who changes this field of this Workload."""
        if self.sets:
            is_known = self.manager and self.tool != _unknown(self.manager)
            by = f" (field manager {plain(self.manager)})" if is_known else ""
            return (
                f"{self.tool}{by} sets {field} of Workload {workload}: its {self.when} undoes this. Change "
                "the field at its source, too"
            )
        return (
            f"Workload {workload} is managed by {self.tool}: if {self.tool} sets {field}, its {self.when} "
            "undoes this. Look at its source, and change the field there, too"
        )


def owners(
    managed: Sequence[Raw], metadata: Raw, path: Sequence[str], *, tracked: bool = True
) -> list[Owner]:
    """The tools that set a field again, each once: those that set this field, and, if `tracked`, those that
    manage the object.

    `managed` are the managedFields, `metadata` is the object's, and `path` is the field's, such as ("spec",
    "state").
    """
    by_tool: dict[str, Owner] = {}
    file = _last_applied(metadata)
    by_label = _by_label(metadata) if tracked else ()
    for owner in (*_by_manager(managed, file, path), *_by_file(file, path), *by_label):
        by_tool.setdefault(owner.tool, owner)
    return list(by_tool.values())


def _by_manager(managed: Sequence[Raw], file: object, path: Sequence[str]) -> Iterator[Owner]:
    """The tools whose managed fields include the field. If a tool doesn't apply on the server's side, its
    managed fields include defaults, so the file that it applied last tells. Without a copy of that file, the
    tool may set the field.
    """
    for entry in managed:
        manager, applies = str(entry.get("manager") or ""), entry.get("operation") == "Apply"
        if entry.get("subresource") or not _contains(entry.get("fieldsV1"), path):
            continue
        known = _TOOLS.get(manager)
        if applies:
            yield Owner(*(known or (_unknown(manager), "next apply")), manager)
        elif known and manager not in _SERVER_SIDE_ONLY and (file is None or _says(file, path)):
            yield Owner(*known, manager, sets=file is not None)


def _unknown(manager: str) -> str:
    """The name of a tool of which only the field manager is known."""
    return f"field manager {plain(manager)}"


def _by_file(file: object, path: Sequence[str]) -> Iterator[Owner]:
    if _says(file, path):
        yield Owner(*_TOOLS["kubectl-client-side-apply"])


def _last_applied(metadata: Raw) -> object:
    """The copy of the file that was applied last, None if there is none or it can't be read."""
    try:
        return json.loads((metadata.get("annotations") or {}).get(_LAST_APPLIED) or "null")
    except (ValueError, RecursionError):
        return None


def _says(file: object, path: Sequence[str]) -> bool:
    for key in path:
        file = file.get(key) if isinstance(file, Mapping) else None
    return file is not None


def _by_label(metadata: Raw) -> Iterator[Owner]:
    labels_and_annotations = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
    yield from (Owner(*tool, sets=False) for key, tool in _TRACKS.items() if key in labels_and_annotations)


def _contains(fields: object, path: Sequence[str]) -> bool:
    """Whether a set of fields (structured-merge-diff's FieldsV1) has a field."""
    for key in path:
        if not isinstance(fields, Mapping) or f"f:{key}" not in fields:
            return False
        fields = fields[f"f:{key}"]
    return True
