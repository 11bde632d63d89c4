"""The test control plane: real Kubernetes and KubeVirt control planes on loopback, with simulated nodes.

`python -m tests.controlplane up` leaves one running (`make cluster`); pytest's fixtures and the demo start
their own by `ControlPlane.start`.
"""

from tests.controlplane.api import Api, ApiError
from tests.controlplane.cluster import Cluster
from tests.controlplane.controlplane import ControlPlane
from tests.controlplane.kubectl import Kubectl, KubectlError
from tests.controlplane.polling import PATIENCE, NeverHappened, eventually
from tests.controlplane.process import ComponentDied
from tools.gobuild import BuildError

__all__ = [
    "PATIENCE",
    "Api",
    "ApiError",
    "BuildError",
    "Cluster",
    "ComponentDied",
    "ControlPlane",
    "Kubectl",
    "KubectlError",
    "NeverHappened",
    "eventually",
]
