"""What the cluster can do, of what hulls need."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.hulls.launcher_rehearsal import LauncherSettings


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the cluster can do."""

    #: The KubeVirt object's phase, None where KubeVirt isn't installed.
    kubevirt: str | None = None
    #: The CDI object's phase, None where CDI isn't installed.
    cdi: str | None = None
    #: As KubeVirt names it, empty where it isn't known.
    kubevirt_version: str = ""
    #: As the API server names it, empty where it isn't known.
    kubernetes_version: str = ""
    #: Whether machines may have a panic device, by which a guest tells that it failed.
    panic_devices: bool = False
    #: Whether machines may name their graphics card.
    video_devices: bool = False
    #: Whether machines may have claims as file systems.
    virtiofs_storage: bool = False
    #: Whether machines are given CPU and memory while they run.
    live_updates: bool = False
    #: What KubeVirt itself is told to do with machines on a node that is drained, empty if nothing.
    eviction_strategy: str = ""
    #: What KubeVirt says of launcher Pods, None if that can't be seen.
    launcher: LauncherSettings | None = None
    #: Whether any node can run machines.
    machine_nodes: bool = True
    #: The names of the RuntimeClasses.
    runtime_classes: frozenset[str] = frozenset()
    #: The kinds of which the operator can know nothing.
    hidden: frozenset[str] = frozenset()

    def may_have_runtime_class(self, name: str) -> bool:
        """Whether there is a RuntimeClass of that name, or none can be seen."""
        return name in self.runtime_classes or "RuntimeClass" in self.hidden
