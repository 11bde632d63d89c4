"""Writing a status: only the fields that differ from the last seen status, and nothing if none differs."""

from __future__ import annotations

from twinhull.api.base import Raw
from twinhull.hulls.merge import difference
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import NotFound
from twinhull.shell.kinds import Kind
from twinhull.shell.store import Key, Store


class StatusWriter:
    """Writes the status of objects of one kind, and puts the API server's answer into the store."""

    def __init__(self, kind: Kind, cluster: Cluster, store: Store) -> None:
        self._kind = kind
        self._cluster = cluster
        self._store = store

    async def write(self, key: Key, uid: str, status: Raw) -> bool:
        """Write the differences between the whole `status` and the last seen one. Returns whether the API
        server changed anything.

        False if nothing differs, if the object is gone, or if the API server had the same already: an object
        for which the store has no room isn't fully known. Raises Conflict if the object has changed since it
        was last seen.
        """
        seen = self._store.get(self._kind, key)
        if seen is None or seen["metadata"]["uid"] != uid:
            return False
        patch = difference(seen.get("status") or {}, status)
        if not patch:
            return False
        version = seen["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version}, "status": patch}
        try:
            written = await self._cluster.patch(self._kind, *key, body, "/status")
        except NotFound:
            return False
        self._store.put(self._kind, written)
        return bool(written["metadata"]["resourceVersion"] != version)
