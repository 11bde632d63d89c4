"""Writing a status: what differs from the last seen one, and nothing if nothing does."""

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
        """Write what differs of the whole `status` from the last seen one. Whether anything was written.

        False if nothing differs, or the object is gone. False, too, if the API server had it already: of an
        object for which the store has no room not all is known. Raises Conflict if there is another state of
        the object than the last seen one.
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
