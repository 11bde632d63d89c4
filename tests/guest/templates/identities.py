"""Containers that differ in who their processes are and what these may do."""

from __future__ import annotations

from typing import Any

from tests.guest.scenario import REGISTRY, container

Raw = dict[str, Any]

SYSCTLS = [
    {"name": "kernel.shm_rmid_forced", "value": "1"},
    {"name": "net.ipv4.ip_local_port_range", "value": "20000 30000"},
]
_LOCKED: Raw = {
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def identities(**locked: Any) -> list[Raw]:
    """The containers; `locked` is added to the one that may do the least."""
    more = {"capabilities": {"add": ["SYS_TIME"], "drop": ["MKNOD"]}}
    return [
        container("plain", port=8080),
        container("locked", port=81, securityContext=_LOCKED, **locked),
        container("more", port=8082, securityContext=more),
        container("privileged", port=8083, securityContext={"privileged": True}),
        container("named", port=8084, image=f"{REGISTRY}/named-user:1"),
        container("numeric", port=8085, image=f"{REGISTRY}/numeric-user:1"),
    ]
