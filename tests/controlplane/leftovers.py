"""What earlier test runs left in a control plane that stays: a run that was killed cleans nothing up."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.controlplane.api import USER_AGENT, ApiError
from tests.controlplane.kubevirt import FEATURE_GATES, open_gates, say_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.controlplane.controlplane import ControlPlane

Manifest = dict[str, Any]
#: What tests make outside namespaces and another test would meet. What restricts others comes first.
_KINDS = (
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "MutatingAdmissionPolicy",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "IsolationPolicy",
    "RuntimeClass",
    "StorageClass",
    "Node",
    "PersistentVolume",
)
#: Whom the API server notes as the writer of what tests create, and of what they apply.
_WRITERS = {USER_AGENT, "tests"}
#: What every run applies again, and nobody has to wait for: the operator's account and its bounds.
_OURS = "twinhull"


def remove(plane: ControlPlane, say: Callable[[str], None]) -> None:
    """Deletes what tests have made since the control plane was ready, and doesn't wait until all is gone.

    Whatever others made stays. Namespaces that tests named by themselves are never used twice, so nothing has
    to wait for their end either. KubeVirt says again what it said at first.
    """
    for kind, name in _left(plane):
        say(f"an earlier run left {kind} {name}: deleting it")
        plane.api.delete(kind, name)
    open_gates(plane.api, FEATURE_GATES)
    say_version(plane.api, plane.kubevirt_version)


def _left(plane: ControlPlane) -> Iterator[tuple[str, str]]:
    for kind in (*_KINDS, "Namespace"):
        for obj in _all(plane, kind):
            metadata = obj["metadata"]
            generated = kind != "Namespace" or "generateName" in metadata
            if generated and _is_tests(metadata, plane.ready_at):
                yield kind, metadata["name"]


def _all(plane: ControlPlane, kind: str) -> list[Manifest]:
    try:
        return plane.api.list(kind)
    except ApiError as error:
        if error.code == 404:  # a kind of ours, that nobody has installed yet
            return []
        raise


def _is_tests(metadata: Manifest, ready_at: float) -> bool:
    """Whether a test made this, rather than the control plane's own start or somebody else."""
    made_at = datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
    writers = {entry["manager"] for entry in metadata.get("managedFields", ())}
    if "deletionTimestamp" in metadata or metadata["name"].startswith(_OURS):
        return False
    return made_at > ready_at and bool(writers & _WRITERS)
