"""Turns the options into the settings of the operator's process."""

from __future__ import annotations

import socket
import uuid
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from twinhull.api.isolation import Isolation
from twinhull.api.registry import ClusterRegistry
from twinhull.cli import yamlfile
from twinhull.cli.options import OperatorOptions
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell import tracing
from twinhull.shell.lease_terms import Terms
from twinhull.shell.scope import Scope
from twinhull.shell.settings import Settings

#: In bytes: as long as the keys that are derived from it (RFC 5869, 4.1: a secret with less entropy would be
#: the weaker part).
_SHORTEST_KEY = 32
#: The file with a Pod's own namespace (k8s.io/client-go/tools/clientcmd, inClusterClientConfig).
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def settings(options: OperatorOptions) -> Settings:
    """The settings of the process. Raises UsageError or BadParameter, which names the wrong option."""
    if options.traces:
        try:
            tracing.exporter()
        except tracing.CannotTrace as error:
            raise click.BadParameter(str(error), param_hint="--traces") from error
    if options.guest_image_pull_secret and not options.guest_image:
        raise click.UsageError(
            "--guest-image-pull-secret needs --guest-image, the only image that is pulled with it"
        )
    defaults = OperatorDefaults(
        Isolation(options.default_isolation),
        options.sandbox_runtime_class,
        options.guest_image,
        options.guest_image_pull_secret,
        options.first_report,
        _registries(options.guest_registries) if options.guest_registries else (),
        _key(options.guest_key_file) if options.guest_key_file else None,
        node_addresses=bool(options.guest_key_file),
    )
    return Settings(
        defaults,
        *options.health_address,
        options.workers,
        lease=_terms(options) if options.leader_elect else None,
        scope=Scope(
            tuple(dict.fromkeys(options.namespaces)),
            machines=not options.without_kubevirt,
            disks=not options.without_disks,
            guest_access=not options.without_guest_access,
        ),
        metrics=options.metrics_address,
    )


def _terms(options: OperatorOptions) -> Terms:
    namespace = options.lease_namespace
    if namespace is None:
        try:
            namespace = _OWN_NAMESPACE.read_text(encoding="utf-8").strip()
        except OSError:
            raise click.UsageError(
                "--leader-elect needs --lease-namespace outside of a Pod with a ServiceAccount: set it"
            ) from None
    holder = f"{socket.gethostname()}_{uuid.uuid4()}"
    return Terms(namespace, options.lease_name, holder, options.lease_seconds)


def _key(path: Path) -> bytes:
    """The secret from which guests' certificates are derived. Raises BadParameter if it is too short."""
    try:
        key = path.read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint="--guest-key-file") from error
    if len(key) < _SHORTEST_KEY:
        raise click.BadParameter(
            f"{path} has {len(key)} bytes and needs {_SHORTEST_KEY} or more: make a key with "
            "head -c 32 /dev/urandom > key",
            param_hint="--guest-key-file",
        )
    return key


def _registries(path: Path) -> tuple[ClusterRegistry, ...]:
    """The machines' registries. Raises BadParameter, which names the wrong field of the file."""
    content = yamlfile.read(path, "--guest-registries") or []
    try:
        return TypeAdapter(tuple[ClusterRegistry, ...]).validate_python(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}" for fault in error.errors()
        )
        raise click.BadParameter(f"{path}: {wrong}", param_hint="--guest-registries") from error
