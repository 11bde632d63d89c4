"""The capabilities of a cluster that hulls depend on: KubeVirt, CDI, RuntimeClasses and their settings."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.hulls.launcher_rehearsal import LauncherSettings


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of a cluster."""

    #: The phase of the KubeVirt object, None if KubeVirt isn't installed.
    kubevirt: str | None = None
    #: The phase of the CDI object, None if CDI isn't installed.
    cdi: str | None = None
    #: The version as KubeVirt writes it, empty if it isn't known.
    kubevirt_version: str = ""
    #: The version as the API server writes it, empty if it isn't known.
    kubernetes_version: str = ""
    #: Whether machines may have a panic device, by which KubeVirt sees that a guest failed.
    panic_devices: bool = False
    #: Whether machines may name their graphics card.
    video_devices: bool = False
    #: Whether machines may mount claims as file systems.
    virtiofs_storage: bool = False
    #: Whether KubeVirt can give machines CPU and memory while they run.
    live_updates: bool = False
    #: The evictionStrategy in the KubeVirt object, for drains of nodes; empty if it sets none.
    eviction_strategy: str = ""
    #: The settings of launcher Pods in the KubeVirt object, None if the operator can't see that object.
    launcher: LauncherSettings | None = None
    #: Whether any node can run machines.
    machine_nodes: bool = True
    #: The names of the RuntimeClasses.
    runtime_classes: frozenset[str] = frozenset()
    #: The kinds that the operator isn't allowed to see.
    hidden: frozenset[str] = frozenset()

    def may_have_runtime_class(self, name: str) -> bool:
        """Whether a RuntimeClass of that name exists. Also True if the operator can't see RuntimeClasses."""
        return name in self.runtime_classes or "RuntimeClass" in self.hidden
