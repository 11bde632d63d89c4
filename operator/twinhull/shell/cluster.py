"""The cluster: a thin client for the few requests that the operator and the command make, on raw objects."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import TypeAlias

import aiohttp

from twinhull.api.base import Raw
from twinhull.shell.connection import Connection
from twinhull.shell.decoding import Undecodable, decode, decode_event
from twinhull.shell.errors import NotFound, from_status
from twinhull.shell.kinds import ACCESS_REVIEW, ANY_POD, POD, POD_TEMPLATE, RESOURCE_QUOTA, Kind
from twinhull.shell.list_pages import ListPages, Take, accept, selecting
from twinhull.shell.metrics import RequestMetrics
from twinhull.shell.scope import Scope
from twinhull.shell.store import Key
from twinhull.shell.transport import Request, TooLargeError, Transport, lines, read_beside, unreachable

logger = logging.getLogger(__name__)

#: The field manager of the operator's writes, in managedFields.
FIELD_MANAGER = "twinhull"

#: Objects, and the version of their list.
_Listed: TypeAlias = tuple[list[Raw], str]

#: The most bytes of an object's metadata whose managedFields are looked at.
_LARGEST_METADATA = 1 << 19
#: How many seconds a watch lasts, and how many it may be silent. The API server sends a bookmark every
#: minute.
_WATCHED_FOR = 300
_WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=70)
_root = attrgetter("root")
#: JSON is YAML, too.
_APPLY_PATCH = "application/apply-patch+yaml"
_MERGE_PATCH = "application/merge-patch+json"
_STRATEGIC_PATCH = "application/strategic-merge-patch+json"


class Cluster:
    """Requests on raw objects. Every failure is an ApiError.

    `may_write` is asked right before each write is sent, once there is a connection for it. If it says no,
    NotLeading is raised and nothing is sent. Kinds and namespaces outside of the `scope` aren't listed.
    """

    def __init__(
        self,
        connection: Connection,
        may_write: Callable[[], bool] = lambda: True,
        scope: Scope = Scope(),  # noqa: B008  it is frozen
        metrics: RequestMetrics | None = None,
    ) -> None:
        self._transport = Transport(connection, may_write, metrics)
        self._lists = ListPages(self._transport)
        self._scope = scope

    async def create(self, kind: Kind, namespace: str, obj: Raw) -> Raw:
        """Create an object. Raises AlreadyExists if another object has the name, and Refused if the object
        has a field that the server doesn't know.
        """
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        with self._transport.metrics.writing("create", kind.plural):
            return await self._request("POST", kind.path(namespace), query, obj)

    async def rehearse(self, kind: Kind, namespace: str, obj: Raw) -> None:
        """Try a creation by a dry run: the API server does everything but store the object. Raises what
        `create` would. A PodTemplate, which stands for a machine's Pod, may have fields that the server
        doesn't know: its guest knows them.
        """
        strict = "Ignore" if kind is POD_TEMPLATE else "Strict"
        query = {"fieldValidation": strict, "dryRun": "All"}
        with self._transport.metrics.writing("dry-run", kind.plural):
            await self._request("POST", kind.path(namespace), query, obj)

    async def rehearse_apply(  # noqa: PLR0913  what an apply has
        self, kind: Kind, namespace: str, name: str, obj: Raw, manager: str, *, force: bool
    ) -> Raw:
        """Try a server-side apply by a dry run, and return the object as it would be stored. Raises Conflict
        if another field manager owns some of the fields and `force` is false, and Refused if there is a field
        that the server doesn't know.
        """
        query = {
            "fieldManager": manager,
            "force": str(force).lower(),
            "fieldValidation": "Strict",
            "dryRun": "All",
        }
        with self._transport.metrics.writing("dry-run", kind.plural):
            return await self._request("PATCH", kind.path(namespace, name), query, obj, _APPLY_PATCH)

    async def quotas(self, namespace: str) -> list[Raw]:
        """The ResourceQuotas of a namespace."""
        return list((await self._request("GET", RESOURCE_QUOTA.path(namespace)))["items"])

    async def read_pods(self, namespace: str, take: Take) -> None:
        """Give all Pods of a namespace that haven't ended to `take`, a few at a time, whoever owns them."""
        await self._lists.read(ANY_POD, namespace, None, take)

    async def may(self, attributes: Raw) -> bool:
        """Whether the operator's account has a right (authorization.k8s.io/v1, type ResourceAttributes)."""
        type_meta = {"apiVersion": ACCESS_REVIEW.api_version, "kind": ACCESS_REVIEW.name}
        review = {**type_meta, "spec": {"resourceAttributes": attributes}}
        answer = await self._request("POST", ACCESS_REVIEW.path(), {}, review)
        return bool((answer.get("status") or {}).get("allowed"))

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw | None:
        """One object, None if it doesn't exist."""
        try:
            return await self._request("GET", kind.path(namespace, name))
        except NotFound:
            return None

    async def is_there(self, kind: Kind, namespace: str, name: str) -> bool:
        """Whether an object of that name exists. It is asked for by a list, since the operator may list some
        kinds of which it may not get single objects.
        """
        query = {"fieldSelector": f"metadata.name={name}", "limit": "1"}
        return bool((await self._request("GET", kind.path(namespace), query))["items"])

    async def managed_fields(self, kind: Kind, namespace: str, name: str) -> list[Raw]:
        """An object's managedFields (meta/v1, type ManagedFieldsEntry): which field manager set which fields.
        The other reads leave them out. Empty if they are too large, or the object doesn't exist.
        """
        headers = accept(bare=True, what="PartialObjectMetadata")
        request = Request("GET", kind.path(namespace, name), headers=headers, largest=_LARGEST_METADATA)
        try:
            return list(
                json.loads(await self._transport.exchange(request))["metadata"].get("managedFields") or ()
            )
        except (NotFound, TooLargeError, ValueError, RecursionError):
            return []

    async def list(self, kind: Kind, workload: Key | None = None) -> _Listed | None:
        """All objects of a kind that concern the operator, or those with one Workload's label, and the
        version of the list. None if the cluster doesn't have the kind, or the kind isn't in the scope.
        """
        listed: list[Raw] = []
        version = await self.read_all(kind, listed.extend, workload)
        return None if version is None else (listed, version)

    async def read_all(self, kind: Kind, take: Take, workload: Key | None = None) -> str | None:
        """Give all objects of a kind to `take`, a few at a time, so that only those are in memory. The
        version of the list. None if the cluster doesn't have the kind, or the kind isn't in the scope.

        If the operator serves single namespaces, there is one list for each. The version is then the oldest
        list's, and None if any list is missing: an object in a missing list isn't known to be gone. Items
        lack apiVersion and kind, as the API server gives them.
        """
        namespace, name = workload or (None, None)
        everywhere = self.places(kind) if namespace is None else (namespace,)
        versions = [await self.read_place(kind, place, take, name) for place in everywhere]
        known = [version for version in versions if version is not None]
        return min(known, key=int) if len(known) == len(everywhere) else None

    async def read_place(
        self, kind: Kind, place: str | None, take: Take, workload: str | None = None
    ) -> str | None:
        """Like `read_all`, for one of the `places` of a kind, or for one Workload in it."""
        return await self._lists.read(kind, place, workload, take) if self._scope.sees(kind) else None

    def places(self, kind: Kind) -> tuple[str | None, ...]:
        """The namespaces in which objects of a kind are listed. None stands for all namespaces, or for a
        cluster-scoped kind.
        """
        return (self._scope.namespaces if kind.namespaced else ()) or (None,)

    async def latest(self, kind: Kind, namespace: str | None) -> str:
        """The present version of a kind's objects, from which they can be watched. Raises NotFound if the
        cluster doesn't have the kind.
        """
        return await self._lists.latest(kind, namespace)

    async def watch(
        self, kind: Kind, version: str, namespace: str | None, *, name: str = ""
    ) -> AsyncIterator[tuple[str, Raw]]:
        """The events of a kind's objects from a version on: ADDED, MODIFIED, DELETED, and BOOKMARK, which
        only has a version. With a `name`, those of one object. It ends when the API server ends it.

        Raises Gone if the API server no longer has the events from that version on, and NotFound if the
        cluster doesn't have the kind. An event that can't be read at all is left out.
        """
        query = {
            **selecting(kind),
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCHED_FOR),
            **({"fieldSelector": f"metadata.name={name}"} if name else {}),
        }
        headers = accept(bare=kind.metadata_only, what="PartialObjectMetadata")
        request = Request("GET", kind.path(namespace), query, headers=headers, timeout=_WATCH_TIMEOUT)
        with unreachable(request):
            response = await self._transport.begin(request)
            try:
                async for line in lines(response):
                    try:
                        change, obj = await read_beside(line, decode_event, line)
                    except Undecodable as error:
                        logger.warning("an event of %s can't be read: %s", kind.plural, error)
                        continue
                    if change == "ERROR":
                        raise from_status(int(obj.get("code") or 500), obj)
                    yield change, obj
            finally:
                response.close()

    async def version(self) -> str:
        """The API server's version, such as v1.37.2; empty if it gives none."""
        return str((await self._request("GET", "/version")).get("gitVersion") or "")

    async def served(self, kinds: Iterable[Kind]) -> set[Kind]:
        """Those of these kinds that the API server serves. The kinds of Kubernetes' core group can't be asked
        for.
        """
        groups = (await self._request("GET", "/apis"))["groups"]
        served_paths = {
            f"/apis/{version['groupVersion']}" for group in groups for version in group["versions"]
        }
        served_kinds = set()
        for root, alike in groupby(sorted(kinds, key=_root), key=_root):
            with suppress(NotFound):  # its last kind has just gone
                resources = (await self._request("GET", root))["resources"] if root in served_paths else ()
                names = {resource["name"] for resource in resources}
                served_kinds |= {kind for kind in alike if kind.plural in names}
        return served_kinds

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Raw, subresource: str = "") -> Raw:
        """Patch an object, or its `/status` or another subresource: a Pod by a strategic merge patch, since
        its lists have keys, any other object by a merge patch (RFC 7396). Returns the object afterwards.
        """
        path = kind.path(namespace, name) + subresource
        content_type = _STRATEGIC_PATCH if kind is POD else _MERGE_PATCH
        with self._transport.metrics.writing("patch", kind.plural + subresource):
            return await self._request("PATCH", path, {"fieldManager": FIELD_MANAGER}, patch, content_type)

    async def patch_as(  # noqa: PLR0913  what a PATCH has
        self, kind: Kind, namespace: str, name: str, patch: Raw, *, manager: str, rehearse: bool = False
    ) -> Raw:
        """Patch an object by a merge patch (RFC 7396), with the given field manager. With `rehearse` it is a
        dry run. Returns the object afterwards, or as it would be.
        """
        query = {"fieldManager": manager, **({"dryRun": "All"} if rehearse else {})}
        with self._transport.metrics.writing("dry-run" if rehearse else "patch", kind.plural):
            return await self._request("PATCH", kind.path(namespace, name), query, patch, _MERGE_PATCH)

    async def delete(  # noqa: PLR0913, PLR0917  what a DELETE has
        self,
        kind: Kind,
        namespace: str,
        name: str,
        uid: str,
        grace_seconds: int | None = None,
        version: str = "",
    ) -> Raw:
        """Delete an object if it still has that uid, and that resourceVersion if one is given; otherwise
        raise Conflict or NotFound. A Pod gets `grace_seconds` to end, or else its own grace period.
        """
        preconditions = {"uid": uid, **({"resourceVersion": version} if version else {})}
        options: Raw = {"preconditions": preconditions, "propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        with self._transport.metrics.writing("delete", kind.plural):
            return await self._request("DELETE", kind.path(namespace, name), body=options)

    async def _request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Raw | None = None,
        content_type: str = "application/json",
    ) -> Raw:
        request = Request(
            method,
            path,
            query,
            None if body is None else json.dumps(body, separators=(",", ":")).encode(),
            {} if body is None else {"Content-Type": content_type},
        )
        text = await self._transport.exchange(request)
        with unreachable(request):
            return await read_beside(text, decode, text)
