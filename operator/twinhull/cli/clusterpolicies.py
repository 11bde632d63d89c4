"""Reads the IsolationPolicies of a cluster, and the other objects there on which the isolation of Workloads
depends: namespaces, RuntimeClasses, instancetypes and preferences.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import click

from twinhull.api.base import Raw
from twinhull.cli import ending
from twinhull.cli.messages import note
from twinhull.cli.personallogin import PersonalLogin
from twinhull.cli.policyfiles import Rules
from twinhull.core.isolation import precedence
from twinhull.core.isolation.policy_reading import read as policy_of
from twinhull.core.references import KindAndName, Reference
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import PATIENT_TIMEOUT, Connection
from twinhull.shell.errors import ApiError, Refused
from twinhull.shell.kinds import BY_NAME, ISOLATION_POLICY, NAMESPACE, RUNTIME_CLASS
from twinhull.shell.kopf_process.credentials import LoginError


def namespace(login: PersonalLogin) -> str:
    """The namespace of the kubeconfig's context."""
    try:
        return login.credentials().default_namespace or "default"
    except LoginError:  # `read` says so
        return "default"


def read(namespaces: Iterable[str], login: PersonalLogin) -> Rules:
    """The policies of a cluster, its RuntimeClasses, and the labels of namespaces.

    Raises ClickException when it can't be asked.
    """
    return ending.run(_read(namespaces, login))


async def _read(names: Iterable[str], login: PersonalLogin) -> Rules:
    connection = Connection(login.of_connection(), timeout=PATIENT_TIMEOUT)
    cluster = Cluster(connection)
    try:
        listed = await cluster.list(ISOLATION_POLICY)
        if listed is None:
            note("this cluster has no IsolationPolicies: their CustomResourceDefinition isn't installed")
        namespaces = {}
        for name in sorted(set(names)):
            if namespace := await cluster.get(NAMESPACE, "", name):
                namespaces[name] = namespace["metadata"].get("labels") or {}
        runtime_classes = await _runtime_classes(cluster)
    except (ApiError, LoginError) as error:
        raise click.ClickException(f"{error} (or give the policies as files: --policies)") from error
    finally:
        await connection.close()
    return Rules(precedence(map(policy_of, listed[0] if listed else ())), namespaces, runtime_classes)


def parts(
    namespace: str, references: Iterable[Reference], login: PersonalLogin
) -> dict[KindAndName, Raw | None]:
    """The instancetypes and preferences of a namespace that `references` name, None for a missing one. Those
    that the user may not read are left out. Raises ClickException when the cluster can't be asked.
    """
    return ending.run(_parts(namespace, references, login))


async def _parts(
    namespace: str, references: Iterable[Reference], login: PersonalLogin
) -> dict[KindAndName, Raw | None]:
    connection = Connection(login.of_connection(), timeout=PATIENT_TIMEOUT)
    cluster, found = Cluster(connection), {}
    try:
        for reference in references:
            with suppress(Refused):
                found[reference.target] = await cluster.get(
                    BY_NAME[reference.kind], namespace, reference.name
                )
    except (ApiError, LoginError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        await connection.close()
    return found


async def _runtime_classes(cluster: Cluster) -> frozenset[str] | None:
    """The names of the RuntimeClasses, None if the user may not list them."""
    try:
        listed = await cluster.list(RUNTIME_CLASS)
    except Refused:
        return None
    return frozenset(obj["metadata"]["name"] for obj in listed[0]) if listed else None
