"""The options of `twinhull run`: one list for flags, environment variables and the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from click.core import ParameterSource

from twinhull.cli import configfile
from twinhull.cli.operatoroptions import ISOLATIONS
from twinhull.cli.values import NAMESPACE, OBJECT, Seconds


@dataclass(frozen=True)
class OperatorOptions:
    """The chosen values: a field for each of OPTIONS except --config, named as click names it."""

    default_isolation: str
    sandbox_runtime_class: str | None
    guest_image: str | None
    guest_image_pull_secret: str | None
    guest_registries: Path | None
    guest_key_file: Path | None
    namespaces: tuple[str, ...]
    without_kubevirt: bool
    without_disks: bool
    without_guest_access: bool
    first_report: float
    health_address: tuple[str, int]
    metrics_address: tuple[str, int] | None
    traces: bool
    workers: int
    leader_elect: bool
    lease_namespace: str | None
    lease_name: str
    lease_seconds: float
    log_format: str
    verbose: bool


def _address(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """A host and a port, None if the option isn't given and has no default."""
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:  # noqa: PLR2004
        raise click.BadParameter(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8081 or :8081")
    return host or "0.0.0.0", int(port)  # noqa: S104


def _file(context: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Make the file's values the defaults of the flags and variables that aren't given."""
    if path is not None:
        names = OperatorOptions.__dataclass_fields__
        known = [option for option in context.command.params if option.name in names]
        context.default_map = configfile.read(context, path, known)


class _Option(click.Option):
    """An option whose errors name the environment variable if the value came from one."""

    def value_from_envvar(self, ctx: click.Context) -> str | Sequence[str] | None:
        variable = configfile.variable(self)
        if self.multiple and not os.environ.get(variable, "-").strip():
            raise click.BadParameter(f"{variable} is empty: unset it, or give it a value", ctx, self)
        value: str | Sequence[str] | None = super().value_from_envvar(ctx)
        return value

    def get_error_hint(self, ctx: click.Context | None) -> str:
        hint = super().get_error_hint(ctx)
        if ctx is None or ctx.get_parameter_source(str(self.name)) is not ParameterSource.ENVIRONMENT:
            return hint
        return f"{hint} ({configfile.variable(self)})"


_option = partial(click.option, cls=_Option)

OPTIONS = [
    _option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_file,
        help="A YAML file that sets any of the other options. Flags and environment variables override it.",
    ),
    _option(
        "--default-isolation",
        type=click.Choice(ISOLATIONS),
        default=ISOLATIONS[0],
        show_default=True,
        help="The isolation of Workloads with isolationPolicy Auto, unless an IsolationPolicy has a default "
        "for them.",
    ),
    _option(
        "--sandbox-runtime-class",
        metavar="NAME",
        help="The RuntimeClass, such as gvisor or kata, of sandboxes for which neither the Workload nor an "
        "IsolationPolicy names one.",
    ),
    _option(
        "--guest-image",
        metavar="IMAGE",
        help="The containerDisk with the Twinhull guest, for machines for which neither the Workload nor an "
        "IsolationPolicy names one.",
    ),
    _option(
        "--guest-image-pull-secret",
        type=OBJECT,
        metavar="NAME",
        help="The Secret with which nodes pull --guest-image from a registry that asks for credentials. It "
        "must exist in each Workload's namespace. Other guest images are pulled without it.",
    ),
    _option(
        "--guest-registries",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A file with mirrors and certificate authorities of image registries, for every machine. It is "
        "a YAML list of {host, mirrors, caBundle}.",
    ),
    _option(
        "--guest-key-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A secret file of 32 or more random bytes. With it, the operator asks each machine for the "
        "state and the exit codes of its containers. All replicas need the same file.",
    ),
    _option(
        "--namespace",
        "namespaces",
        type=NAMESPACE,
        metavar="NAME",
        multiple=True,
        help="Serve this namespace only. It may be repeated. The operator then reads nothing outside of "
        "these namespaces: it assumes that RuntimeClasses, KubeVirt and the like exist, and doesn't see "
        "IsolationPolicies.",
    ),
    _option(
        "--without-kubevirt",
        is_flag=True,
        help="Make no machines. The operator then neither reads nor writes objects of KubeVirt.",
    ),
    _option(
        "--without-disks",
        is_flag=True,
        help="Make no disks. The operator then neither reads nor writes objects of CDI, and machines boot "
        "only disks that exist already.",
    ),
    _option(
        "--without-guest-access",
        is_flag=True,
        help="Let nobody into machines. The operator then neither reads nor answers AccessRequests.",
    ),
    _option(
        "--first-report",
        type=Seconds(0, 60),
        default=5.0,
        show_default=True,
        metavar="SECONDS",
        help="How long the operator waits for a new Workload to become Ready before it writes the progress "
        "into the status.",
    ),
    _option(
        "--health-address",
        default="127.0.0.1:8081",
        show_default=True,
        metavar="HOST:PORT",
        callback=_address,
        help="The address at which /healthz and /readyz are served. Port 0 picks a free port.",
    ),
    _option(
        "--metrics-address",
        metavar="HOST:PORT",
        callback=_address,
        help="The address at which /metrics is served for Prometheus, such as :8080 in a Pod. Without it, "
        "/metrics isn't served.",
    ),
    _option(
        "--traces",
        is_flag=True,
        help="Send traces by OTLP over HTTP. OpenTelemetry's own environment variables, such as "
        "OTEL_EXPORTER_OTLP_ENDPOINT, set the receiver.",
    ),
    _option(
        "--workers",
        type=click.IntRange(1, 256),
        default=16,
        show_default=True,
        help="How many Workloads the operator works on at a time. At most half of them are of one namespace.",
    ),
    _option(
        "--leader-elect",
        is_flag=True,
        help="Elect a leader among the operators that have the same Lease. Only the leader acts. The others "
        "are standbys, which follow the cluster and can take over.",
    ),
    _option(
        "--lease-namespace",
        type=NAMESPACE,
        metavar="NAME",
        help="The namespace of the Lease. In a Pod, the default is the Pod's own namespace.",
    ),
    _option(
        "--lease-name",
        type=OBJECT,
        default="twinhull",
        show_default=True,
        metavar="NAME",
        help="The name of the Lease.",
    ),
    _option(
        "--lease-seconds",
        type=Seconds(3, 300),
        default=15.0,
        show_default=True,
        metavar="SECONDS",
        help="How long a standby waits before it takes the Lease of a leader that no longer renews it. A "
        "leader that is shut down releases the Lease at once.",
    ),
    _option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="The format of the log's lines.",
    ),
    _option("--verbose", is_flag=True, help="Log debug messages, too."),
]


def options(function: Callable[..., None]) -> Callable[..., None]:
    """A command's function with all of OPTIONS, which it takes as OperatorOptions(**chosen)."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function
