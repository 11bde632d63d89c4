"""The limits of a server's connections: who may connect, how often, and for how long.

Anybody who reaches the port may connect, and the kubelet's probes are to be answered meanwhile. So each
address has its own measure, and where there are too many connections the oldest gives way to the new one: who
never ends a request keeps nobody out. An address that asks too often is cut off before anything is read.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

#: How many connections an address may make a second on average. The kubelet makes less than one, a Prometheus
#: one in some seconds.
_PER_SECOND = 10.0
#: How many connections an address may make at once after a pause.
_BURST = 40.0
#: How many connections there may be in all: so many that none gives way before it could be answered, though
#: others come as fast as they are accepted.
_AT_ONCE = 256
#: How many connections there may be of one address.
_AT_ONCE_EACH = 8
#: How long a connection may last, in seconds: to send a request and to read its answer.
_LIFETIME = 10.0
#: Of how many addresses it is remembered how often they came.
_REMEMBERED = 4096


@dataclass(slots=True)
class _Allowance:
    """How many connections an address may still make."""

    #: How many at once, as of `at`.
    left: float
    #: When that was, by the event loop's time.
    at: float


class ConnectionLimits:
    """The connections of one server, the oldest first. `now` is always the event loop's time."""

    def __init__(self) -> None:
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()
        self._open: dict[asyncio.Transport, str] = {}

    def may_come(self, address: str, now: float) -> bool:
        """Whether an address may make one more connection; that counts as one."""
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

    def came(self, transport: asyncio.Transport, address: str) -> None:
        """A connection is open. It ends in time, and so do the oldest if there are too many."""
        mine = [other for other, whose in self._open.items() if whose == address]
        if len(mine) >= _AT_ONCE_EACH:
            self._cut(mine[0])
        elif len(self._open) >= _AT_ONCE:
            self._cut(next(iter(self._open)))
        self._open[transport] = address
        asyncio.get_running_loop().call_later(_LIFETIME, self._cut, transport)

    def left(self, transport: asyncio.Transport) -> None:
        """A connection has ended."""
        self._open.pop(transport, None)

    def _cut(self, transport: asyncio.Transport) -> None:
        if self._open.pop(transport, None) is not None:
            transport.abort()
