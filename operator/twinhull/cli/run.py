"""`twinhull run`: the operator."""

from __future__ import annotations

import asyncio
import logging
import socket
import uuid
from pathlib import Path

import click
import kopf
import yaml
from pydantic import TypeAdapter, ValidationError

from twinhull.api.registry import ClusterRegistry
from twinhull.api.workload import Isolation
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.app import Application, Settings
from twinhull.shell.lease import LeaseLost, Terms
from twinhull.shell.scope import Scope
from twinhull.shell.server import CannotServe

#: As long as the keys that come from it (RFC 5869, 4.1: a secret of less entropy would be the weaker part).
_SHORTEST_KEY = 32
#: Where a Pod finds its namespace (k8s.io/client-go/tools/clientcmd, inClusterClientConfig).
_OWN_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_FORMATS = {"text": kopf.LogFormat.FULL, "json": kopf.LogFormat.JSON}


def _address(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """A host and a port, None if the option isn't given and has no default."""
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:  # noqa: PLR2004
        raise click.BadParameter(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8081 or :8081")
    return host or "0.0.0.0", int(port)  # noqa: S104


@click.command(context_settings={"auto_envvar_prefix": "TWINHULL"})
@click.option(
    "--default-isolation",
    type=click.Choice([isolation.value for isolation in Isolation]),
    default=Isolation.CONTAINER.value,
    show_default=True,
    help="What isolationPolicy Auto means.",
)
@click.option(
    "--sandbox-runtime-class",
    metavar="NAME",
    help="The RuntimeClass of sandboxes whose Workload names none, such as gvisor or kata.",
)
@click.option(
    "--guest-image",
    metavar="IMAGE",
    help="The containerDisk with the Twinhull guest, for machines whose Workload names none.",
)
@click.option(
    "--guest-registries",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Mirrors and certificate authorities of image registries for every machine: a YAML list of "
    "{host, mirrors, caBundle}.",
)
@click.option(
    "--guest-key-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file of 32 or more random bytes, kept secret. With it, machines tell this operator how their "
    "containers are and how they ended; all replicas need the same.",
)
@click.option(
    "--namespace",
    "namespaces",
    metavar="NAME",
    multiple=True,
    help="Serve this namespace only; may be repeated. Nothing outside of it is read, so RuntimeClasses, "
    "KubeVirt and the like are taken to be there, and IsolationPolicies are not seen.",
)
@click.option(
    "--without-kubevirt",
    is_flag=True,
    help="Make no machines, and ask for nothing of KubeVirt's.",
)
@click.option(
    "--first-report",
    type=click.FloatRange(0, 60),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a new Workload may take to become Ready before its progress is written into its status.",
)
@click.option(
    "--health-address",
    default="127.0.0.1:8081",
    show_default=True,
    metavar="HOST:PORT",
    callback=_address,
    help="Where /healthz and /readyz are served; port 0 picks a free one.",
)
@click.option(
    "--metrics-address",
    metavar="HOST:PORT",
    callback=_address,
    help="Where /metrics is served for Prometheus, such as :8080 in a Pod; without it, nowhere.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    help="How many Workloads are worked on at a time.",
)
@click.option(
    "--leader-elect",
    is_flag=True,
    help="Of several operators with the same Lease only one acts; the others are ready to take over.",
)
@click.option(
    "--lease-namespace",
    metavar="NAME",
    help="The namespace of the Lease; in a Pod, the Pod's own if this isn't given.",
)
@click.option("--lease-name", default="twinhull", show_default=True, metavar="NAME", help="The Lease's name.")
@click.option(
    "--lease-seconds",
    type=click.FloatRange(3, 300),
    default=15.0,
    show_default=True,
    metavar="SECONDS",
    help="How long others wait for one that falls silent. One that ends in good order hands over at once.",
)
@click.option("--log-format", type=click.Choice(list(_FORMATS)), default="text", show_default=True)
@click.option("--verbose", is_flag=True, help="Log in detail.")
def run(  # noqa: PLR0913, PLR0917  one parameter an option
    default_isolation: str,
    sandbox_runtime_class: str | None,
    guest_image: str | None,
    guest_registries: Path | None,
    guest_key_file: Path | None,
    namespaces: tuple[str, ...],
    without_kubevirt: bool,  # noqa: FBT001
    first_report: float,
    health_address: tuple[str, int],
    metrics_address: tuple[str, int] | None,
    workers: int,
    leader_elect: bool,  # noqa: FBT001
    lease_namespace: str | None,
    lease_name: str,
    lease_seconds: float,
    log_format: str,
    verbose: bool,  # noqa: FBT001
) -> None:
    """Run the operator, in a cluster or against the current kubeconfig, until SIGTERM.

    In a Pod it uses the Pod's ServiceAccount; elsewhere $KUBECONFIG or ~/.kube/config. Every option can be
    given as an environment variable too, such as TWINHULL_GUEST_IMAGE.
    """
    kopf.configure(verbose=verbose, log_format=_FORMATS[log_format])
    logging.getLogger("kopf").setLevel(logging.DEBUG if verbose else logging.WARNING)
    defaults = OperatorDefaults(
        Isolation(default_isolation),
        sandbox_runtime_class,
        guest_image,
        first_report,
        _registries(guest_registries) if guest_registries else (),
        _key(guest_key_file) if guest_key_file else None,
    )
    lease = _terms(lease_namespace, lease_name, lease_seconds) if leader_elect else None
    scope = Scope(tuple(dict.fromkeys(namespaces)), machines=not without_kubevirt)
    try:
        settings = Settings(
            defaults, *health_address, workers, lease=lease, scope=scope, metrics=metrics_address
        )
        asyncio.run(Application(settings).run())
    except LeaseLost as error:
        raise click.ClickException(f"{error}: this operator ends, and is to be started again") from error
    except (kopf.LoginError, CannotServe) as error:
        raise click.ClickException(str(error)) from error


def _terms(namespace: str | None, name: str, seconds: float) -> Terms:
    """The Lease's. Raises UsageError when its namespace can't be known."""
    if namespace is None:
        try:
            namespace = _OWN_NAMESPACE.read_text(encoding="utf-8").strip()
        except OSError:
            raise click.UsageError(
                "this isn't a Pod with a ServiceAccount, so --leader-elect needs --lease-namespace"
            ) from None
    return Terms(namespace, name, f"{socket.gethostname()}_{uuid.uuid4()}", seconds)


def _key(path: Path) -> bytes:
    """The secret that guests' certificates come from. Raises BadParameter when it can't be a good one."""
    try:
        key = path.read_bytes()
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint="--guest-key-file") from error
    if len(key) < _SHORTEST_KEY:
        raise click.BadParameter(
            f"{path} has {len(key)} bytes, fewer than {_SHORTEST_KEY}: head -c 32 /dev/urandom > {path}",
            param_hint="--guest-key-file",
        )
    return key


def _registries(path: Path) -> tuple[ClusterRegistry, ...]:
    """The machines' registries. Raises BadParameter that says where the file is wrong."""
    try:
        listed = TypeAdapter(tuple[ClusterRegistry, ...]).validate_python(
            yaml.safe_load(path.read_text(encoding="utf-8")) or []
        )
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint="--guest-registries") from error
    except yaml.YAMLError as error:
        raise click.BadParameter(f"{path} isn't YAML: {error}", param_hint="--guest-registries") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, found['loc'])) or 'the file'}: {found['msg']}" for found in error.errors()
        )
        raise click.BadParameter(f"{path}: {wrong}", param_hint="--guest-registries") from error
    return listed
