"""`twinhull run`: the operator."""

from __future__ import annotations

import asyncio
import logging

import click
import kopf

from twinhull.api.workload import Isolation
from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.app import Application, Settings

_FORMATS = {"text": kopf.LogFormat.FULL, "json": kopf.LogFormat.JSON}


def _address(_: click.Context, __: click.Parameter, value: str) -> tuple[str, int]:
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
    "--workers",
    type=click.IntRange(1, 256),
    default=16,
    show_default=True,
    help="How many Workloads are worked on at a time.",
)
@click.option("--log-format", type=click.Choice(list(_FORMATS)), default="text", show_default=True)
@click.option("--verbose", is_flag=True, help="Log in detail.")
def run(  # noqa: PLR0913, PLR0917  one parameter an option
    default_isolation: str,
    sandbox_runtime_class: str | None,
    guest_image: str | None,
    first_report: float,
    health_address: tuple[str, int],
    workers: int,
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
        Isolation(default_isolation), sandbox_runtime_class, guest_image, first_report
    )
    host, port = health_address
    try:
        asyncio.run(Application(Settings(defaults, host, port, workers)).run())
    except kopf.LoginError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"health can't be served at {host}:{port} ({error.strerror}): choose another --health-address"
        ) from error
