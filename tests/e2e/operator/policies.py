"""What administrators do in tests: policies of a test's own namespace, and RuntimeClasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.controlplane import PATIENCE, Api, eventually
from tests.e2e.operator.subject import Manifest, condition


@dataclass
class Policies:
    """The IsolationPolicies of a test: each concerns its namespace only, and ends with it."""

    api: Api
    namespace: str
    made: list[str] = field(default_factory=list)

    def make(self, name: str, **spec: Any) -> str:
        """Make one, or make its spec this one. Its name in the cluster."""
        named: str = self.apply(name, **spec)["metadata"]["name"]
        return named

    def apply(self, name: str, **spec: Any) -> Manifest:
        """The same; what the API server answers."""
        named = f"{name}-{self.namespace}"
        place = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        self.made.append(named)
        return self.api.apply(
            {
                "apiVersion": "twinhull.dev/v1alpha1",
                "kind": "IsolationPolicy",
                "metadata": {"name": named},
                "spec": {**spec, "match": {"namespaceSelector": place, **spec.get("match", {})}},
            }
        )

    def enforce(self, name: str, **spec: Any) -> str:
        """The same as `make`, and wait until the operator knows it as it is now. What the operator looks at
        later, it looks at with this policy.
        """
        named = self.make(name, **spec)

        def in_force() -> bool:
            policy = self.get(named)
            assert policy["status"]["observedGeneration"] == policy["metadata"]["generation"]
            return condition(policy, "Ready")[0] == "True"

        eventually(in_force, PATIENCE, f"IsolationPolicy {named} is in force")
        return named

    def get(self, name: str) -> Manifest:
        """One as it is now."""
        found = self.api.get("IsolationPolicy", name)
        assert found is not None
        return found

    def end(self, *names: str) -> None:
        """End these, or all."""
        for name in names or self.made:
            self.api.delete("IsolationPolicy", name)

    def label(self, **labels: str | None) -> None:
        """Label the namespace."""
        self.api.patch("Namespace", self.namespace, None, {"metadata": {"labels": labels}})


def boxes(api: Api, *names: str) -> Callable[[], None]:
    """Make RuntimeClasses. What removes them."""
    for name in names:
        api.apply(
            {
                "apiVersion": "node.k8s.io/v1",
                "kind": "RuntimeClass",
                "metadata": {"name": name},
                "handler": "runsc",
            }
        )

    def remove() -> None:
        for name in names:
            api.delete("RuntimeClass", name)

    return remove
