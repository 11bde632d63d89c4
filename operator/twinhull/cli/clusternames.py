"""The names of a cluster's objects, one a line: a program of its own, since asking a cluster may take long.

    … KIND NAMESPACE CONTEXT KUBECONFIG

It asks by the kubernetes library alone, which is imported in a third of the time that the operator's own
client takes.
"""

from __future__ import annotations

import json
import sys
from urllib.parse import quote

from kubernetes import client, config

from twinhull.api.group import GROUP, VERSION

#: How many names are asked for at most: nobody chooses among more.
_LIMIT = 500
#: For how long the API server is waited for, in seconds.
_TIMEOUT = 2
_METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


def main() -> None:
    """Print the names. An empty namespace, context or kubeconfig stands for the default."""
    kind, namespace, *place = sys.argv[1:]
    context, kubeconfig = (one or None for one in place)
    if kind == "Context":
        listed, _ = config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call]
        sys.stdout.write("".join(f"{one['name']}\n" for one in listed))
        return
    if kind == "Namespace":
        path = "/api/v1/namespaces"
    else:
        within = quote(namespace or _namespace(context, kubeconfig), safe="")
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{within}/workloads"
    sys.stdout.write("".join(f"{name}\n" for name in _names(path, context, kubeconfig)))


def _namespace(context: str | None, kubeconfig: str | None) -> str:
    """The namespace of a context."""
    contexts, current = config.list_kube_config_contexts(kubeconfig)  # type: ignore[no-untyped-call]
    chosen = next(one for one in contexts if one["name"] == context) if context else current
    return str(chosen["context"].get("namespace") or "default")


def _names(path: str, context: str | None, kubeconfig: str | None) -> list[str]:
    """The names of the objects that the API server lists at a path. It raises whatever goes wrong."""
    configuration = client.Configuration()
    configuration.retries = False
    api = config.new_client_from_config(  # type: ignore[no-untyped-call]
        kubeconfig, context, persist_config=False, client_configuration=configuration
    )
    method, url, headers, body, form = api.param_serialize(
        "GET",
        path,
        query_params=[("limit", _LIMIT)],
        header_params={"Accept": _METADATA},
        auth_settings=["BearerToken"],
    )
    answer = api.call_api(method, url, headers, body, form, _request_timeout=_TIMEOUT)
    return sorted(str(item["metadata"]["name"]) for item in json.loads(answer.read())["items"])
