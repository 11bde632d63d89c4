"""What stands for an API server whose objects are watched, and whose connections get lost."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

from tests.unit.reach.virtapi import VirtApi

#: A collection's path in the namespace shop, by its plural.
PATHS = {
    "workloads": "/apis/twinhull.dev/v1alpha1/namespaces/shop/workloads",
    "events": "/api/v1/namespaces/shop/events",
}


class WatchApi(VirtApi):
    """Has objects of a few kinds in the namespace shop, and tells of their changes from a version on."""

    def __init__(self) -> None:
        super().__init__()
        self._objects: dict[str, dict[str, dict[str, Any]]] = {path: {} for path in PATHS.values()}
        #: Each change: its path, its version and the event.
        self._history: list[tuple[str, int, dict[str, Any]]] = []
        self._version = 100
        #: From which version on changes are remembered.
        self._oldest = 0
        #: Whether each connection is cut.
        self.is_down = False
        #: The status with which each request is refused, and each watch, 0 if it isn't.
        self.refuses = self.refuses_watches = 0
        #: The watches that are open.
        self.open: list[web.Request] = []
        #: How many of the changes each of them was told, by its id.
        self._delivered: dict[int, int] = {}
        #: The paths that were read, each watch's selector and version, and how many requests have failed.
        self.reads: list[str] = []
        self.watches: list[tuple[str, str]] = []
        self.failed = 0

    def put(self, plural: str, name: str, uid: str = "", **more: Any) -> str:
        """Create or change an object. Its version."""
        path = PATHS[plural]
        self._version += 1
        metadata = {"name": name, "namespace": "shop", "uid": uid or name}
        obj = {"metadata": {**metadata, "resourceVersion": str(self._version), "generation": 1}, **more}
        change = "MODIFIED" if name in self._objects[path] else "ADDED"
        self._objects[path][name] = obj
        self._history.append((path, self._version, {"type": change, "object": obj}))
        return str(self._version)

    def delete(self, plural: str, name: str) -> None:
        """Delete an object."""
        path = PATHS[plural]
        self._version += 1
        obj = self._objects[path].pop(name)
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}}
        self._history.append((path, self._version, {"type": "DELETED", "object": obj}))

    def forget(self) -> None:
        """Forget all changes so far."""
        self._oldest = self._version + 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        watching = "watch" in request.query
        if self.is_down:
            self.failed += 1
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if code := self.refuses or (self.refuses_watches if watching else 0):
            self.failed += 1
            return web.json_response(
                {"kind": "Status", "code": code, "message": "so it is told"}, status=code
            )
        if watching:
            return await self._watch(request)
        self.reads.append(request.path)
        version = {"resourceVersion": str(self._version)}
        if request.path in self._objects:
            items = list(self._objects[request.path].values())
            return web.json_response({"items": items, "metadata": version})
        path, _, name = request.path.rpartition("/")
        if path not in self._objects:
            return web.json_response({"items": [], "metadata": version})
        found = self._objects[path].get(name)
        missing = {"kind": "Status", "code": 404, "message": f"there is no {name}"}
        return web.json_response(found or missing, status=200 if found else 404)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        selector = request.query.get("fieldSelector", "")
        name, version = selector.partition("=")[2], request.query["resourceVersion"]
        self.watches.append((selector, version))
        response = web.StreamResponse()
        await response.prepare(request)
        self.open.append(request)
        delivered = self._delivered[id(request)] = 0
        while request in self.open:
            if self.is_down:
                assert request.transport is not None
                request.transport.abort()
                break
            if int(version) + 1 < self._oldest:
                gone = {"type": "ERROR", "object": {"code": 410, "message": "too old"}}
                await response.write(json.dumps(gone).encode() + b"\n")
                break
            for path, number, event in self._history[delivered:]:
                mine = path == request.path and name in {"", event["object"]["metadata"]["name"]}
                if mine and number > int(version):
                    await response.write(json.dumps(event).encode() + b"\n")
            delivered = self._delivered[id(request)] = len(self._history)
            await asyncio.sleep(0.01)
        if request in self.open:
            self.open.remove(request)
        return response

    async def delivered(self) -> None:
        """Wait until all that has changed is told to those who watch."""
        while any(self._delivered[id(watch)] < len(self._history) for watch in self.open if watch.transport):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def end_watches(self) -> None:
        """End all watches as an API server does after some minutes."""
        self.open.clear()
