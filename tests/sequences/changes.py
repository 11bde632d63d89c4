"""Changes, each by one person at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Raw = dict[str, Any]

#: In the command of a container that never gets ready.
SICK = "sick"
#: What a container that runs can be given instead of each other.
SMALL: Raw = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}
LARGE: Raw = {"requests": {"cpu": "20m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}


@dataclass(frozen=True)
class Change:
    """A merge patch of a Workload or of its namespace, or a policy's spec; None deletes that."""

    what: Literal["Workload", "Namespace", "IsolationPolicy"]
    patch: Raw | None
    name: str = ""

    @property
    def takes_away(self) -> bool:
        """Whether it may leave the Workload without a ready hull, by what it asks for."""
        spec = (self.patch or {}).get("spec", {})
        stops = spec.get("state") == "Stopped"
        return self.what == "Workload" and (stops or "strategy" in spec.get("replacement", {}))


def container(image: str = "nginx:1", **fields: Any) -> Raw:
    """A container that every hull can run."""
    return {"name": "web", "image": image, "ports": [{"containerPort": 80, "protocol": "TCP"}], **fields}


def _spec(**fields: Any) -> Change:
    return Change("Workload", {"spec": fields})


def _template(*, metadata: Raw | None = None, **spec: Any) -> Change:
    parts = {"metadata": metadata, "spec": spec}
    return _spec(template={key: part for key, part in parts.items() if part})


def _policy(name: str, spec: Raw | None) -> Change:
    return Change("IsolationPolicy", spec, name)


_IN_PRODUCTION = {"namespaceSelector": {"matchLabels": {"env": "production"}}}
_OF_TENANTS = {"workloadSelector": {"matchLabels": {"tier": "tenant"}}}

CHANGES: tuple[Change, ...] = (
    *(_spec(isolationPolicy=isolation) for isolation in ("Auto", "Container", "Sandbox", "VirtualMachine")),
    *(_spec(state=state) for state in ("Running", "Stopped")),
    *(_spec(replacement={"strategy": strategy}) for strategy in ("StartFirst", "Recreate")),
    *(_spec(service={"enabled": enabled}) for enabled in (True, False)),
    *(_template(restartPolicy=policy) for policy in ("Always", "OnFailure", "Never")),
    *(_template(metadata={"labels": {"version": version}}) for version in ("1", "2", None)),
    *(_template(metadata={"annotations": {"note": note}}) for note in ("a", "b", None)),
    _template(containers=[container()]),
    _template(containers=[container(command=["other"])]),
    _template(containers=[container(command=[SICK])]),
    _template(containers=[container("nginx:2")]),
    _template(containers=[container("risky:1")]),
    _template(containers=[container("risky:2")]),
    *(_template(containers=[container(resources=amounts)]) for amounts in (SMALL, LARGE)),
    _template(containers=[container("nginx:2", resources=LARGE)]),
    _template(hostNetwork=True),
    _template(hostNetwork=None),
    *(Change("Workload", {"metadata": {"labels": {"tier": tier}}}) for tier in ("tenant", None)),
    *(
        Change("Workload", {"metadata": {"annotations": {"twinhull.dev/restart": moment}}})
        for moment in ("noon", "midnight")
    ),
    *(Change("Namespace", {"metadata": {"labels": {"env": env}}}) for env in ("production", None)),
    _policy("production", {"match": _IN_PRODUCTION, "minimum": "VirtualMachine"}),
    _policy("production", {"match": _IN_PRODUCTION, "minimum": "Sandbox", "default": "VirtualMachine"}),
    _policy("production", None),
    _policy("tenants", {"match": _OF_TENANTS, "minimum": "VirtualMachine", "onViolation": "Reject"}),
    _policy("tenants", {"match": _OF_TENANTS, "minimum": "Sandbox", "onViolation": "Raise"}),
    _policy("tenants", None),
    _policy("images", {"match": {"images": ["**/risky"]}, "minimum": "VirtualMachine"}),
    _policy("images", {"match": {"images": ["**/risky:2"]}, "minimum": "Sandbox", "onViolation": "Reject"}),
    _policy("images", None),
)


def admitted(spec: Raw) -> bool:
    """Whether the API server takes a spec: StartFirst is for what runs on."""
    policy = spec["template"]["spec"].get("restartPolicy", "Always")
    return bool(policy == "Always" or spec.get("replacement", {}).get("strategy") != "StartFirst")
