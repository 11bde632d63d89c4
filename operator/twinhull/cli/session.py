"""A person's session with a cluster: its connection and namespace, and errors that say what to do."""

from __future__ import annotations

import difflib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import click
from aiohttp import ClientConnectorError

from twinhull.api.base import Raw
from twinhull.cli.missingrights import with_right
from twinhull.cli.personallogin import PersonalLogin
from twinhull.cli.targets import Target, target_options
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import PATIENT_TIMEOUT, Connection
from twinhull.shell.errors import ApiError, NotFound, Refused, Unauthorized, Unreachable
from twinhull.shell.kinds import WORKLOAD, Kind
from twinhull.shell.kopf_process.credentials import LoginError, place
from twinhull.shell.scope import Scope
from twinhull.view.safetext import plain

__all__ = ["Session", "Target", "explained", "not_served", "session", "target_options"]


def not_served(kind: Kind = WORKLOAD) -> str:
    """The error if a cluster doesn't serve one of our kinds, with what to do."""
    plural = f"{kind.name[:-1]}ies" if kind.name.endswith("y") else f"{kind.name}s"
    return (
        f"the cluster has no {plural}: its API server doesn't serve them. Install the chart, or see "
        "`twinhull preflight`"
    )


@dataclass(frozen=True, slots=True)
class Session:
    """A verb's connection to a cluster."""

    #: Requests on objects. Lists are of the namespace only.
    cluster: Cluster
    #: The sockets, for requests that aren't about objects.
    connection: Connection
    #: The namespace that the options or the kubeconfig name.
    namespace: str

    @property
    def everywhere(self) -> Cluster:
        """Requests on objects. Lists are of all namespaces."""
        return Cluster(self.connection)

    async def workload(self, name: str) -> Raw:
        """A Workload of the namespace. Raises ClickException if it doesn't exist, with the name that may be
        meant, or if the cluster has no Workloads at all.
        """
        if workload := await self.cluster.get(WORKLOAD, self.namespace, name):
            return workload
        try:
            listed = await self.cluster.list(WORKLOAD)
        except Refused:  # a person who may get Workloads may not be allowed to list them
            listed = [], ""
        if listed is None:
            raise click.ClickException(not_served())
        names = [obj["metadata"]["name"] for obj in listed[0]]
        meant = difflib.get_close_matches(name, names, 1)
        hint = (
            f". Did you mean {meant[0]}?" if meant else ": `twinhull list -A` shows those of all namespaces"
        )
        raise click.ClickException(f"there is no Workload {name} in namespace {self.namespace}{hint}")


@asynccontextmanager
async def session(target: Target, login: PersonalLogin | None = None) -> AsyncIterator[Session]:
    """A session with the cluster. In it, errors of the API server and of the login raise ClickException."""
    login = login or PersonalLogin(target)
    with explained(target):
        credentials = login.credentials()
        # Each forwarded connection has a socket of its own.
        connection = Connection(login.of_connection(), pool_size=0, timeout=PATIENT_TIMEOUT)
        namespace = target.namespace or credentials.default_namespace or "default"
        try:
            cluster = Cluster(connection, scope=Scope(namespaces=(namespace,)))
            yield Session(cluster, connection, namespace)
        finally:
            await connection.close()


@contextmanager
def explained(target: Target) -> Iterator[None]:
    """Turn refusals by the API server, and failures to reach it, into ClickException with what to do."""
    where = place(target.kubeconfig)
    try:
        yield
    except Unreachable as error:
        raise click.ClickException(
            f"the API server that the kubeconfig {where} names doesn't answer: {plain(_why(error))}. See "
            "whether it runs, and whether `kubectl version` reaches it; if it doesn't, correct the server's "
            "address or its certificate in the kubeconfig"
        ) from error
    except Unauthorized as error:
        if isinstance(error.__cause__, LoginError):
            raise click.ClickException(plain(str(error))) from error
        raise click.ClickException(
            f"the API server doesn't accept the credentials in the kubeconfig {where}: {plain(str(error))}. "
            "The token or client certificate may have expired: get new ones from whoever runs the cluster"
        ) from error
    except NotFound as error:
        message = f"{plain(str(error))} (`twinhull preflight` says what the cluster lacks)"
        raise click.ClickException(message) from error
    except Refused as error:
        raise click.ClickException(plain(with_right(str(error)))) from error
    except (ApiError, LoginError) as error:
        raise click.ClickException(plain(str(error))) from error


def _why(error: Unreachable) -> str:
    """Why there was no answer. If there was no connection, this is the operating system's reason, which
    aiohttp has in brackets after its own words.
    """
    cause = error.__cause__
    if not isinstance(cause, ClientConnectorError):
        return str(error)
    failure, where = cause.os_error, f"{cause.host}:{cause.port}"
    if isinstance(failure, socket.gaierror):
        return f"{where}: {failure.strerror or failure}"
    if isinstance(failure, ssl.SSLError) or failure.errno is None or failure.errno not in errno.errorcode:
        return str(error)
    return f"{where}: {os.strerror(failure.errno).lower()}"
