"""`twinhull render`: the objects that the operator would make for a Workload, without a cluster."""

from __future__ import annotations

import click

from twinhull.cli import filearguments, operatoroptions
from twinhull.cli.values import IMAGE, OBJECT_OR_NONE

#: It stands for the guest image, which only the operator's settings name.
_GUEST_IMAGE = "twinhull.example/guest:dev"


@click.command(
    epilog="""\b
Examples:
  twinhull render workload.yaml
  twinhull render workload.yaml --isolation VirtualMachine >/dev/null && echo "a machine takes each field"
  kubectl get twl web -o yaml | twinhull render - -o json

\b
Exit codes:
  0  the objects of all Workloads were printed
  1  a file can't be read or has no Workload, or no hull can be made of one
  2  an option is wrong
"""
)
@filearguments.files
@click.option(
    "--isolation",
    type=click.Choice(operatoroptions.ISOLATIONS),
    help="Use this isolation instead of the one that spec.isolationPolicy names.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="The format.",
)
@click.option(
    "--default-isolation",
    type=click.Choice(operatoroptions.ISOLATIONS),
    default=operatoroptions.ISOLATIONS[0],
    show_default=True,
    envvar="TWINHULL_DEFAULT_ISOLATION",
    help="The operator's setting: the isolation of Workloads with isolationPolicy Auto.",
)
@click.option(
    "--sandbox-runtime-class",
    type=OBJECT_OR_NONE,
    metavar="NAME",
    envvar="TWINHULL_SANDBOX_RUNTIME_CLASS",
    help="The operator's setting: the RuntimeClass of sandboxes whose Workload names none.",
)
@click.option(
    "--guest-image",
    type=IMAGE,
    metavar="IMAGE",
    default=_GUEST_IMAGE,
    show_default=True,
    envvar="TWINHULL_GUEST_IMAGE",
    help="The operator's setting: the guest image of machines whose Workload names none.",
)
def render(  # noqa: PLR0913, PLR0917  one parameter an option
    files: tuple[str, ...],
    isolation: str | None,
    output: str,
    default_isolation: str,
    sandbox_runtime_class: str | None,
    guest_image: str,
) -> None:
    """Print the objects of Workloads, without a cluster.

    FILEs are YAML or JSON files with Workloads, and - for the standard input.

    It prints the Pod or machine and the Service that the operator would make. It assumes that RuntimeClasses,
    KubeVirt and the objects to which a Workload refers exist. A uid of zeros stands for the one that the API
    server gives a Workload. Some of the operator's own settings for machines are left out: registries, the
    authority of their certificates, and the Secret that pulls the guest image.

    Errors in a file, and fields that the hull can't honour, are printed on the standard error with what to
    do. Some rules for Pods are checked only when the operator makes the Pod.

    Files are read as kubectl reads them: yes and y are true, 0o440 is 288, and 22:22 is a string.
    """
    from twinhull.cli import rendering  # noqa: PLC0415  takes time

    operator = (default_isolation, sandbox_runtime_class, guest_image)
    raise SystemExit(int(rendering.render(files, isolation, output, operator)))
