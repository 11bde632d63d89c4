"""What a container that serves HTTP answers."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.controlplane.polling import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: How long an answer may take: seconds, of an emulated machine beside others.
PATIENCE = 180.0


def get(connection: http.client.HTTPConnection, path: str, query: Mapping[str, str]) -> bytes:
    """The content of a path, asked by a connection that is closed then.

    Raises ConnectionError for one that was taken and then refused, OSError, AssertionError for any status
    but 200.
    """
    try:
        connection.request("GET", path + (f"?{urlencode(query)}" if query else ""))
        response = connection.getresponse()
        content = response.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"{connection.host}:{connection.port}{path}: {error!r}") from error
    finally:
        connection.close()
    assert response.status == 200, f"{path}: {response.status} {content!r}"
    return content


def get_once_it_listens(
    address: str,
    port: int,
    path: str,
    query: Mapping[str, str],
    alive: Callable[[], None] | None = None,
) -> bytes:
    """The content of a path. A container without a readiness probe is ready as soon as it runs, which is
    before it listens.

    `alive` raises when nobody will listen any more. Raises NeverHappened after twice PATIENCE.
    """

    def answer() -> tuple[bytes]:
        return (get(http.client.HTTPConnection(address, port, timeout=PATIENCE), path, query),)

    return eventually(answer, 2 * PATIENCE, f"{address}:{port}{path} answers", alive=alive)[0]
