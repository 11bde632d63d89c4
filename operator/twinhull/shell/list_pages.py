"""The pages of lists: objects of a kind a few at a time, however many and however large they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.shell.decoding import Page
from twinhull.shell.errors import NotFound
from twinhull.shell.kinds import DATA_VOLUME, Kind
from twinhull.shell.transport import LARGEST, Request, TooLargeError, Transport, read_beside, unreachable

#: A function that takes in some objects of a list.
Take: TypeAlias = Callable[[list[Raw]], None]

#: How many objects a page has.
PAGE = 500
#: The most bytes of a page. If objects are large, a page has fewer.
PAGE_BYTES = 4 << 20
_LIST = "PartialObjectMetadataList"
#: The version that is assumed of a list without one, such as metrics-server's lists. A watch from it begins
#: anywhere.
_ANY_VERSION = "0"


class ListPages:
    """Reads lists page by page."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, kind: Kind, namespace: str | None, name: str | None, take: Take) -> str | None:
        """Give all objects of a kind, in a namespace or everywhere, to `take`. With a `name`, only those with
        the label of the Workload of that name. Returns the version of the list, 0 if it has none. None if the
        cluster doesn't have the kind.
        """
        label = DISK_LABEL if kind is DATA_VOLUME else WORKLOAD_LABEL
        mine = f"{label}={name}" if name else None
        query, limit = selecting(kind, mine), PAGE
        headers = accept(bare=kind.metadata_only, what=_LIST)
        while True:
            query["limit"] = str(limit)
            largest = PAGE_BYTES if limit > 1 else LARGEST
            request = Request("GET", kind.path(namespace), query, headers=headers, largest=largest)
            try:
                text = await self._transport.exchange(request)
            except NotFound:
                return None
            except TooLargeError:
                if limit == 1:
                    raise
                limit = max(1, limit // 4)
                continue
            metadata = await self._take(request, text, take)
            if not metadata.get("continue"):
                return str(metadata.get("resourceVersion") or _ANY_VERSION)
            query["continue"] = metadata["continue"]
            limit = min(PAGE, max(1, limit * PAGE_BYTES // (2 * len(text))))

    async def latest(self, kind: Kind, namespace: str | None) -> str:
        """The present version of a kind's objects. Raises NotFound if the cluster doesn't have the kind."""
        query = {**selecting(kind), "limit": "1"}
        request = Request("GET", kind.path(namespace), query, headers=accept(bare=True, what=_LIST))
        metadata = await self._take(request, await self._transport.exchange(request), lambda _: None)
        return str(metadata["resourceVersion"])

    async def _take(self, request: Request, text: bytes, take: Take) -> Raw:
        """Give the objects of a page to `take`. Returns the page's own metadata."""
        with unreachable(request):
            page = Page(text)
            batches = page.batches()
            while (batch := await read_beside(text, next, batches, None)) is not None:
                take(batch)
            return page.metadata


def selecting(kind: Kind, selector: str | None = None) -> dict[str, str]:
    """The query that selects the objects of a kind that concern the operator, and that match a label
    selector, if given.
    """
    selectors = [one for one in (kind.label_selector, selector) if one]
    return {
        **({"labelSelector": ",".join(selectors)} if selectors else {}),
        **({"fieldSelector": kind.field_selector} if kind.field_selector else {}),
    }


def accept(*, bare: bool, what: str) -> dict[str, str]:
    """The headers that ask for objects with their metadata only (`bare`), in the form `what`. Empty if not
    `bare`.
    """
    if not bare:
        return {}
    return {"Accept": f"application/json;as={what};v=v1;g=meta.k8s.io"}
