"""`twinhull validate`: what is wrong with manifests, found without a cluster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

import twinhull
from twinhull.api.group import GROUP
from twinhull.cli import filearguments, manifestfolders, manifestkinds, manifests, operatoroptions
from twinhull.cli.manifests import Manifest, UnreadableError
from twinhull.cli.messages import tell_error
from twinhull.cli.operatoroptions import ISOLATIONS
from twinhull.validation.findings import Finding, Level, Source, of_object
from twinhull.validation.reports import FORMATS, Located, Report, located

if TYPE_CHECKING:
    from twinhull.cli.policyfiles import Rules


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The options by which Workloads are looked at."""

    #: The isolations that are tried in place of the one that a Workload asks for; none if it is that one.
    isolations: tuple[str, ...]
    folders: tuple[Path, ...]
    labels: Mapping[str, str] | None
    default_isolation: str
    sandbox_runtime_class: str | None


class _UnreadablePoliciesError(click.ClickException):
    """Policies without which nothing can be checked."""

    exit_code = 2


@click.command(
    epilog="""\b
Examples:
  twinhull validate deploy/                                   # all YAML and JSON below a folder
  kustomize build . | twinhull validate -                     # other kinds are passed over
  twinhull validate deploy/ --all-isolations                  # can each be flipped to each isolation?
  twinhull validate deploy/ --policies policies/ --namespace-labels tier=untrusted
  twinhull validate deploy/ -o sarif >twinhull.sarif          # for code scanning
  twinhull validate deploy/ -o github                         # annotations in a GitHub workflow
  twinhull validate deploy/ -o gitlab >quality.json           # GitLab's Code Quality report
  git diff --cached --name-only --diff-filter=d -z -- '*.yaml' '*.yml' '*.json' |
    xargs -0r twinhull validate --allow-none                  # the files of a commit

\b
Exit codes:
  0  nothing is wrong; there may be warnings and notes
  1  there are errors
  2  a file can't be read, no object was checked, or an option is wrong
"""
)
@filearguments.files
@click.option(
    "--isolation",
    type=click.Choice(ISOLATIONS),
    help="Check the fields for this isolation instead of the one that spec.isolationPolicy names.",
)
@click.option("--all-isolations", is_flag=True, help="Check the fields for each isolation.")
@click.option(
    "--policies",
    "folders",
    metavar="PATH",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A folder or a file with IsolationPolicies to apply. The labels of Namespaces in it are used, too.",
)
@click.option(
    "--namespace-labels",
    metavar="KEY=VALUE,…",
    help="The labels of the Workloads' namespaces. They replace the labels of any Namespace that is read.",
)
@click.option(
    "--allow-none",
    is_flag=True,
    help="Succeed without an object to check, and pass over documents that are no objects, as in folders. It "
    "is for hooks that name each file of a commit.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(list(FORMATS)),
    default="text",
    show_default=True,
    help="The format.",
)
@operatoroptions.default_isolation
@operatoroptions.sandbox_runtime_class
def validate(  # noqa: PLR0913, PLR0917  one parameter an option
    files: tuple[str, ...],
    isolation: str | None,
    all_isolations: bool,  # noqa: FBT001  click's
    folders: tuple[Path, ...],
    namespace_labels: str | None,
    allow_none: bool,  # noqa: FBT001  click's
    output: str,
    default_isolation: str,
    sandbox_runtime_class: str | None,
) -> None:
    """Check Workloads and IsolationPolicies, without a cluster.

    FILEs are YAML or JSON files, folders, and - for the standard input. Of a folder all files below it are
    read whose names end in .yaml, .yml or .json. Objects of other groups are passed over, and counted. So are
    documents of a folder that are no objects, such as Helm's values; in a file that is named they are errors.

    An object is checked as by the API server: by the schema of its kind, and by the kind's rules in CEL. A
    rule that can't be checked without a cluster is named. A Workload is then checked for the isolation that
    it asks for: which fields can't be honoured with it, what IsolationPolicies say, and what reaches past it.
    Each finding is printed with its file, line and column.

    Objects that a Workload refers to, such as claims and Secrets, aren't looked for.
    """
    if isolation and all_isolations:
        raise click.UsageError("--isolation and --all-isolations exclude each other: choose one")
    isolations = ISOLATIONS if all_isolations else (isolation,) if isolation else ()
    wanted = _Wanted(isolations, folders, _labels(namespace_labels), default_isolation, sandbox_runtime_class)
    report = _report(_read(files, allow_none=allow_none), wanted)
    click.echo(FORMATS[output](report), nl=False)
    for why in report.failures:
        tell_error(why)
    raise SystemExit(2 if report.failures else int(report.count(Level.ERROR) > 0))


def _labels(value: str | None) -> dict[str, str] | None:
    if value is None:
        return None
    from twinhull.cli import policyfiles  # noqa: PLC0415  takes time

    return policyfiles.labels(value)


@dataclass(slots=True)
class _Documents:
    """What files have."""

    #: Why no object being checked is an error, empty if it is none.
    nothing: str
    manifests: list[Manifest] = field(default_factory=list)
    #: What is wrong with documents that aren't checked, and with names that two objects have.
    findings: list[Located] = field(default_factory=list)
    #: How many objects of other groups there are.
    others: int = 0
    unreadable: list[str] = field(default_factory=list)


def _read(files: tuple[str, ...], *, allow_none: bool) -> _Documents:
    """What is in files. Raises ClickException if there are too many."""
    documents = _Documents("" if allow_none else _nothing(files))
    for file, is_named in manifestfolders.named(files):
        try:
            read = manifests.read_ours(file)
        except UnreadableError as error:
            documents.unreadable.append(error.message)
            continue
        strict = is_named and not allow_none
        if strict and not read.manifests and not read.others:
            documents.unreadable.append(f"{manifests.source(file)} has no object: name a file that has one")
        documents.others += read.others
        _add(documents, read.manifests, strict=strict)
    return documents


def _add(documents: _Documents, manifests_of_file: tuple[Manifest, ...], *, strict: bool) -> None:
    """Take the objects of a file. If it is `strict`, each document has to be one."""
    earlier: dict[tuple[str, ...], Manifest] = {}
    for manifest in manifests_of_file:
        documents.manifests.append(manifest)
        kind = manifestkinds.kind_of(manifest)
        wrong = manifestkinds.mistyped(manifest) or (manifestkinds.no_object(manifest) if strict else None)
        if wrong:
            documents.findings += _located(manifest, wrong)
        elif not kind:
            documents.others += 1
        elif (same := earlier.setdefault(_identity(manifest, kind), manifest)) is not manifest:
            documents.findings += _located(manifest, _again(same))


def _nothing(files: tuple[str, ...]) -> str:
    """What is wrong if no object of files was checked, and what to do."""
    where = ", ".join(map(manifests.source, files))
    return (
        f"{where} has no object of {GROUP} to check: name a file or folder with Workloads or "
        "IsolationPolicies, or give --allow-none (twinhull convert makes Workloads of Deployments)"
    )


def _identity(manifest: Manifest, kind: str) -> tuple[str, ...]:
    """By what a cluster tells objects of a kind apart."""
    metadata = manifest.document.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
    namespace = "" if kind == "IsolationPolicy" else manifest.namespace
    return (kind, namespace, name)


def _again(same: Manifest) -> Finding:
    """That an object has the name of an earlier one of its file."""
    line, column = same.position("metadata.name")
    return Finding(
        Level.WARNING,
        Source.SCHEMA,
        "metadata.name",
        f"is also the name of the object at line {line}, column {column}, and a cluster keeps the last of "
        "both: rename or remove one",
    )


def _located(manifest: Manifest, finding: Finding) -> Iterator[Located]:
    return located(manifest.source, manifest.title, [(manifest.position(finding.path), finding)])


def _report(documents: _Documents, wanted: _Wanted) -> Report:
    """All that is found in files. Raises ClickException if the policies can't be read."""
    kinds = [(one, kind) for one in documents.manifests if (kind := manifestkinds.kind_of(one))]
    checks = _Checks(wanted, documents.manifests)
    findings = [finding for manifest, kind in kinds for finding in checks.of(manifest, kind)]
    checked = Counter(kind for _, kind in kinds)
    nothing = not (checked or documents.findings or documents.unreadable)
    return Report(
        (*documents.findings, *findings),
        checked,
        documents.others,
        tuple(documents.unreadable),
        twinhull.__version__,
        documents.nothing if nothing else "",
    )


def _rules(folders: tuple[Path, ...]) -> Rules | None:
    """The policies of folders, None if there are no folders. Raises ClickException if one is wrong."""
    if not folders:
        return None
    from twinhull.cli import policyfiles  # noqa: PLC0415  takes time

    try:
        return policyfiles.read(folders)
    except UnreadableError as error:
        raise _UnreadablePoliciesError(error.message) from error


def _twice(key: str) -> Finding:
    """Kubectl takes the last of several keys silently. Flux and kustomize refuse the file."""
    return Finding(Level.WARNING, Source.SCHEMA, "", f"the key {key} is there twice: remove one of the two")


class _Checks:
    """Finds what is wrong with manifests. What is only needed for valid Workloads is imported for those."""

    def __init__(self, wanted: _Wanted, all_manifests: list[Manifest]) -> None:
        self._wanted = wanted
        self._manifests = all_manifests
        self._rules = _rules(wanted.folders)

    @cached_property
    def _namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of each namespace that a file has, by its name."""
        from twinhull.cli import policyfiles  # noqa: PLC0415  takes time

        return {**(self._rules.namespaces if self._rules else {}), **policyfiles.namespaces(self._manifests)}

    def of(self, manifest: Manifest, kind: str) -> Iterator[Located]:
        """What is wrong with a manifest, which is of a kind of ours."""
        findings = list(of_object(kind, manifest.document))
        if kind == "Workload" and not any(finding.level is Level.ERROR for finding in findings):
            findings += self._isolation(manifest)
        placed = [(manifest.position(finding.path), finding) for finding in dict.fromkeys(findings)]
        placed += [(place, _twice(key)) for key, place in manifest.repeated]
        return located(manifest.source, manifest.title, placed)

    def _isolation(self, manifest: Manifest) -> Iterator[Finding]:
        from twinhull.api.isolation import Isolation  # noqa: PLC0415  takes time
        from twinhull.core.defaults import OperatorDefaults  # noqa: PLC0415
        from twinhull.validation import parity  # noqa: PLC0415

        wanted = self._wanted
        policies = self._rules.policies if self._rules else ()
        defaults = OperatorDefaults(Isolation(wanted.default_isolation), wanted.sandbox_runtime_class)
        labels = wanted.labels if wanted.labels is not None else self._namespaces.get(manifest.namespace, {})
        document = manifests.pruned(manifest.document)
        for isolation in wanted.isolations or (None,):
            yield from parity.of_workload(
                document,
                dict(labels),
                parity.Assumptions(defaults, policies),
                Isolation(isolation) if isolation else None,
            )
