"""Prints the names or ports of a cluster that a shell completes, one a line. It runs in a process of its own,
since a cluster may take long to answer.

    … KIND NAMESPACE CONTEXT KUBECONFIG [WORKLOAD]

It asks by the kubernetes library alone, which is imported in a third of the time that the operator's own
client takes. It prints valid names and numbers only: a shell puts them on a person's command line unquoted.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from kubernetes import client, config

from twinhull.api.group import GROUP, VERSION
from twinhull.api.objectnames import is_label, is_port_name, is_subdomain

#: How many names are asked for at most: nobody chooses among more.
_LIMIT = 500
#: How long the API server may take to answer, in seconds.
_TIMEOUT = 2
_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
#: The names of contexts that every shell takes literally without quotes, such as
#: arn:aws:eks:eu-west-1:1:cluster/shop.
_CONTEXT = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_.:/@+]*")
_PORTS = range(1, 1 << 16)


class _Cluster:
    """The requests to a cluster. An empty namespace, context or kubeconfig stands for the default."""

    def __init__(self, namespace: str, context: str, kubeconfig: str) -> None:
        self._context, self._kubeconfig = context or None, kubeconfig or None
        self._chosen_namespace = namespace
        configuration = client.Configuration()
        configuration.retries = False
        self._api = config.new_client_from_config(  # type: ignore[no-untyped-call]
            self._kubeconfig, self._context, persist_config=False, client_configuration=configuration
        )

    def namespaces(self) -> list[str]:
        """The names of the namespaces. Like the other methods, it catches no errors."""
        return [name for name in self._names("/api/v1/namespaces") if is_label(name)]

    def workloads(self) -> list[str]:
        """The names of the namespace's Workloads."""
        return [name for name in self._names(self._path()) if is_subdomain(name)]

    def containers(self, workload: str) -> list[dict[str, Any]]:
        """The containers of a Workload's template, the init containers first."""
        workload_document = self._get(f"{self._path()}/{quote(workload, safe='')}", "application/json")
        spec = workload_document["spec"]["template"]["spec"]
        return [one for field in ("initContainers", "containers") for one in spec.get(field) or ()]

    def _path(self) -> str:
        """The path of the namespace's Workloads in the API."""
        namespace = quote(self._chosen_namespace or self._namespace(), safe="")
        return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/workloads"

    def _namespace(self) -> str:
        """The namespace of the context."""
        contexts, current = config.list_kube_config_contexts(self._kubeconfig)  # type: ignore[no-untyped-call]
        chosen = next(one for one in contexts if one["name"] == self._context) if self._context else current
        return str(chosen["context"].get("namespace") or "default")

    def _names(self, path: str) -> list[str]:
        """The names of the objects that the API server lists at a path."""
        items = self._get(path, _LIST, limit=_LIMIT)["items"]
        return sorted(str(item["metadata"]["name"]) for item in items)

    def _get(self, path: str, accept: str, **query: int) -> dict[str, Any]:
        """What the API server answers at a path."""
        method, url, headers, body, form = self._api.param_serialize(
            "GET",
            path,
            query_params=list(query.items()),
            header_params={"Accept": accept},
            auth_settings=["BearerToken"],
        )
        answer = self._api.call_api(method, url, headers, body, form, _request_timeout=_TIMEOUT)
        document: dict[str, Any] = json.loads(answer.read())
        return document


def _contexts(_: str, __: str, kubeconfig: str) -> Iterator[str]:
    listed, _current = config.list_kube_config_contexts(kubeconfig or None)  # type: ignore[no-untyped-call]
    names = (str(one["name"]) for one in listed)
    yield from (name for name in names if _CONTEXT.fullmatch(name))


def _namespaces(*place: str) -> Iterator[str]:
    yield from _Cluster(*place).namespaces()


def _workloads(*place: str) -> Iterator[str]:
    yield from _Cluster(*place).workloads()


def _copied(*place: str) -> Iterator[str]:
    """The beginnings of a path in a container: NAME: of each Workload, and NAMESPACE/ if the user may list
    namespaces.
    """
    cluster = _Cluster(*place)
    yield from (f"{name}:" for name in cluster.workloads())
    with suppress(Exception):
        yield from (f"{name}/" for name in cluster.namespaces())


def _containers(*place: str) -> Iterator[str]:
    *place_alone, workload = place
    names = (str(one["name"]) for one in _Cluster(*place_alone).containers(workload))
    yield from (name for name in names if is_label(name))


def _ports(*place: str) -> Iterator[str]:
    """The TCP ports, each with its name after a blank if it has one."""
    *place_alone, workload = place
    for container in _Cluster(*place_alone).containers(workload):
        for port in container.get("ports") or ():
            number, name = port["containerPort"], str(port.get("name") or "")
            if not isinstance(number, int) or number not in _PORTS or port.get("protocol", "TCP") != "TCP":
                continue
            yield f"{number:d} {name}" if is_port_name(name) else f"{number:d}"


_KINDS: dict[str, Callable[..., Iterator[str]]] = {
    "Context": _contexts,
    "Namespace": _namespaces,
    "Workload": _workloads,
    "Copied": _copied,
    "Container": _containers,
    "Port": _ports,
}


def main() -> None:
    """Print the names or ports of the kind that the first argument names."""
    kind, *place = sys.argv[1:]
    sys.stdout.write("".join(f"{line}\n" for line in dict.fromkeys(_KINDS[kind](*place))))
