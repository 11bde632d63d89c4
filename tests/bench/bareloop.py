"""The bare loop: the two writes that a Workload costs, as fast as Python can send them, and nothing else.

    python -m tests.bench.bareloop KUBECONFIG NAMESPACE COUNT backlog|live

It is what the operator is measured by: no watch, no store, no decision. `backlog` takes the Workloads that
are there; `live` makes them too. Prints its CPU time in seconds, without what it took to start.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
from kubernetes import client, config

from tests.bench import objects
from twinhull.api.workload import ObjectMeta
from twinhull.hulls import pod

#: As many at a time as the operator has workers.
WORKERS = 16
_WORKLOADS = "/apis/twinhull.dev/v1alpha1/namespaces/{}/workloads"
_PODS = "/api/v1/namespaces/{}/pods"


async def main(kubeconfig: str, namespace: str, count: int, *, live: bool) -> float:
    """Do it; the CPU time that it took."""
    settings = client.Configuration()
    config.load_kube_config(kubeconfig, client_configuration=settings, persist_config=False)  # type: ignore[no-untyped-call]
    tls = ssl.create_default_context(cafile=settings.ssl_ca_cert)
    tls.load_cert_chain(settings.cert_file or "", settings.key_file)
    async with aiohttp.ClientSession(settings.host, connector=aiohttp.TCPConnector(ssl=tls)) as session:
        if live:
            work = iter([objects.workload(namespace, number, "Container") for number in range(count)])
        else:
            found = await _send(session, "GET", _WORKLOADS.format(namespace))
            work = iter(found["items"])
        began = time.process_time()
        await asyncio.gather(*(_worker(session, namespace, work, live=live) for _ in range(WORKERS)))
        return time.process_time() - began


async def _worker(
    session: aiohttp.ClientSession, namespace: str, work: Iterator[dict[str, Any]], *, live: bool
) -> None:
    workloads, pods = _WORKLOADS.format(namespace), _PODS.format(namespace)
    for workload in work:
        if live:
            made = await _send(session, "POST", workloads, workload)
            metadata = ObjectMeta.model_validate(made["metadata"])
        else:
            metadata = ObjectMeta.model_validate(workload["metadata"])
        hull = pod.render(metadata, workload["spec"]["template"], "1000000000", None)
        await _send(session, "POST", pods, hull)
        await _send(session, "PATCH", f"{workloads}/{metadata.name}/status", _status(metadata.name))


async def _send(
    session: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    data = None if body is None else json.dumps(body).encode()
    async with session.request(method, path, data=data, headers={"Content-Type": content_type}) as response:
        text = await response.read()
    if response.status >= 400:
        raise RuntimeError(f"{method} {path}: {text.decode()}")
    answer: dict[str, Any] = json.loads(text)
    return answer


def _status(name: str) -> dict[str, Any]:
    """A status as long as those that the operator writes."""
    condition = {
        "status": "True",
        "reason": "Ready",
        "message": f"Pod {name}-1000000000 is ready",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    }
    return {
        "status": {
            "observedGeneration": 1,
            "isolation": {
                "requested": "Container",
                "resolved": "Container",
                "reason": "Requested",
                "message": "spec.isolationPolicy asks for Container",
            },
            "hull": {
                "kind": "Pod",
                "name": f"{name}-1000000000",
                "revision": "1000000000",
                "ready": True,
                "node": "node-0",
                "address": "10.64.0.1",
                "startedAt": "2026-01-01T00:00:00Z",
            },
            "conditions": [
                {"type": kind, **condition}
                for kind in ("Ready", "Reconciling", "Stalled", "IsolationResolved")
            ],
        }
    }


if __name__ == "__main__":
    _, given_kubeconfig, given_namespace, given_count, arrangement = sys.argv
    print(asyncio.run(main(given_kubeconfig, given_namespace, int(given_count), live=arrangement == "live")))
