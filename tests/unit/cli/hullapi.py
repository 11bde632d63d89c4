"""What stands for an API server by which people reach into the hulls of several Workloads, which change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from tests.unit.cli.kubeletlog import KubeletLog
from tests.unit.cli.reachapi import ReachApi
from tests.unit.cli.watchapi import WatchApi
from tests.unit.reach.virtapi import MACHINES, STREAMS, VirtApi

_PODS = "/api/v1/namespaces/shop/pods/"
_REQUESTS = "/apis/twinhull.dev/v1alpha1/namespaces/shop/accessrequests"
_COMMANDS = ("v5.channel.k8s.io",)


class HullApi(WatchApi, ReachApi):
    """Has Workloads, Pods with logs and commands, and the machine of VirtApi."""

    def __init__(self) -> None:
        super().__init__()
        self.owner = "web"
        #: The phases of Pods; a name that isn't there has none.
        self.phases: dict[str, str] = {}
        #: What each Pod has logged, and the queries by which logs were asked for, with the Pod's name.
        self.logs: dict[str, bytes] = {}
        self.log_reads: list[tuple[str, dict[str, str]]] = []
        #: The logs of those whose kubelet heeds queries, and the previous ones.
        self.files: dict[str, KubeletLog] = {}
        self.previous: dict[str, KubeletLog] = {}
        #: After how many bytes the connections of the next logs are lost, None for those that aren't.
        self.cuts: list[int | None] = []
        #: What happens at the end of the next logs.
        self.then: list[Callable[[], object]] = []
        #: Whether logs don't end, and how many are open; and those that don't, by Pod and container.
        self.stays, self.reading = False, 0
        self.staying: set[tuple[str, str]] = set()
        #: By which status and text the next logs are refused, None for those that aren't.
        self.log_refusals: list[tuple[int, str] | None] = []
        #: What happens when a Pod is read the next times: it gives the status of a refusal, 0 for none.
        self.pod_reads: dict[str, list[Callable[[], int]]] = {}
        #: By which status and text a subresource of Pods is refused.
        self.refusal: dict[str, tuple[int, str]] = {}
        #: What is said of each refused request instead, with a place for the verb.
        self.refusal_text = ""
        #: What a command is answered with: messages.
        self.answers: list[bytes] = []

    def workload(  # noqa: PLR0913  what a Workload has
        self,
        name: str,
        hull: str = "",
        *,
        kind: str = "Pod",
        containers: tuple[str, ...] = ("web",),
        states: dict[str, dict[str, Any]] | None = None,
        spec: dict[str, Any] | None = None,
        ready: tuple[str, str, str] = ("True", "Ready", "it is ready"),
        started: str = "",
        **status: Any,
    ) -> None:
        """Create or change a Workload. `states` are those of containers; without, all run."""
        listed = [
            {"name": one, "state": "Running", "restarts": 0, **(states or {}).get(one, {})}
            for one in containers
        ]
        conditions = [
            {"type": "Ready", "status": ready[0], "reason": ready[1], "message": ready[2]},
            {"type": "Reconciling", "status": "False", "reason": ready[1], "message": ""},
        ]
        status = {"observedGeneration": 1, "conditions": conditions, "containers": listed, **status}
        if hull:
            status["hull"] = {"kind": kind, "name": hull, **({"startedAt": started} if started else {})}
            if kind == "Pod":
                self.phases.setdefault(hull, "Running")
        made = [{"name": one} for one in containers if one != "setup"]
        inside = {
            "containers": made,
            "initContainers": [{"name": one} for one in containers if one == "setup"],
        }
        self.put("workloads", name, spec={"template": {"spec": inside}, **(spec or {})}, status=status)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.refuses and self.refusal_text:
            verb = "get" if request.path.endswith("/web") else "list"
            text = self.refusal_text % verb
            return web.json_response({"kind": "Status", "message": text}, status=self.refuses)
        if request.path.startswith(_PODS):
            name, _, subresource = request.path.removeprefix(_PODS).partition("/")
            return await self._pod(request, name, subresource)
        if request.path.startswith(_REQUESTS):
            return await self._access(request)
        if request.path.startswith(STREAMS):
            return await VirtApi._stream(self, request)  # noqa: SLF001
        if request.path in MACHINES:
            return self._read(request.path)
        return await super()._answer(request)

    async def _pod(  # noqa: PLR0911  one for each kind of answer
        self, request: web.Request, name: str, subresource: str
    ) -> web.StreamResponse:
        if subresource in self.refusal:
            status, text = self.refusal[subresource]
            return web.Response(text=text, status=status)
        if not subresource and self.pod_reads.get(name) and (status := self.pod_reads[name].pop(0)()):
            return web.json_response({"kind": "Status", "message": "it is refused"}, status=status)
        if name not in self.phases:
            return web.json_response({"kind": "Status", "message": f'pods "{name}" not found'}, status=404)
        if subresource == "log":
            return await self._log(request, name)
        if subresource in {"exec", "attach"}:
            return await self._command(request)
        if subresource:
            return web.json_response({"kind": "Status", "message": "Upgrade request required"}, status=400)
        owner = name.partition("-")[0]
        found = self._objects["/apis/twinhull.dev/v1alpha1/namespaces/shop/workloads"][owner]
        listed = [one["name"] for one in found["status"]["containers"]]
        phase = self.phases[name]
        ended = {"terminated": {"exitCode": 3}} if phase == "Failed" else {"running": {}}
        return web.json_response(
            {
                "metadata": {
                    "name": name,
                    "namespace": "shop",
                    "resourceVersion": "1",
                    "ownerReferences": [{"controller": True, "uid": owner}],
                },
                "spec": {
                    "containers": [{"name": one} for one in listed if one != "setup"],
                    "initContainers": [{"name": one} for one in listed if one == "setup"],
                },
                "status": {
                    "phase": phase,
                    "containerStatuses": [{"name": one, "state": ended} for one in listed if one != "setup"],
                },
            }
        )

    async def _log(self, request: web.Request, name: str) -> web.StreamResponse:
        self.log_reads.append((name, dict(request.query)))
        if self.log_refusals and (refusal := self.log_refusals.pop(0)):
            await self._go_on()
            return web.Response(text=refusal[1], status=refusal[0])
        response = web.StreamResponse()
        await response.prepare(request)
        files = self.previous if "previous" in request.query else self.files
        text = files[name].answer(request.query) if name in files else self.logs.get(name, b"")
        if (cut := self.cuts.pop(0) if self.cuts else None) is not None:
            await response.write(text[:cut])
            await self._go_on()
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(text)
        self.reading += 1
        while self.stays or (name, request.query["container"]) in self.staying:  # noqa: ASYNC110  a test polls
            await asyncio.sleep(0.01)
        await self._go_on()
        return response

    async def _go_on(self) -> None:
        """Do what comes next, of which is told before the log ends: it isn't waited for long after that."""
        if self.then:
            self.then.pop(0)()
            await self.delivered()

    async def _command(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=_COMMANDS)
        await socket.prepare(request)
        for message in self.answers:
            await socket.send_bytes(message)
        async for received in socket:
            assert received.type is WSMsgType.BINARY
            if received.data[:1] == b"\x00":
                self.received += received.data[1:]
                await socket.send_bytes(b"\x01" + received.data[1:].upper())
        return socket
