"""The runner: kopf starts the operator, ends it on a signal, and does nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import signal
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

import kopf

from twinhull.shell.connection import TIMEOUT
from twinhull.shell.kopf_process.credentials import Credentials, login
from twinhull.shell.kopf_process.private import Identity
from twinhull.shell.reconnect_delays import reconnect_delays

#: How long after a log-in kopf may have another one, in seconds.
_RELOGIN_AFTER = 5.0


def end_on_signals(ended: asyncio.Event) -> None:
    """Set `ended` at SIGTERM or SIGINT, until kopf, which `run` starts, handles them in its own way."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)


async def run(
    start: Callable[[], Awaitable[None]],
    stop: Callable[[], Awaitable[None]],
    ended: asyncio.Event,
    shutdown_timeout: float,
) -> None:
    """Await `start`, and go on until SIGTERM or SIGINT comes or `ended` is set; then await `stop`.

    `stop` isn't awaited if `start` fails. `shutdown_timeout` is how long `stop` takes at most, in seconds.
    Raises LoginError without credentials, and what `start` raises.
    """

    async def on_startup(**_: object) -> None:
        await start()

    async def on_cleanup(**_: object) -> None:
        await stop()

    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_LoginForKopf().login)
    kopf.on.startup(registry=registry, errors=kopf.ErrorsMode.PERMANENT)(on_startup)
    kopf.on.cleanup(registry=registry)(on_cleanup)
    await kopf.operator(
        registry=registry,
        settings=_settings(shutdown_timeout),
        # By itself it asks for the user's name, and an image's user may have none.
        identity=Identity("twinhull"),
        clusterwide=True,
        standalone=True,
        stop_flag=ended,
    )


class _LoginForKopf:
    """Logs kopf in, as often as it is answered 401.

    kopf ends the process when the very credentials that were refused come back, as a kubeconfig's do while
    the API server is confused. Their expiration tells one log-in from another (kopf's Vault compares whole
    credentials), and a wait keeps kopf from asking without a pause.
    """

    def __init__(self) -> None:
        self._last = -_RELOGIN_AFTER

    async def login(self, **_: object) -> Credentials:
        """Other credentials than the last time, if only by their expiration."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._last + _RELOGIN_AFTER - loop.time()))
        self._last = loop.time()
        credentials = await asyncio.to_thread(login)
        return dataclasses.replace(credentials, expiration=datetime.now(UTC) + timedelta(days=365))


def _settings(shutdown_timeout: float) -> kopf.OperatorSettings:
    """Kopf as a mere runner: it watches nothing, posts nothing, and never gives up on looking around."""
    settings = kopf.OperatorSettings()
    # An answer that kopf doesn't know ends it, and may leave it waiting for a log-in for ever.
    settings.process.ultimate_exiting_timeout = shutdown_timeout + 5
    settings.posting.enabled = False
    settings.networking.request_timeout = TIMEOUT.total
    settings.networking.connect_timeout = TIMEOUT.sock_connect
    settings.networking.error_backoffs = _EndlessDelays()
    settings.scanning.disabled = True
    return settings


class _EndlessDelays:
    """An endless iterable: kopf ends the process when its backoffs do."""

    def __iter__(self) -> Iterator[float]:
        return reconnect_delays()
