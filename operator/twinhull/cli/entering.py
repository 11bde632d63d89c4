"""The way into a Workload's hull for the verbs that need one, with errors that say what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import click

from twinhull.api.accessrequest import Usage
from twinhull.api.base import Raw
from twinhull.cli.session import Session
from twinhull.reach.entry import Entry
from twinhull.reach.errors import ReachError
from twinhull.reach.hull import entered
from twinhull.view.safetext import plain


@asynccontextmanager
async def entering(session: Session, name: str, usage: Usage) -> AsyncIterator[tuple[Raw, Entry]]:
    """A Workload and the entry to its hull. What goes wrong there raises ClickException."""
    workload = await session.workload(name)
    with told():
        async with entered(session.cluster, session.connection, workload, usage) as entry:
            yield workload, entry


@contextmanager
def told() -> Iterator[None]:
    """Turn what goes wrong in a hull into ClickException."""
    try:
        yield
    except ReachError as error:
        raise click.ClickException(plain(str(error))) from error
    except (aiohttp.ClientError, TimeoutError, ConnectionResetError) as error:
        message = f"the connection was lost: {str(error) or type(error).__name__}"
        raise click.ClickException(plain(message)) from error
