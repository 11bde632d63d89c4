"""What `twinhull run` can be told, by flags, environment variables and a file: one list for all three."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from click.core import ParameterSource

from twinhull.api.isolation import Isolation
from twinhull.cli import configfile
from twinhull.cli.values import NAMESPACE, OBJECT, Seconds
from twinhull.shell.process.loglines import FORMATS


@dataclass(frozen=True)
class Options:
    """What was chosen: a field for each of OPTIONS but --config, by click's name for it."""

    default_isolation: str
    sandbox_runtime_class: str | None
    guest_image: str | None
    guest_image_pull_secret: str | None
    guest_registries: Path | None
    guest_key_file: Path | None
    namespaces: tuple[str, ...]
    without_kubevirt: bool
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
    """Has the file say what neither a flag nor the environment says."""
    if path is not None:
        names = Options.__dataclass_fields__
        known = [option for option in context.command.params if option.name in names]
        context.default_map = configfile.read(context, path, known)


class _Option(click.Option):
    """One whose errors say so if its value is a variable's: that needn't be anywhere near the command."""

    def value_from_envvar(self, ctx: click.Context) -> str | Sequence[str] | None:
        variable = configfile.variable(self)
        if self.multiple and not os.environ.get(variable, "-").strip():
            raise click.BadParameter(f"{variable} is empty: it is to name one, or not to be there", ctx, self)
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
        help="A YAML file with any of the other options. Flags and environment variables come before it.",
    ),
    _option(
        "--default-isolation",
        type=click.Choice([isolation.value for isolation in Isolation]),
        default=Isolation.CONTAINER.value,
        show_default=True,
        help="What isolationPolicy Auto means.",
    ),
    _option(
        "--sandbox-runtime-class",
        metavar="NAME",
        help="The RuntimeClass of sandboxes whose Workload names none, such as gvisor or kata.",
    ),
    _option(
        "--guest-image",
        metavar="IMAGE",
        help="The containerDisk with the Twinhull guest, for machines whose Workload names none.",
    ),
    _option(
        "--guest-image-pull-secret",
        type=OBJECT,
        metavar="NAME",
        help="The Secret with which nodes pull --guest-image from a registry that asks for credentials. It "
        "must be in each Workload's namespace. Other guest images are not pulled with it.",
    ),
    _option(
        "--guest-registries",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Mirrors and certificate authorities of image registries for every machine: a YAML list of "
        "{host, mirrors, caBundle}.",
    ),
    _option(
        "--guest-key-file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="A file of 32 or more random bytes, kept secret. With it, machines tell this operator how their "
        "containers are and how they ended; all replicas need the same.",
    ),
    _option(
        "--namespace",
        "namespaces",
        type=NAMESPACE,
        metavar="NAME",
        multiple=True,
        help="Serve this namespace only; may be repeated. Nothing outside of it is read, so RuntimeClasses, "
        "KubeVirt and the like are taken to be there, and IsolationPolicies are not seen.",
    ),
    _option("--without-kubevirt", is_flag=True, help="Make no machines, and ask for nothing of KubeVirt's."),
    _option(
        "--first-report",
        type=Seconds(0, 60),
        default=5.0,
        show_default=True,
        metavar="SECONDS",
        help="How long a new Workload may take to become Ready before its progress is written into its "
        "status.",
    ),
    _option(
        "--health-address",
        default="127.0.0.1:8081",
        show_default=True,
        metavar="HOST:PORT",
        callback=_address,
        help="Where /healthz and /readyz are served; port 0 picks a free one.",
    ),
    _option(
        "--metrics-address",
        metavar="HOST:PORT",
        callback=_address,
        help="Where /metrics is served for Prometheus, such as :8080 in a Pod; without it, nowhere.",
    ),
    _option(
        "--traces",
        is_flag=True,
        help="Send traces by OTLP over HTTP. Where to is said by OpenTelemetry's own environment variables, "
        "such as OTEL_EXPORTER_OTLP_ENDPOINT.",
    ),
    _option(
        "--workers",
        type=click.IntRange(1, 256),
        default=16,
        show_default=True,
        help="How many Workloads are worked on at a time, and at most half as many of one namespace.",
    ),
    _option(
        "--leader-elect",
        is_flag=True,
        help="Of several operators with the same Lease only one acts; the others are ready to take over.",
    ),
    _option(
        "--lease-namespace",
        type=NAMESPACE,
        metavar="NAME",
        help="The namespace of the Lease; in a Pod, the Pod's own if this isn't given.",
    ),
    _option(
        "--lease-name",
        type=OBJECT,
        default="twinhull",
        show_default=True,
        metavar="NAME",
        help="The Lease's name.",
    ),
    _option(
        "--lease-seconds",
        type=Seconds(3, 300),
        default=15.0,
        show_default=True,
        metavar="SECONDS",
        help="How long others wait for one that falls silent. One that ends in good order hands over at "
        "once.",
    ),
    _option(
        "--log-format",
        type=click.Choice(list(FORMATS)),
        default="text",
        show_default=True,
        help="How a line of the log looks.",
    ),
    _option("--verbose", is_flag=True, help="Log in detail."),
]


def options(function: Callable[..., None]) -> Callable[..., None]:
    """A command's function with all of OPTIONS, which it takes as Options(**chosen)."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function
