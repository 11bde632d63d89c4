"""A cluster as tests see it, whoever started it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tests.controlplane.api import Api
from tests.controlplane.kubectl import Kubectl
from tests.controlplane.polling import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


@dataclass
class Cluster:
    """A kubeconfig and the two clients that use it."""

    kubeconfig: Path
    kubectl: Kubectl
    api: Api

    @classmethod
    def at(cls, kubeconfig: Path, kubectl: Path) -> Cluster:
        """The cluster that the kubeconfig's current context names."""
        return Cluster(kubeconfig, Kubectl(kubectl, kubeconfig), Api(kubeconfig))

    def check(self) -> None:
        """Raises when the cluster is known to be dead, so that no wait for it is worth its time."""

    def eventually(self, check: Callable[[], T], timeout: float, what: str) -> T:
        """polling.eventually, which ends at once when a part of the control plane has died."""
        return eventually(check, timeout, what, alive=self.check)
