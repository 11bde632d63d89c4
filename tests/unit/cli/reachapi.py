"""What stands for an API server by which people reach into a Workload's hull, and which may hang anywhere."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from tests.unit.reach.virtapi import VirtApi

_REQUESTS = "/apis/twinhull.dev/v1alpha1/namespaces/shop/accessrequests"
_PODS = "/api/v1/namespaces/shop/pods"
_STALLED = [
    {"type": "Stalled", "status": "True"},
    {"type": "Ready", "status": "False", "message": "no certificates are given"},
]
_CONTAINER = {"name": "web", "ports": [{"name": "http", "containerPort": 80}]}


class ReachApi(VirtApi):
    """Has one Workload in a machine of ours, and answers AccessRequests as the operator does. No launcher Pod
    forwards any port.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spec = {"template": {"spec": {"containers": [_CONTAINER]}}}
        #: What isn't answered: a method and the end of a path each, such as ("GET", "/workloads/web").
        self.hangs: set[tuple[str, str]] = set()
        #: The requests that aren't answered, and those to forward a port.
        self.hanging, self.forwards = 0, 0
        #: Whether AccessRequests get a certificate.
        self.certifies = True
        #: Whether AccessRequests are refused.
        self.stalls = False
        #: The AccessRequests that there are, and how many there were.
        self.requests: dict[str, dict[str, Any]] = {}
        self.made = 0
        self._key = Ed25519PrivateKey.generate()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if any(request.method == method and path.endswith(end) for method, end in self.hangs):
            self.hanging += 1
            while request.transport is not None:  # noqa: ASYNC110  until the client has gone
                await asyncio.sleep(0.02)
            return web.Response()
        if path.startswith(_REQUESTS):
            return await self._access(request)
        if path == _PODS:
            metadata = {"name": "virt-launcher", "namespace": "shop", "resourceVersion": "1"}
            pod = {"metadata": metadata, "spec": {"containers": [_CONTAINER]}, "status": {"phase": "Running"}}
            return web.json_response({"items": [pod], "metadata": {"resourceVersion": "1"}})
        if path.endswith("/portforward"):
            self.forwards += 1
            return web.json_response({"kind": "Status", "message": "it can't be reached"}, status=500)
        return await super()._answer(request)

    async def _access(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        if request.method == "POST":
            self.made += 1
            body = await request.json()
            name = f"web-{self.made}"
            metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"}
            status = self._certified(body["spec"]["request"]) if self.certifies else {}
            status = {"conditions": _STALLED} if self.stalls else status
            self.requests[name] = {**body, "metadata": metadata, "status": status}
        elif request.method == "DELETE":
            self.requests.pop(name, None)
            return web.json_response({"kind": "Status", "status": "Success"})
        if name not in self.requests:
            return web.json_response({"kind": "Status", "message": "not found"}, status=404)
        return web.json_response(self.requests[name])

    def _certified(self, request: str) -> dict[str, Any]:
        """The status of an AccessRequest for this certificate request."""
        key = x509.load_pem_x509_csr(request.encode()).public_key()
        guest = {"machine": "web", "uid": "1", "port": 65_250, "fingerprint": "0"}
        own = self._certificate(self._key.public_key())
        return {"certificate": self._certificate(key), "guest": {**guest, "certificate": own}}

    def _certificate(self, key: Any) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .sign(self._key, None)
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()
