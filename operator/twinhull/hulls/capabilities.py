"""What the cluster can do, of what hulls need."""

from __future__ import annotations

from dataclasses import dataclass

from twinhull.hulls.launcher import LauncherSettings


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the cluster can do. `kubevirt` is the KubeVirt object's phase, None where KubeVirt isn't;
    `kubevirt_version` and `kubernetes_version` are as they name themselves, empty where that isn't known.

    `cdi` is the CDI object's phase, None where CDI isn't.

    `panic_devices` says whether its machines may have one, by which a guest tells that it failed;
    `virtiofs_storage` whether they may have claims as file systems; `live_updates` whether they are given CPU
    and memory while they run; `machine_nodes` whether any node can run them. `eviction_strategy` is what
    KubeVirt itself is told to do with machines on a node that is drained, empty if nothing. `launcher` is
    what it says of launcher Pods, None if that can't be seen. Of the `hidden` kinds nothing can be known.
    """

    kubevirt: str | None = None
    cdi: str | None = None
    kubevirt_version: str = ""
    kubernetes_version: str = ""
    panic_devices: bool = False
    virtiofs_storage: bool = False
    live_updates: bool = False
    eviction_strategy: str = ""
    launcher: LauncherSettings | None = None
    machine_nodes: bool = True
    runtime_classes: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()

    def may_have_runtime_class(self, name: str) -> bool:
        """Whether there is a RuntimeClass of that name, or none can be seen."""
        return name in self.runtime_classes or "RuntimeClass" in self.hidden
