"""`twinhull explain`: which isolation a Workload gets, and which rule decides."""

from __future__ import annotations

from pathlib import Path

import click

from twinhull.cli import filearguments, operatoroptions
from twinhull.cli.targets import Target, target_options


def _labels(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, str] | None:
    if value is None:
        return None
    from twinhull.cli import policyfiles  # noqa: PLC0415  takes time

    return policyfiles.option(context, parameter, value)


@click.command(
    epilog="""\b
Examples:
  twinhull explain workload.yaml                        # by the policies of the current cluster
  twinhull explain workload.yaml --policies policies/   # by the policies of a folder, without a cluster
  twinhull explain workload.yaml --policies policies/ --namespace-labels tier=untrusted -o json
  twinhull explain web -n shop                          # a Workload of the cluster

\b
Exit codes:
  0  each Workload gets an isolation
  1  a policy rejects a Workload, a file is wrong, or the cluster can't be asked
  2  an option is wrong
"""
)
@filearguments.files_or_names
@click.option(
    "--policies",
    "folders",
    metavar="PATH",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A folder or a file with IsolationPolicies. The labels of Namespaces in it are used, too. Without "
    "this option, both are read from the cluster of the current kubeconfig.",
)
@click.option(
    "--namespace-labels",
    metavar="KEY=VALUE,…",
    callback=_labels,
    help="The labels of the Workloads' namespaces. They replace the labels of any Namespace that is read.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The format.",
)
@operatoroptions.default_isolation
@operatoroptions.sandbox_runtime_class
@target_options
def explain(  # noqa: PLR0913  one parameter an option
    *,
    files: tuple[str, ...],
    names: tuple[str, ...],
    folders: tuple[Path, ...],
    namespace_labels: dict[str, str] | None,
    output: str,
    default_isolation: str,
    sandbox_runtime_class: str | None,
    target: Target,
) -> None:
    """Say which isolation Workloads get, and why.

    FILEs are YAML or JSON files with Workloads, and - for the standard input. NAMEs are Workloads of the
    cluster. A word that isn't the name of a file is taken for a NAME, and so is workload/NAME. The option
    --namespace is for NAMEs, and for Workloads in files that name no namespace.

    The rules that decide are listed in their order. The first rules find the isolation that is asked for: by
    the Workload (requested), by the policy of the highest priority that has a default (policy default), or by
    the operator (operator default). The other rules apply the policies. A policy that can't be read, or that
    rejects the Workload, lets nothing start. The strictest of the other policies raises the isolation.
    docs/policies.md explains all of them.

    Notes on the standard error say what else keeps a Workload from starting with that isolation: fields that
    its hull can't honour, and a RuntimeClass that is missing. They don't change the exit code.

    A Workload's manifest doesn't have the images of ephemeral containers, so this command ignores them.
    """
    from twinhull.cli import explanations  # noqa: PLC0415  takes time

    defaults = (default_isolation, sandbox_runtime_class)
    wanted = explanations.Wanted(files, names, folders, namespace_labels, target)
    raise SystemExit(int(explanations.show(wanted, output, defaults)))
