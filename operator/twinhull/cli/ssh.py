"""`twinhull ssh`: logs in to a Workload's machine."""

from __future__ import annotations

import click

from twinhull.cli.targets import Target, target_options


@click.command(
    epilog="""\b
Examples:
  twinhull ssh web                             # as the user that ssh itself would choose
  twinhull ssh root@web -i ~/.ssh/lab
  twinhull ssh web -- uname -a
  twinhull ssh -t web -- top
  twinhull ssh web -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR

\b
Exit codes:
  0    the session or the command ended well
  1    the Workload has no machine, or there is no ssh; as any other code, it may be the command's own
  2    the command line is wrong, or the command ended with 2
  255  ssh has no connection
"""
)
@click.argument("login", metavar="[USER@]NAME")
@click.argument("command", metavar="[COMMAND…]", nargs=-1)
@click.option("-i", "--identity-file", metavar="FILE", default="", help="The private key, as for ssh -i.")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(1, 65_535),
    default=22,
    show_default=True,
    help="The port in the machine at which its ssh server listens.",
)
@click.option(
    "-o",
    "--option",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="An option for ssh, as for ssh -o. It may be repeated.",
)
@click.option("-t", "--tty", is_flag=True, help="The command gets a terminal. A shell has one in any case.")
@click.option(
    "--stdio", is_flag=True, hidden=True, help="Connect the port with this process' own input and output."
)
@target_options
def ssh(  # noqa: PLR0913  one parameter an option
    *,
    login: str,
    command: tuple[str, ...],
    identity_file: str,
    port: int,
    settings: tuple[str, ...],
    tty: bool,
    stdio: bool,
    target: Target,
) -> None:
    """Log in to a Workload's machine by ssh.

    The command runs this computer's own ssh, with its keys, agent and configuration, and has it connect
    through the API server by KubeVirt's port-forward. No port is opened on this computer. ssh knows the
    machine's key by the host name vmi.NAME.NAMESPACE, as with virtctl ssh, and asks about an unknown one as
    it always does.

    The machine's system needs an ssh server. The guest in which a Workload's containers run has none: use
    twinhull exec there.

    It needs KubeVirt's right to get virtualmachineinstances/portforward in the API group
    subresources.kubevirt.io, which KubeVirt's roles kubevirt.io:edit and kubevirt.io:admin have.
    """
    from twinhull.cli import loggingin  # noqa: PLC0415  talks to a cluster

    machine_login = loggingin.Login(
        *loggingin.user_and_name(login),
        command=command,
        identity_file=identity_file,
        port=port,
        settings=settings,
        tty=tty,
    )
    raise SystemExit(loggingin.ssh(machine_login, target, stdio=stdio))
