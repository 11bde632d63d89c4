"""Node ports: whether the names in spec.service.nodePorts are ports of the Service."""

from __future__ import annotations

from twinhull.api.brevity import listed
from twinhull.core.case import Case
from twinhull.hulls import service


def unknown_node_ports(case: Case) -> str:
    """What is wrong with the names in spec.service.nodePorts, empty if nothing is."""
    ports = case.desired.service["spec"]["ports"] if case.desired.service else []
    unknown = service.unknown_ports(case.workload.spec.service, ports) if ports else []
    if not unknown:
        return ""
    known = listed([port["name"] for port in ports], ", ")
    return (
        f"spec.service.nodePorts: the Service has no port {listed(unknown, ', ')}, but {known}: "
        "name one of these, or remove it"
    )
