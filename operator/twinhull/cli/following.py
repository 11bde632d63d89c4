"""Follows objects: all that exist, and each change, over lost connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from twinhull.api.base import Raw
from twinhull.cli.clusterview import whole
from twinhull.cli.reconnecting import Outages, Pauses, reconnecting
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import NotFound, Refused, Unreachable
from twinhull.shell.kinds import Kind

#: How often objects are read if the person may not watch them, in seconds.
_ASKS = 2.0
#: The parts of objects that are kept, by namespace and name.
_Known: TypeAlias = dict[tuple[str, str], Raw]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an object."""

    #: The object as it is now. If it is gone, as it was last, or the part of it that was kept.
    obj: Raw
    #: Whether it is gone.
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows the objects of a kind by a list and a watch from then on, or one object by its name."""

    cluster: Cluster
    kind: Kind
    #: Where the objects are; None for all namespaces.
    namespace: str | None
    #: Is told of lost connections and of answers after them.
    outages: Outages
    #: The name of the one object, empty for all of the kind.
    name: str = ""
    #: Whether an object matters. Other objects are neither given nor kept.
    matters: Callable[[Raw], bool] = field(default=lambda _: True)
    #: The part of an object that is kept until it changes, and is given if the object is gone after an
    #: outage: at least its namespace, name, uid and resourceVersion.
    kept: Callable[[Raw], Raw] = field(default=lambda obj: obj)

    async def changes(self) -> AsyncGenerator[list[Change], None]:
        """First all objects, then each change, without end.

        After a lost connection, or if the API server has forgotten which changes came next, all objects are
        read anew, and the differences are given, deletions among them. Of several changes in a row, only the
        last may be given. Raises ApiError for errors that don't pass, such as a missing right to read the
        objects.
        """
        known: _Known = {}
        is_first = True
        async with aclosing(reconnecting(lambda: self._until_lost(known), self.outages)) as batches:
            async for changes in batches:
                if changes or is_first:
                    yield changes
                is_first = False

    async def _until_lost(self, known: _Known) -> AsyncGenerator[list[Change], None]:
        """The differences from the known objects, then the changes until the watch is lost."""
        objects, version = await self._read()
        yield self._differences(known, objects)
        del objects  # only a part of them may be kept
        loop, pauses = asyncio.get_running_loop(), Pauses()
        while version:
            began_at = loop.time()
            try:
                async for change, obj in self.cluster.watch(
                    self.kind, version, self.namespace, name=self.name
                ):
                    version = str(obj["metadata"]["resourceVersion"])
                    if change != "BOOKMARK" and self.matters(obj):
                        yield [self._recorded(known, whole(self.kind, obj), gone=change == "DELETED")]
            except Refused:  # a person who may read it may not be allowed to watch it
                break
            except Unreachable as error:
                if isinstance(error.__cause__, TimeoutError):
                    return  # without bookmarks, as for Events, a quiet watch times out: read anew
                raise
            await asyncio.sleep(pauses.after(loop.time() - began_at))
        await asyncio.sleep(_ASKS)

    async def _read(self) -> tuple[list[Raw], str]:
        """The objects, and the resourceVersion from which they can be watched; empty if the one object
        doesn't exist.
        """
        if self.name:
            obj = await self.cluster.get(self.kind, self.namespace or "", self.name)
            if obj is None:
                return [], ""
            return [whole(self.kind, obj)], str(obj["metadata"]["resourceVersion"])
        objects: list[Raw] = []

        def take(some: list[Raw]) -> None:
            objects.extend(whole(self.kind, one) for one in some if self.matters(one))

        version = await self.cluster.read_all(self.kind, take)
        if version is None:
            raise NotFound(f"the cluster has no {self.kind.name}s: its API server doesn't serve them")
        return objects, version

    def _differences(self, known: _Known, objects: list[Raw]) -> list[Change]:
        """The changes from the known objects to the given ones, which are the known ones from now on."""
        present = {_key(obj): obj for obj in objects}
        gone = [obj for key, obj in known.items() if _uid(obj) != _uid(present.get(key))]
        new = [obj for key, obj in present.items() if _version(obj) != _version(known.get(key))]
        known.clear()
        known.update({key: self.kept(obj) for key, obj in present.items()})
        return [*(Change(obj, gone=True) for obj in gone), *map(Change, new)]

    def _recorded(self, known: _Known, obj: Raw, *, gone: bool) -> Change:
        """The change of one object, which is a known object from now on."""
        if gone:
            known.pop(_key(obj), None)
        else:
            known[_key(obj)] = self.kept(obj)
        return Change(obj, gone)


def identity(obj: Raw) -> Raw:
    """The smallest part of an object that may be kept."""
    metadata = obj["metadata"]
    return {"metadata": {key: metadata.get(key) for key in ("namespace", "name", "uid", "resourceVersion")}}


def _key(obj: Raw) -> tuple[str, str]:
    metadata = obj["metadata"]
    return str(metadata.get("namespace") or ""), str(metadata["name"])


def _uid(obj: Raw | None) -> str | None:
    return obj["metadata"].get("uid") if obj else None


def _version(obj: Raw | None) -> str | None:
    return obj["metadata"]["resourceVersion"] if obj else None
