"""The `twinhull` command: one file a verb, or a folder."""

from __future__ import annotations

import click

import twinhull
from twinhull.cli.lazygroup import LazyGroup, Verb

SECTIONS = {
    "Without a cluster": (
        Verb("render", "Print the objects of Workloads, without a cluster."),
        Verb("validate", "Check Workloads and IsolationPolicies, without a cluster."),
        Verb("explain", "Say which isolation Workloads get, and why."),
        Verb("convert", "Print Workloads made of Deployments, Compose files or machines."),
    ),
    "See what is on a cluster": (
        Verb("status", "Say what is wrong with a Workload, and what to do."),
        Verb(
            "list",
            "List Workloads, and say why they aren't Ready.",
            function="list_workloads",
            aliases=("ls", "get"),
        ),
        Verb("events", "Show the Events of a Workload and of its hulls."),
        Verb("top", "Show the CPU and memory that Workloads use."),
        Verb("diff", "Show what applying Workloads and IsolationPolicies would change."),
    ),
    "Reach into what runs there": (
        Verb("logs", "Show the logs of Workloads' containers."),
        Verb("exec", "Run a command in a container of a Workload.", function="exec_"),
        Verb("attach", "Connect with the main process of a Workload's container."),
        Verb("cp", "Copy a file or folder to or from a container of a Workload."),
        Verb("port-forward", "Forward local ports to those of a Workload, until Ctrl+C."),
        Verb("console", "Connect with the serial console of a Workload's machine."),
        Verb("vnc", "Show the screen of a Workload's machine."),
        Verb("ssh", "Log in to a Workload's machine by ssh."),
    ),
    "Change what runs there": (
        Verb("flip", "Have a Workload run in another kind of hull."),
        Verb("stop", "Stop Workloads: nothing of them runs, and all else stays."),
        Verb("start", "Start Workloads that were stopped."),
        Verb("restart", "Restart Workloads."),
        Verb("wait", "Wait until Workloads are ready, stopped, completed or gone."),
    ),
    "For administrators": (
        Verb("preflight", "Say which isolations a cluster can provide."),
        Verb("crd", "Print the CustomResourceDefinitions."),
        Verb("config", "Print the settings of `twinhull run`."),
        Verb("run", "Run the operator until it gets SIGTERM."),
    ),
    "For your shell": (Verb("completion", "Print the script by which a shell completes this command."),),
}


@click.group(cls=LazyGroup, sections=SECTIONS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(twinhull.__version__, prog_name="twinhull")
def main() -> None:
    """Run one Workload as a Pod, a sandboxed Pod or a KubeVirt machine."""
