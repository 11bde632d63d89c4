"""`twinhull validate`: finds what is wrong with manifests, without a cluster."""

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
    """The options by which Workloads are checked."""

    #: The isolations that are tried instead of the one that a Workload asks for; empty to try that one.
    isolations: tuple[str, ...]
    folders: tuple[Path, ...]
    labels: Mapping[str, str] | None
    default_isolation: str
    sandbox_runtime_class: str | None


class _UnreadablePoliciesError(click.ClickException):
    """The policies can't be read, so nothing can be checked."""

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
    help="Succeed without an object to check, and pass over documents that are no objects, as in folders. "
    "This is for hooks that name each file of a commit.",
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

    FILEs are YAML or JSON files, folders, and - for the standard input. In a folder, all files below it are
    read whose names end in .yaml, .yml or .json. Objects of other groups are passed over, and counted.
    Documents that are no objects, such as Helm's values, are passed over in folders, and are errors in files
    that are named.

    An object is checked as by the API server: by the schema of its kind, and by the kind's rules in CEL. A
    rule that can't be checked without a cluster is named. A Workload is then checked for the isolation that
    it asks for: for fields that can't be honoured with it, against IsolationPolicies, and for fields that
    reach past it. Each finding is printed with its file, line and column.

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
    """The objects of files, and what is wrong with the other documents."""

    #: The error if no object is checked, empty if that is none.
    nothing: str
    manifests: list[Manifest] = field(default_factory=list)
    #: Findings about documents that aren't checked, and about names that two objects share.
    findings: list[Located] = field(default_factory=list)
    #: How many objects of other groups there are.
    others: int = 0
    unreadable: list[str] = field(default_factory=list)


def _read(files: tuple[str, ...], *, allow_none: bool) -> _Documents:
    """The documents of files. Raises ClickException if there are too many files."""
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
    """Add the objects of a file. In a `strict` file each document has to be an object."""
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
    """The error if no object of files was checked, with what to do."""
    where = ", ".join(map(manifests.source, files))
    return (
        f"{where} has no object of {GROUP} to check: name a file or folder with Workloads or "
        "IsolationPolicies, or give --allow-none (twinhull convert makes Workloads of Deployments)"
    )


def _identity(manifest: Manifest, kind: str) -> tuple[str, ...]:
    """The kind, namespace and name, by which a cluster tells objects apart."""
    metadata = manifest.document.get("metadata")
    name = str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
    namespace = "" if kind == "IsolationPolicy" else manifest.namespace
    return (kind, namespace, name)


def _again(same: Manifest) -> Finding:
    """The finding that an object has the name of an earlier one of its file."""
    line, column = same.position("metadata.name")
    return Finding(
        Level.WARNING,
        Source.SCHEMA,
        "metadata.name",
        f"is also the name of the object at line {line}, column {column}, and a cluster keeps only the "
        "last of them: rename or remove one",
    )


def _located(manifest: Manifest, finding: Finding) -> Iterator[Located]:
    return located(manifest.source, manifest.title, [(manifest.position(finding.path), finding)])


def _report(documents: _Documents, wanted: _Wanted) -> Report:
    """All findings about files. Raises ClickException if the policies can't be read."""
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
    """A warning about a repeated key. kubectl silently takes its last value; Flux and kustomize refuse the
    file.
    """
    return Finding(
        Level.WARNING, Source.SCHEMA, "", f"the key {key} stands there twice: remove one of the two"
    )


class _Checks:
    """Finds what is wrong with manifests. Modules that only valid Workloads need are imported for those."""

    def __init__(self, wanted: _Wanted, all_manifests: list[Manifest]) -> None:
        self._wanted = wanted
        self._manifests = all_manifests
        self._rules = _rules(wanted.folders)

    @cached_property
    def _namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of each namespace of the files, by its name."""
        from twinhull.cli import policyfiles  # noqa: PLC0415  takes time

        return {**(self._rules.namespaces if self._rules else {}), **policyfiles.namespaces(self._manifests)}

    def of(self, manifest: Manifest, kind: str) -> Iterator[Located]:
        """The findings about a manifest of one of our kinds."""
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
