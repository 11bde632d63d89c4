"""`twinhull port-forward`: forwards local ports to a Workload, in a Pod or a machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from twinhull.cli import completion
from twinhull.cli.targets import Target, target_options
from twinhull.cli.workloadarguments import named_workload, one_name

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


@dataclass(frozen=True, slots=True)
class Port:
    """A port that is forwarded."""

    #: The local port; 0 picks a free one.
    local: int
    #: The Workload's port, by number or name.
    remote: str

    @classmethod
    def read(cls, text: str) -> Port:
        """A port as kubectl writes it: 8080, 8080:80, :80, 8080:http. Raises BadParameter."""
        local, colon, remote = text.partition(":")
        if not colon:
            local, remote = (text if _is_number(text) else "0"), text
        if not remote or (local and not _is_number(local)):
            raise click.BadParameter(f"{text!r} is no port such as 8080, 8080:80, :80 or 8080:http")
        return cls(int(local or 0), remote)


def _is_number(text: str) -> bool:
    """Whether a text is the number of a port."""
    return text.isascii() and text.isdecimal() and int(text) < 1 << 16


def _ports(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Completes the ports of the Workload's containers by number and name, without those given before."""
    local, colon, _remote = incomplete.rpartition(":")
    name = named_workload(ctx)
    if not name or (local and not _is_number(local)):
        return []
    chosen = {port.rpartition(":")[2] for port in ctx.params.get("ports") or ()}
    ports = [line.split() for line in completion.cluster_names("Port", ctx, name=name)]
    left = [one for port in ports if chosen.isdisjoint(port) for one in port]
    return completion.items((f"{local}{colon}{one}" for one in left), incomplete)


@click.command(
    name="port-forward",
    epilog="""\b
Examples:
  twinhull port-forward web 8080:80                    # http://127.0.0.1:8080 is port 80 of web
  twinhull port-forward web 8080:http 5432             # several ports, one by its name
  twinhull port-forward web :80                        # a free port, which is printed
  twinhull port-forward web 80 --address 0.0.0.0       # reachable from other machines, too

\b
Exit codes:
  0  the forwarding was ended by Ctrl+C or SIGTERM
  1  a port can't be opened here, or there is no way into the Workload
  2  the command line is wrong
""",
)
@click.option(
    "--address",
    "addresses",
    metavar="ADDRESS",
    multiple=True,
    default=("localhost",),
    show_default=True,
    help="The address of this computer at which the ports are opened. It may be repeated.",
)
@target_options
@one_name
@click.argument("ports", metavar="[LOCAL:]REMOTE…", nargs=-1, required=True, shell_complete=_ports)
def port_forward(name: str, ports: tuple[str, ...], addresses: tuple[str, ...], target: Target) -> None:
    """Forward local ports to those of a Workload, until Ctrl+C.

    It works the same for a Pod and a machine. Nodes can't forward ports of most sandboxes, such as gVisor's
    and Kata's: there a connection fails, with a note how to reach HTTP. If the Workload's hull is replaced,
    its connections are lost, and new ones go to the next hull. Connections go to the Workload's hull, not to
    its Service. A port's name is the one that a container gives it.

    A port of a Pod is reached as by kubectl port-forward. A port of a machine is reached by an AccessRequest
    and through the machine's launcher Pod: this needs the rights to create, get and delete AccessRequests, to
    list Pods, and to get and create pods/portforward. A port of a machine that boots a disk of its own is
    reached by KubeVirt's port-forward, as by virtctl: this needs the right to get
    virtualmachineinstances/portforward in the API group subresources.kubevirt.io.
    """
    parsed_ports = [Port.read(port) for port in ports]
    from twinhull.cli import forwarding  # noqa: PLC0415  takes time, and --help doesn't need it

    forwarding.forward(target, name, parsed_ports, addresses)
