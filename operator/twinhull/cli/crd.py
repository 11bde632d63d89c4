"""`twinhull crd`: the CustomResourceDefinitions of this version."""

from __future__ import annotations

import click


@click.command(
    epilog="""\b
Examples:
  twinhull crd >crds.yaml
  twinhull crd | kubectl apply --server-side -f -          # installs or upgrades them

\b
Exit codes:
  0  they were printed
  2  an option is wrong
"""
)
def crd() -> None:
    """Print the CustomResourceDefinitions.

    They are the CustomResourceDefinitions of this version. The chart has the same.
    """
    import yaml  # noqa: PLC0415  takes time, as the next

    from twinhull.api.crd import crds  # noqa: PLC0415

    # PyYAML's wheels have libyaml, which writes them in a tenth of the time.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    click.echo(yaml.dump_all(crds(), Dumper=dumper, sort_keys=False), nl=False)
