"""`twinhull run`: the operator."""

from __future__ import annotations

import gc
from typing import Any

import click

from twinhull.cli.configfile import PREFIX
from twinhull.cli.lazygroup import USUAL_THRESHOLDS
from twinhull.cli.options import OperatorOptions, options


@click.command(
    context_settings={"auto_envvar_prefix": PREFIX},
    epilog="""\b
Examples:
  twinhull run                                             # with the current kubeconfig, without a leader
  twinhull run --config settings.yaml --leader-elect --lease-namespace twinhull-system
  twinhull run --namespace team-a --namespace team-b --log-format json

\b
Exit codes:
  0  the operator got SIGTERM and has ended
  1  it has no credentials, can't serve at an address, or lost the Lease
  2  a setting, the file or an option is wrong
""",
)
@options
def run(**chosen: Any) -> None:  # noqa: ANN401  click's, of the types that OperatorOptions has
    """Run the operator until it gets SIGTERM.

    In a Pod it uses the Pod's ServiceAccount, elsewhere $KUBECONFIG or ~/.kube/config. Every option can also
    be set by an environment variable, such as TWINHULL_GUEST_IMAGE, or in the file of --config.
    `twinhull config` prints the settings that would be in force.
    """
    import asyncio  # noqa: PLC0415  all of these take time, and the help doesn't need them
    from contextlib import ExitStack  # noqa: PLC0415

    from twinhull.cli.settings import settings  # noqa: PLC0415
    from twinhull.shell import tracing  # noqa: PLC0415
    from twinhull.shell.app import Application  # noqa: PLC0415
    from twinhull.shell.kopf_process import loglines  # noqa: PLC0415
    from twinhull.shell.kopf_process.credentials import LoginError  # noqa: PLC0415
    from twinhull.shell.lease import LeaseLost  # noqa: PLC0415
    from twinhull.shell.server import CannotServe  # noqa: PLC0415

    gc.set_threshold(*USUAL_THRESHOLDS)
    chose = OperatorOptions(**chosen)
    operator_settings = settings(chose)
    loglines.configure(loglines.FORMATS[chose.log_format], verbose=chose.verbose)
    try:
        with ExitStack() as ending:
            if chose.traces:
                export = tracing.exporter()
                ending.callback(export())
            asyncio.run(Application(operator_settings).run())
    except LeaseLost as error:
        raise click.ClickException(f"{error}: this operator ends, start it again") from error
    except (LoginError, CannotServe) as error:
        raise click.ClickException(str(error)) from error
