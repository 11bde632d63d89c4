"""`twinhull crd`: the CustomResourceDefinitions of this version."""

from __future__ import annotations

import click


@click.command()
def crd() -> None:
    """Print the CustomResourceDefinitions.

    To install or upgrade them: twinhull crd | kubectl apply -f -
    """
    import yaml  # noqa: PLC0415  takes time, as the next

    from twinhull.api.crd import crds  # noqa: PLC0415

    click.echo(yaml.safe_dump_all(crds(), sort_keys=False), nl=False)
