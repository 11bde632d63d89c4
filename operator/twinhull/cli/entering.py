"""Enters a Workload's hull for the verbs that run in one, with errors that say what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http import HTTPStatus

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.cli.missingrights import with_right
from twinhull.cli.session import Session
from twinhull.reach.entry import Entry
from twinhull.reach.errors import EntryError, ReachError
from twinhull.reach.hull import chosen_container, defaulted, ended_container, entered
from twinhull.shell.errors import ApiError, Refused
from twinhull.shell.kinds import WORKLOAD
from twinhull.view.safetext import plain

_MAY_NOT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_PAGE = "docs/reaching-in.md"


@asynccontextmanager
async def entering(session: Session, name: str, usage: Usage) -> AsyncIterator[tuple[Raw, Entry]]:
    """A Workload and the entry to its hull. Errors that happen within the context raise ClickException."""
    with explaining_errors():
        workload = await session.workload(name)
        async with entered(session.cluster, session.connection, workload, usage) as entry:
            yield workload, entry


@contextmanager
def explaining_errors() -> Iterator[None]:
    """Turn errors of a hull, of the API server and of the connection into ClickException."""
    try:
        yield
    except (ReachError, Refused) as error:
        message = str(error)
        # A guest could word its answer as the API server does, to have us tell the user to grant rights.
        if isinstance(error, Refused) or (isinstance(error, EntryError) and error.of_api_server):
            message = with_right(message, _PAGE)
        raise click.ClickException(plain(message)) from error
    except (aiohttp.ClientError, TimeoutError, ConnectionResetError) as error:
        message = f"the connection was lost: {str(error) or type(error).__name__}"
        raise click.ClickException(plain(message)) from error


def container_of(workload: Raw, entry: Entry, container: str) -> str:
    """The container to enter. If none is named and the Workload has several, a note says which one was taken.
    Raises EntryError.
    """
    chosen = chosen_container(workload, entry, container)
    if not container and (note := defaulted(workload, entry)):
        click.echo(plain(note), err=True)
    return chosen


@asynccontextmanager
async def explaining_ends(session: Session, name: str, container: str) -> AsyncIterator[None]:
    """If a request fails because the container has ended, raise an error that says so. Raises ReachError."""
    try:
        yield
    except ReachError as error:
        if isinstance(error, EntryError) and error.status in _MAY_NOT:
            raise
        with suppress(ApiError):
            workload = await session.cluster.get(WORKLOAD, session.namespace, name)
            if workload and (ended := ended_container(workload, container)):
                raise EntryError(ended) from error
        raise
