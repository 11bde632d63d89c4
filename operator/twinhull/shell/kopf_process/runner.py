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

#: The least seconds between two log-ins of kopf.
_RELOGIN_AFTER = 5.0


def end_on_signals(ended: asyncio.Event) -> None:
    """Set `ended` at SIGTERM or SIGINT, until kopf, which `run` starts, handles these signals itself."""
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

    `stop` isn't awaited if `start` fails. `shutdown_timeout` is how many seconds `stop` takes at most. Raises
    LoginError without credentials, and the exception that `start` raises.
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
        # kopf's default identity has the user's name, and the user of an image may have none.
        identity=Identity("twinhull"),
        clusterwide=True,
        standalone=True,
        stop_flag=ended,
    )


class _LoginForKopf:
    """Logs kopf in, as often as the API server answers it with 401.

    kopf ends the process if it gets exactly the credentials that were refused. A kubeconfig gives the same
    ones each time, even while the API server refuses them by mistake. So each log-in has another expiration,
    as kopf compares whole credentials, and a wait keeps kopf from asking without a pause.
    """

    def __init__(self) -> None:
        self._last = -_RELOGIN_AFTER

    async def login(self, **_: object) -> Credentials:
        """Credentials that differ from those of the last log-in, at least by their expiration."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._last + _RELOGIN_AFTER - loop.time()))
        self._last = loop.time()
        credentials = await asyncio.to_thread(login)
        return dataclasses.replace(credentials, expiration=datetime.now(UTC) + timedelta(days=365))


def _settings(shutdown_timeout: float) -> kopf.OperatorSettings:
    """Settings with which kopf watches nothing, posts nothing, and never gives up on reading the API's
    resources.
    """
    settings = kopf.OperatorSettings()
    # kopf ends after an answer that it doesn't know, and may then wait for a log-in for ever.
    settings.process.ultimate_exiting_timeout = shutdown_timeout + 5
    settings.posting.enabled = False
    settings.networking.request_timeout = TIMEOUT.total
    settings.networking.connect_timeout = TIMEOUT.sock_connect
    settings.networking.error_backoffs = _EndlessDelays()
    settings.scanning.disabled = True
    return settings


class _EndlessDelays:
    """Delays without end: kopf ends the process when its backoffs are used up."""

    def __iter__(self) -> Iterator[float]:
        return reconnect_delays()
