"""The `twinhull` command: one file a verb."""

from __future__ import annotations

import click

import twinhull
from twinhull.cli.config import config
from twinhull.cli.crd import crd
from twinhull.cli.explain import explain
from twinhull.cli.preflight import preflight
from twinhull.cli.render import render
from twinhull.cli.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(twinhull.__version__, prog_name="twinhull")
def main() -> None:
    """Run one Workload as a Pod, a sandboxed Pod or a KubeVirt machine."""


main.add_command(config)
main.add_command(crd)
main.add_command(explain)
main.add_command(preflight)
main.add_command(render)
main.add_command(run)
