"""The cluster: a thin client of raw objects for the few requests that the operator makes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias, TypeVar

import aiohttp
from prometheus_client import CollectorRegistry

from twinhull.api.base import Raw
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell import tracing
from twinhull.shell.connection import TIMEOUT, Connection
from twinhull.shell.decoding import Page, Undecodable, decode, decode_event
from twinhull.shell.errors import NotFound, NotLeading, Unauthorized, Unreachable, from_status
from twinhull.shell.kinds import POD, POD_TEMPLATE, RESOURCE_QUOTA, Kind
from twinhull.shell.metrics import Requests
from twinhull.shell.process.credentials import LoginError
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key

logger = logging.getLogger(__name__)

#: Under which name the operator's writes stand in managedFields.
FIELD_MANAGER = "twinhull"

#: Objects, and the version of their list.
_Listed: TypeAlias = tuple[list[Raw], str]
#: What takes objects in, a few at a time.
_Take: TypeAlias = Callable[[list[Raw]], None]

_Result = TypeVar("_Result")

#: How many objects a list has at a time, and how many bytes: there are fewer objects then.
PAGE = 500
PAGE_BYTES = 4 << 20
#: How many bytes one object may have. The API server stores no more than 1.5 MB, and writes some characters
#: in six bytes.
LARGEST = 32 << 20
#: How many bytes an object's metadata may have for its managedFields to be looked at.
_LARGEST_METADATA = 1 << 19
#: From how many bytes on an answer is read beside the work, as that takes a while.
_LONG = 1 << 17
#: For how long a watch is asked for, and for how long it may be silent, in seconds; the API server sends a
#: bookmark every minute.
_WATCHED_FOR = 300
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=70)
_root = attrgetter("root")
_LIST = "PartialObjectMetadataList"
_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_PATCH = "application/strategic-merge-patch+json"


class Cluster:
    """Requests on raw objects. Every failure is an ApiError.

    `may_write` is asked right before each write is sent, once there is a connection for it. If it says no,
    NotLeading is raised and nothing is sent.
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
        """Go through a creation up to where it would be stored. Raises what `create` would. A machine's Pod
        may have fields that its guest alone knows.
        """
        strict = "Ignore" if kind is POD_TEMPLATE else "Strict"
        query = {"fieldValidation": strict, "dryRun": "All"}
        with self._metrics.writing("dry-run", kind.plural):
            await self._request("POST", kind.path(namespace), query, obj)

    async def rehearse_patch(self, kind: Kind, namespace: str, name: str, patch: Raw) -> None:
        """Go through a merge patch up to where it would be stored. Raises what `patch` would."""
        query = {"fieldManager": FIELD_MANAGER, "dryRun": "All"}
        with self._metrics.writing("dry-run", kind.plural):
            await self._request("PATCH", kind.path(namespace, name), query, patch, _MERGE_PATCH)

    async def quotas(self, namespace: str) -> list[Raw]:
        """The ResourceQuotas of a namespace."""
        return list((await self._request("GET", RESOURCE_QUOTA.path(namespace)))["items"])

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw | None:
        """One object, None if there is none."""
        try:
            return await self._request("GET", kind.path(namespace, name))
        except NotFound:
            return None

    async def managed_fields(self, kind: Kind, namespace: str, name: str) -> list[Raw]:
        """Who has set what of an object (meta/v1, type ManagedFieldsEntry), as no other read tells; nothing
        if that is too much, or there is no such object.
        """
        form = _form(bare=True, what="PartialObjectMetadata")
        request = _Request("GET", kind.path(namespace, name), headers=form, largest=_LARGEST_METADATA)
        try:
            return list(json.loads(await self._exchange(request))["metadata"].get("managedFields") or ())
        except (NotFound, _TooLargeError, ValueError, RecursionError):
            return []

    async def list(self, kind: Kind, workload: Key | None = None) -> _Listed | None:
        """All objects of a kind that concern the operator, or those with one Workload's label; and the
        version of the list. None if the cluster has no such kind, or it isn't seen.
        """
        listed: list[Raw] = []
        version = await self.read_all(kind, listed.extend, workload)
        return None if version is None else (listed, version)

    async def read_all(self, kind: Kind, take: _Take, workload: Key | None = None) -> str | None:
        """Give all objects of a kind, as `list` has them, to `take`, a few at a time: memory has to hold no
        more than those. The version of the list; None if the cluster has no such kind, or it isn't seen.

        Of several lists, one a namespace, the version is the oldest's; None if any of them is missing, as
        what isn't in a list that is missing isn't known to be gone. Items lack apiVersion and kind, as the
        API server gives them.
        """
        if not self._scope.sees(kind):
            return None
        namespace, name = workload or (None, None)
        everywhere = self.places(kind) if namespace is None else (namespace,)
        versions = [await self._read(kind, one, name, take) for one in everywhere]
        said = [version for version in versions if version is not None]
        return min(said, key=int) if len(said) == len(everywhere) else None

    def places(self, kind: Kind) -> tuple[str | None, ...]:
        """The namespaces in which objects of a kind are asked for; None stands for all, or none at all."""
        return (self._scope.namespaces if kind.namespaced else ()) or (None,)

    async def _read(self, kind: Kind, namespace: str | None, name: str | None, take: _Take) -> str | None:
        mine = f"{WORKLOAD_LABEL}={name}" if name else None
        query, limit = _selecting(kind, mine), PAGE
        form = _form(bare=kind.metadata_only, what=_LIST)
        while True:
            query["limit"] = str(limit)
            largest = PAGE_BYTES if limit > 1 else LARGEST
            request = _Request("GET", kind.path(namespace), query, headers=form, largest=largest)
            try:
                text = await self._exchange(request)
            except NotFound:
                return None
            except _TooLargeError:
                if limit == 1:
                    raise
                limit = max(1, limit // 4)
                continue
            metadata = await self._take(request, text, take)
            if not metadata.get("continue"):
                return str(metadata["resourceVersion"])
            query["continue"] = metadata["continue"]
            limit = min(PAGE, max(1, limit * PAGE_BYTES // (2 * len(text))))

    async def _take(self, request: _Request, text: bytes, take: _Take) -> Raw:
        """Take in a page of a list. Its own metadata."""
        with _unreachable(request):
            page = Page(text)
            batches = page.batches()
            while (batch := await _beside(text, next, batches, None)) is not None:
                take(batch)
            return page.metadata

    async def latest(self, kind: Kind, namespace: str | None) -> str:
        """The version of a kind's objects by now, from which they can be watched. Raises NotFound if the
        cluster has no such kind.
        """
        query = {**_selecting(kind), "limit": "1"}
        request = _Request("GET", kind.path(namespace), query, headers=_form(bare=True, what=_LIST))
        return str(
            (await self._take(request, await self._exchange(request), lambda _: None))["resourceVersion"]
        )

    async def watch(self, kind: Kind, version: str, namespace: str | None) -> AsyncIterator[tuple[str, Raw]]:
        """The events of a kind's objects from a version on: ADDED, MODIFIED, DELETED, and BOOKMARK, which
        only has a version. It ends when the API server ends it.

        Raises Gone if there are no events from that version on any more, and NotFound if the cluster has no
        such kind. An event that can't be read at all is passed by.
        """
        query = {
            **_selecting(kind),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCHED_FOR),
        }
        form = _form(bare=kind.metadata_only, what="PartialObjectMetadata")
        request = _Request("GET", kind.path(namespace), query, headers=form, timeout=_WATCH_TIMEOUT)
        with _unreachable(request):
            response = await self._begin(request)
            try:
                async for line in _lines(response):
                    try:
                        change, obj = await _beside(line, decode_event, line)
                    except Undecodable as error:
                        logger.warning("an event of %s can't be read: %s", kind.plural, error)
                        continue
                    if change == "ERROR":
                        raise from_status(int(obj.get("code") or 500), obj)
                    yield change, obj
            finally:
                response.close()

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

    async def delete(
        self, kind: Kind, namespace: str, name: str, uid: str, grace_seconds: int | None = None
    ) -> Raw:
        """Delete an object if it is still the one with that uid, else raise Conflict or NotFound. A Pod has
        `grace_seconds` to end, or what it says itself.
        """
        options: Raw = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
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
        text = await self._exchange(request)
        with _unreachable(request):
            return await _beside(text, decode, text)

    async def _exchange(self, request: _Request) -> bytes:
        """The answer's text, or the ApiError that it stands for."""
        with tracing.requesting(request.method, request.path), _unreachable(request):
            async with await self._begin(request) as response:
                return await _text(response, request.largest)

    async def _begin(self, request: _Request) -> aiohttp.ClientResponse:
        """An answer that is no error, yet to be read."""
        try:
            session, server = await self._connection.open()
            try:
                return await self._send(request, session, server)
            except Unauthorized:
                session, server = await self._connection.renew(session)
                return await self._send(request, session, server)
        except LoginError as error:
            raise Unauthorized(str(error)) from error

    async def _send(
        self, request: _Request, session: aiohttp.ClientSession, server: str
    ) -> aiohttp.ClientResponse:
        host = server.partition("://")[2]
        check = None if request.method == "GET" else self._check
        try:
            response = await request.send(session, server, check)
            code = response.status
            tracing.answered(code)
        except NotLeading:
            raise  # it was not sent, so it doesn't count
        except BaseException as error:
            if isinstance(error.__cause__, NotLeading):  # aiohttp wraps what sending a body raises
                raise error.__cause__ from None
            self._metrics.answered(request.method, host, None)
            raise
        self._metrics.answered(request.method, host, code)
        if code < 400:  # noqa: PLR2004
            return response
        async with response:
            raise from_status(code, _status(await _text(response, LARGEST)))

    def _check(self) -> None:
        if not self._may_write():
            raise NotLeading("another operator may be at work by now")


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, ready to be sent; twice if need be. Its answer may have so many bytes."""

    method: str
    path: str
    query: dict[str, str] | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    largest: int = LARGEST
    timeout: aiohttp.ClientTimeout = TIMEOUT

    async def send(
        self, session: aiohttp.ClientSession, server: str, check: Callable[[], None] | None
    ) -> aiohttp.ClientResponse:
        """An answer, yet to be read. `check` is called right before anything is sent."""
        return await session.request(
            self.method,
            server + self.path,
            params=self.query,
            data=self.body,
            headers=self.headers,
            timeout=self.timeout,
            trace_request_ctx=check,
        )


class _TooLargeError(Unreachable):
    """An answer has more bytes than memory is to hold."""


@contextmanager
def _unreachable(request: _Request) -> Iterator[None]:
    """Turns what may be raised into Unreachable. aiohttp raises RuntimeError for a session that was renewed,
    and so closed, by another request; Undecodable is raised for an answer that isn't JSON.
    """
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, RuntimeError, Undecodable) as error:
        raise Unreachable(f"{request.method} {request.path}: {error or type(error).__name__}") from error


async def _text(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """The whole of an answer. Raises _TooLargeError."""
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > largest:
            response.close()
            raise _TooLargeError(f"{response.url.path}: the answer has more than {largest:,} bytes")
    return bytes(text)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of an answer as they come. Of one that is too long only its end is given."""
    text, looked = bytearray(), 0
    async for chunk in response.content.iter_any():
        text += chunk
        while (end := text.find(b"\n", looked)) >= 0:
            yield bytes(text[:end])
            del text[: end + 1]
            looked = 0
        looked = len(text)
        if looked > LARGEST:
            text.clear()
            looked = 0


async def _beside(text: bytes, read: Callable[..., _Result], *arguments: object) -> _Result:
    """What reading a text gives, which is done beside the work if it is long."""
    if len(text) < _LONG:
        return read(*arguments)
    return await asyncio.to_thread(read, *arguments)


def _selecting(kind: Kind, selector: str | None = None) -> dict[str, str]:
    """The query for those objects of a kind that concern the operator."""
    selectors = [found for found in (kind.label_selector, selector) if found]
    return {"labelSelector": ",".join(selectors)} if selectors else {}


def _form(*, bare: bool, what: str) -> dict[str, str]:
    """The form in which objects are asked for: `bare` ones have only their metadata."""
    if not bare:
        return {}
    return {"Accept": f"application/json;as={what};v=v1;g=meta.k8s.io"}


def _status(text: bytes) -> Raw:
    """An error's Status object; proxies answer in prose."""
    try:
        status = json.loads(text)
    except (ValueError, RecursionError):
        return {"message": text.decode(errors="replace")[:500]}
    return status if isinstance(status, dict) else {}
