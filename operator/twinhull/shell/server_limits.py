"""The limits of a server's connections: who may connect, how often, and for how long.

Anybody who reaches the port may connect, and the kubelet's probes must be answered all the same. So each
address has its own limit. If there are too many connections, a new one takes the place of the oldest: a
client that never ends its request keeps nobody out. An address that connects too often is cut off before
anything is read.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

#: How many connections a second an address may make on average. The kubelet makes less than one, and
#: Prometheus one every few seconds.
_PER_SECOND = 10.0
#: How many connections an address may make at once after a pause.
_BURST = 40.0
#: The most connections in all. There are so many that each can be answered before it has to give way, even if
#: others come as fast as they are accepted.
_AT_ONCE = 256
#: The most connections of one address.
_AT_ONCE_EACH = 8
#: How many seconds a connection may last, for the request and its answer.
_LIFETIME = 10.0
#: How many addresses' allowances are remembered.
_REMEMBERED = 4096


@dataclass(slots=True)
class _Allowance:
    """How many connections an address may still make."""

    #: How many connections, as of `at`.
    left: float
    #: The event loop's time for which `left` holds.
    at: float


class ConnectionLimits:
    """The connections of one server, the oldest first. `now` is always the event loop's time."""

    def __init__(self) -> None:
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()
        self._open: dict[asyncio.Transport, str] = {}

    def may_connect(self, address: str, now: float) -> bool:
        """Whether an address may make one more connection. Each call counts as one connection."""
        allowance = self._allowances.setdefault(address, _Allowance(_BURST, now))
        self._allowances.move_to_end(address)
        if len(self._allowances) > _REMEMBERED:
            self._allowances.popitem(last=False)
        allowance.left = min(_BURST, allowance.left + (now - allowance.at) * _PER_SECOND)
        allowance.at = now
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    def opened(self, transport: asyncio.Transport, address: str) -> None:
        """Note an open connection. It is cut off after its lifetime. If there are too many, the oldest is cut
        off.
        """
        mine = [other for other, whose in self._open.items() if whose == address]
        if len(mine) >= _AT_ONCE_EACH:
            self._cut(mine[0])
        elif len(self._open) >= _AT_ONCE:
            self._cut(next(iter(self._open)))
        self._open[transport] = address
        asyncio.get_running_loop().call_later(_LIFETIME, self._cut, transport)

    def closed(self, transport: asyncio.Transport) -> None:
        """Note that a connection has ended."""
        self._open.pop(transport, None)

    def _cut(self, transport: asyncio.Transport) -> None:
        if self._open.pop(transport, None) is not None:
            transport.abort()
