"""`twinhull diff`: what applying manifests would change in the cluster."""

from __future__ import annotations

import click

from twinhull.cli import filearguments
from twinhull.cli.targets import Target, target_options


@click.command(
    epilog="""\b
Examples:
  twinhull diff deploy/                                  # all YAML and JSON below a folder
  kustomize build . | twinhull diff -
  twinhull diff web.yaml --field-manager argocd-controller
  twinhull diff web.yaml || [ $? -eq 1 ]                 # fails if it can't be told, not if it differs

\b
Exit codes, as of kubectl diff:
  0  nothing would change
  1  something would change
  2  the command can't tell: a file can't be read, or the API server would refuse an object
"""
)
@filearguments.files
@target_options
@click.option(
    "--field-manager",
    "manager",
    metavar="NAME",
    default="kubectl",
    show_default=True,
    help="The field manager in whose name the files are applied.",
)
@click.option(
    "--force-conflicts",
    "force",
    is_flag=True,
    help="Take fields from other field managers, as kubectl apply --server-side --force-conflicts does.",
)
def diff(files: tuple[str, ...], target: Target, manager: str, force: bool) -> None:  # noqa: FBT001  click's
    """Show what applying Workloads and IsolationPolicies would change.

    FILEs are YAML or JSON files, folders, and - for the standard input, as of `twinhull validate`. Objects of
    other kinds are passed over. Each object is applied as a server-side dry run, with defaults and admission.
    The result is compared with the object in the cluster, and nothing is changed. The status isn't compared,
    nor is the metadata that the API server writes, such as managedFields.

    The option --namespace is for objects that name no namespace.

    A field that another field manager has set is a conflict, which is an error unless --force-conflicts is
    given. A field that only kubectl apply has set is no conflict, since kubectl apply --server-side takes it
    over. Two kinds of conflict are only noted, and the difference is shown: a conflict with a verb of
    twinhull, such as flip, and any conflict of an object that kubectl applied on the client's side, since
    kubectl doesn't check for conflicts there.

    It needs the rights to get and patch these objects.
    """
    from twinhull.cli import differences  # noqa: PLC0415  takes time

    raise SystemExit(differences.show(files, differences.Applied(target, manager, force)))
