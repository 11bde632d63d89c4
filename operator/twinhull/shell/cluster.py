"""The cluster: a thin client of raw objects for the few requests that the operator makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

import aiohttp
import kopf
from prometheus_client import CollectorRegistry

from twinhull.api.base import Raw
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell import tracing
from twinhull.shell.connection import Connection
from twinhull.shell.errors import NotFound, NotLeading, Unauthorized, Unreachable, from_status
from twinhull.shell.kinds import POD, Kind
from twinhull.shell.metrics import Requests
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key

#: Under which name the operator's writes stand in managedFields.
FIELD_MANAGER = "twinhull"

#: Objects, and the version of their list.
_Listed: TypeAlias = tuple[list[Raw], str]

#: How many objects a list has at a time; memory has to hold them as they come, with all their fields.
PAGE = 500
_root = attrgetter("root")
_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_PATCH = "application/strategic-merge-patch+json"


class Cluster:
    """Requests on raw objects. Every failure is an ApiError.

    `may_write` is asked right before each write. If it says no, NotLeading is raised and nothing is sent.
    What isn't in the `scope` isn't listed.
    """

    def __init__(
        self,
        connection: Connection,
        may_write: Callable[[], bool] = lambda: True,
        scope: Scope = Scope(),  # noqa: B008  it is frozen
        metrics: Requests | None = None,
    ) -> None:
        self._connection = connection
        self._may_write = may_write
        self._scope = scope
        self._metrics = metrics or Requests(CollectorRegistry())

    async def create(self, kind: Kind, namespace: str, obj: Raw) -> Raw:
        """Create an object. Raises AlreadyExists rather than touching another of that name, and Refused
        rather than leaving out a field that the server doesn't know.
        """
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        with self._metrics.writing("create", kind.plural):
            return await self._request("POST", kind.path(namespace), query, obj)

    async def rehearse(self, kind: Kind, namespace: str, obj: Raw) -> None:
        """Go through a creation up to where it would be stored. Raises what `create` would."""
        query = {"fieldValidation": "Strict", "dryRun": "All"}
        with self._metrics.writing("dry-run", kind.plural):
            await self._request("POST", kind.path(namespace), query, obj)

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw | None:
        """One object, None if there is none."""
        try:
            return await self._request("GET", kind.path(namespace, name))
        except NotFound:
            return None

    async def list(self, kind: Kind, workload: Key | None = None) -> _Listed | None:
        """All objects of a kind that concern the operator, or those with one Workload's label; and the
        version of the list.

        None if the cluster has no such kind, or it isn't seen. Of several lists, one a namespace, the version
        is the oldest's. Items lack apiVersion and kind, as the API server gives them.
        """
        if not self._scope.sees(kind):
            return None
        namespace, name = workload or (None, None)
        everywhere = (self._scope.namespaces or (None,)) if namespace is None else (namespace,)
        listed = [await self._list(kind, one, name) for one in everywhere]
        found = [one for one in listed if one is not None]
        if not found:
            return None
        return [obj for objects, _ in found for obj in objects], min((v for _, v in found), key=int)

    async def _list(self, kind: Kind, namespace: str | None, name: str | None) -> _Listed | None:
        mine = f"{WORKLOAD_LABEL}={name}" if name else None
        query = {"limit": str(PAGE)}
        if selectors := [selector for selector in (kind.label_selector, mine) if selector]:
            query["labelSelector"] = ",".join(selectors)
        items: list[Raw] = []
        while True:
            try:
                page = await self._request("GET", kind.path(namespace), query)
            except NotFound:
                return None
            for obj in page["items"]:
                obj["metadata"].pop("managedFields", None)  # half of an object, and never looked at
                items.append(obj)
            if not page["metadata"].get("continue"):
                return items, page["metadata"]["resourceVersion"]
            query["continue"] = page["metadata"]["continue"]

    async def version(self) -> str:
        """The API server's version, such as v1.37.2; empty if it says none."""
        return str((await self._request("GET", "/version")).get("gitVersion") or "")

    async def served(self, kinds: Iterable[Kind]) -> set[Kind]:
        """Those of these kinds, none of Kubernetes' core, that the API server says it serves."""
        groups = (await self._request("GET", "/apis"))["groups"]
        there = {f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"]}
        found = set()
        for root, alike in groupby(sorted(kinds, key=_root), key=_root):
            with suppress(NotFound):  # its last kind has just gone
                resources = (await self._request("GET", root))["resources"] if root in there else ()
                names = {resource["name"] for resource in resources}
                found |= {kind for kind in alike if kind.plural in names}
        return found

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Raw, subresource: str = "") -> Raw:
        """Merge a patch into an object, or into its `/status` or another subresource.

        By RFC 7396; into a Pod, whose lists have keys, strategically.
        """
        path = kind.path(namespace, name) + subresource
        content_type = _STRATEGIC_PATCH if kind is POD else _MERGE_PATCH
        with self._metrics.writing("patch", kind.plural + subresource):
            return await self._request("PATCH", path, {"fieldManager": FIELD_MANAGER}, patch, content_type)

    async def delete(self, kind: Kind, namespace: str, name: str, uid: str) -> Raw:
        """Delete an object if it is still the one with that uid, else raise Conflict or NotFound."""
        options = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        with self._metrics.writing("delete", kind.plural):
            return await self._request("DELETE", kind.path(namespace, name), body=options)

    async def _request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Raw | None = None,
        content_type: str = "application/json",
    ) -> Raw:
        request = _Request(
            method,
            path,
            query,
            None if body is None else json.dumps(body, separators=(",", ":")).encode(),
            {} if body is None else {"Content-Type": content_type},
        )
        with tracing.requesting(method, path):
            return await self._exchange(request)

    async def _exchange(self, request: _Request) -> Raw:
        try:
            session, server = await self._connection.open()
            self._check(request.method)
            try:
                return await self._send(request, session, server)
            except Unauthorized:
                session, server = await self._connection.renew(session)
                self._check(request.method)
                return await self._send(request, session, server)
        except kopf.LoginError as error:
            raise Unauthorized(str(error)) from error
        # aiohttp raises RuntimeError for a session that was renewed, and so closed, by another request.
        # ValueError stands for an answer that isn't JSON.
        except (aiohttp.ClientError, TimeoutError, OSError, RuntimeError, ValueError) as error:
            raise Unreachable(f"{request.method} {request.path}: {error or type(error).__name__}") from error

    async def _send(self, request: _Request, session: aiohttp.ClientSession, server: str) -> Raw:
        """The answer to one sending, or the ApiError that it stands for."""
        host, code = server.partition("://")[2], None
        try:
            code, text = await request.send(session, server)
            tracing.answered(code)
        finally:
            self._metrics.answered(request.method, host, code)
        if code >= 400:  # noqa: PLR2004
            raise from_status(code, _status(text))
        answer: Raw = json.loads(text)
        return answer

    def _check(self, method: str) -> None:
        if method != "GET" and not self._may_write():
            raise NotLeading("another operator may be at work by now")


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, ready to be sent; twice if need be."""

    method: str
    path: str
    query: dict[str, str] | None
    body: bytes | None
    headers: dict[str, str]

    async def send(self, session: aiohttp.ClientSession, server: str) -> tuple[int, bytes]:
        """The answer's code and text."""
        async with session.request(
            self.method, server + self.path, params=self.query, data=self.body, headers=self.headers
        ) as response:
            return response.status, await response.read()


def _status(text: bytes) -> Raw:
    """An error's Status object; proxies answer in prose."""
    try:
        status = json.loads(text)
    except ValueError:
        return {"message": text.decode(errors="replace")[:500]}
    return status if isinstance(status, dict) else {}
