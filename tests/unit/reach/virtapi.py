"""What stands for an API server with KubeVirt's virt-api behind it: one Workload, and streams of its machine.

tests/node has the real ones.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tests.controlplane.polling import PATIENCE
from tests.controlplane.ports import LOOPBACK

STREAMS = "/apis/subresources.kubevirt.io/v1/namespaces/shop/virtualmachineinstances/web"
_WORKLOAD = "/apis/twinhull.dev/v1alpha1/namespaces/shop/workloads/web"
_INSTANCE = "/apis/kubevirt.io/v1/namespaces/shop/virtualmachineinstances/web"
MACHINES = (_INSTANCE, "/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/web")


class VirtApi:
    """Echoes what a stream is sent, in upper case. The text `bye` closes it from the machine's end."""

    def __init__(self) -> None:
        self.url = ""
        self.hull: dict[str, Any] | None = {"kind": "VirtualMachine", "name": "web"}
        self.spec: dict[str, Any] = {"virtualMachine": {"bootDisk": {}}}
        #: The uids of the Workload that owns the VirtualMachine, and of what owns the instance.
        self.owner, self.instance_owner = "1", "of-machine"
        #: The kinds that may not be read, by their plurals.
        self.unreadable: set[str] = set()
        self.has_machine = True
        self.instance: dict[str, Any] | None = {
            "spec": {"domain": {"devices": {}}},
            "status": {"phase": "Running"},
        }
        #: The answers to the next requests of streams: a status, and a Status' message or a text.
        self.refusals: list[tuple[int, str]] = []
        #: Whether a message is a Status; proxies and kubelets answer in prose.
        self.in_json = True
        self.protocols: tuple[str, ...] = ("plain.kubevirt.io",)
        #: What was asked for by an upgrade, with the credentials.
        self.streams: list[tuple[str, str]] = []
        self.received = b""

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == _WORKLOAD:
            status = {"observedGeneration": 1, **({"hull": self.hull} if self.hull else {})}
            ready = {
                "type": "Ready",
                "status": "False",
                "reason": "Creating",
                "message": "creating\x1b[2J it",
            }
            status |= {"conditions": [ready]}
            metadata = {
                "name": "web",
                "namespace": "shop",
                "uid": "1",
                "generation": 1,
                "resourceVersion": "1",
            }
            return web.json_response({"metadata": metadata, "spec": self.spec, "status": status})
        if request.path in MACHINES:
            return self._read(request.path)
        if not request.path.startswith(STREAMS):
            return web.json_response({"message": f"{request.path} isn't there"}, status=404)
        return await self._stream(request)

    def _read(self, path: str) -> web.Response:
        """The VirtualMachine or its instance."""
        plural = path.split("/")[-2]
        if plural in self.unreadable:
            message = f'{plural}.kubevirt.io "web" is forbidden: User "ann" cannot get resource'
            return web.json_response({"kind": "Status", "message": message}, status=403)
        obj: dict[str, Any] | None = {"spec": {}} if self.has_machine else None
        uid, owner, kind = "of-machine", self.owner, "Workload"
        if path == _INSTANCE:
            obj, uid, owner, kind = self.instance, "of-instance", self.instance_owner, "VirtualMachine"
        if obj is None:
            return web.json_response({"kind": "Status", "message": f"{path} isn't there"}, status=404)
        reference = {"apiVersion": "v1", "kind": kind, "uid": owner, "controller": True}
        metadata = {"name": "web", "namespace": "shop", "uid": uid, "ownerReferences": [reference]}
        return web.json_response({**obj, "metadata": metadata})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refusals:
            status, text = self.refusals.pop(0)
            if self.in_json:
                return web.json_response({"kind": "Status", "code": status, "message": text}, status=status)
            return web.Response(text=text, status=status)
        self.streams.append((request.path.removeprefix(STREAMS), request.headers.get("Authorization", "")))
        socket = web.WebSocketResponse(protocols=self.protocols)
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.BINARY
            self.received += message.data
            if b"bye" in message.data:
                assert request.transport is not None
                request.transport.abort()  # as virt-api does, which closes what is under the WebSocket
                break
            await socket.send_bytes(message.data.upper())
        return socket

    async def start(self) -> web.AppRunner:
        """Serve on loopback."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return runner

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig of it, in whose context the namespace is shop."""
        place = {"cluster": "c", "user": "u", "namespace": "shop"}
        made = {
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": "secret"}}],
            "contexts": [{"name": "it", "context": place}],
            "current-context": "it",
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(made), encoding="utf-8")
        return path


@contextmanager
def beside(api: VirtApi) -> Iterator[None]:
    """Serve in a thread of its own, for a process that asks."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(api.start(), loop).result(PATIENCE)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
