"""`twinhull render`: what the operator would make of a Workload, without a cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any

import click
import yaml

from twinhull.api.base import API_VERSION, GROUP, Raw
from twinhull.api.crd import workloads
from twinhull.api.validation import Problem, problems
from twinhull.api.workload import MAX_NAME_LENGTH, Isolation, UnsupportedField, Workload
from twinhull.core.case import Case
from twinhull.core.defaults import OperatorDefaults
from twinhull.core.isolation import resolve
from twinhull.core.observed import Capabilities, Observed
from twinhull.core.rules import decide
from twinhull.hulls.parity import VIRTIOFS_STORAGE, unsupported

#: What stands for what only an API server or an operator knows.
_UID = "00000000-0000-0000-0000-000000000000"
_GUEST_IMAGE = "twinhull.example/guest:dev"
_CREATED = datetime(1970, 1, 1, tzinfo=UTC)

#: The CRD's rule of the name, which is CEL there.
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: a time is a string."""

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's own class attribute
        first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _WrongError(Exception):
    """A Workload that no hull can be made of. The message says why, and what to do."""


@click.command(
    epilog="""\b
Examples:
  twinhull render -f workload.yaml
  twinhull render -f workload.yaml --isolation VirtualMachine >/dev/null && echo "a machine can run it"
  kubectl get workload web -o yaml | twinhull render -f - -o json
"""
)
@click.option(
    "-f",
    "--filename",
    "files",
    metavar="FILE",
    multiple=True,
    required=True,
    help="A YAML or JSON file with Workloads; - is the standard input. It can be given several times.",
)
@click.option(
    "--isolation",
    type=click.Choice([isolation.value for isolation in Isolation]),
    help="Try this isolation, whatever spec.isolationPolicy says.",
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
    type=click.Choice([isolation.value for isolation in Isolation]),
    default=Isolation.CONTAINER.value,
    show_default=True,
    envvar="TWINHULL_DEFAULT_ISOLATION",
    help="The operator's: what isolationPolicy Auto means.",
)
@click.option(
    "--sandbox-runtime-class",
    metavar="NAME",
    envvar="TWINHULL_SANDBOX_RUNTIME_CLASS",
    help="The operator's: the RuntimeClass of sandboxes whose Workload names none.",
)
@click.option(
    "--guest-image",
    metavar="IMAGE",
    default=_GUEST_IMAGE,
    show_default=True,
    envvar="TWINHULL_GUEST_IMAGE",
    help="The operator's: the guest of machines whose Workload names none.",
)
def render(  # noqa: PLR0913, PLR0917  one parameter an option
    files: tuple[str, ...],
    isolation: str | None,
    output: str,
    default_isolation: str,
    sandbox_runtime_class: str | None,
    guest_image: str,
) -> None:
    """Print what the operator would make of Workloads: the Pod or machine, and the Service.

    No cluster is asked: RuntimeClasses, KubeVirt and whatever a Workload refers to are taken to be there, a
    uid of zeros stands for the one that the API server gives a Workload, and what an operator adds of its own
    to machines (registries, the authority of their certificates) is left out.

    Fields that the hull can't honour, and what is wrong in a file, are told on the standard error with what
    to do; the exit code is then 1. The API server knows more rules: kubectl apply --dry-run=server asks it.
    """
    defaults = OperatorDefaults(Isolation(default_isolation), sandbox_runtime_class, guest_image)
    found = [(file, title, document) for file in files for title, document in _workloads(file)]
    if not found:
        raise click.ClickException(
            f"no Workload is in {', '.join(map(_source, files))}: add one of apiVersion {API_VERSION}"
        )
    rendered: list[Raw] = []
    wrong = False
    for file, title, document in found:
        try:
            rendered += _rendered(document, isolation, defaults)
        except _WrongError as error:
            wrong = True
            click.echo(f"{_source(file)}: {title}: {error}", err=True)
    if _UID in json.dumps(rendered):
        _note(f"uid {_UID} stands for the Workload's own; the token of a machine's probe is made from it")
    if rendered:
        click.echo(_printed(rendered, output), nl=False)
    raise SystemExit(int(wrong))


def _workloads(file: str) -> Iterator[tuple[str, Raw]]:
    """A file's Workloads, each with its title for a person. Raises ClickException if it can't be read."""
    try:
        with click.open_file(file, encoding="utf-8") as stream:
            documents = list(_documents(stream))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}: name a file that can be read") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{_source(file)}: this is not YAML, correct it: {error}") from error
    for number, document in enumerate(documents, start=1):
        title = _title(document, number)
        if isinstance(document, dict) and _is_workload(document):
            yield title, document
        else:
            _note(f"{_source(file)}: {title} is passed by: only Workloads are rendered")


def _documents(stream: IO[str]) -> Iterator[object]:
    """A file's objects, those of a List one by one."""
    for document in yaml.load_all(stream, _Loader):
        if isinstance(document, dict) and document.get("kind") == "List":
            yield from document.get("items") or ()
        elif document is not None:
            yield document


def _source(file: str) -> str:
    return "standard input" if file == "-" else file


def _is_workload(document: Raw) -> bool:
    group = str(document.get("apiVersion", GROUP)).partition("/")[0]
    return document.get("kind") == "Workload" and group == GROUP


def _title(document: object, number: int) -> str:
    """What a document is to a person: `Workload web`, or its place if it has no name."""
    if not isinstance(document, dict):
        return f"document {number}"
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"{document.get('kind', 'object')} {name or f'(document {number})'}"


def _rendered(document: Raw, isolation: str | None, defaults: OperatorDefaults) -> list[Raw]:
    """The objects of one Workload. Raises _WrongError when there can be none."""
    if wrong := [*_wrong(document)]:
        rows = [(problem.path, problem.message) for problem in wrong]
        raise _WrongError(f"the API server would refuse it, for {_table(rows)}")
    case = _case(document, isolation, defaults)
    resolved = case.resolution.resolved
    if fields := unsupported(case.workload.spec.template, resolved, virtiofs_storage=True):
        raise _WrongError(_refusal(resolved, fields))
    if unsupported(case.workload.spec.template, resolved):
        _note(f"its claims that are mounted need KubeVirt's feature gate {VIRTIOFS_STORAGE}")
    step = decide(case)
    if step.stalled:
        raise _WrongError(step.message)
    hull = case.hull_objects if step.reconciling else ()
    return [*([case.service] if case.service else []), *hull]


def _wrong(document: Raw) -> Iterator[Problem]:
    """What the API server would refuse by the CRD's schema, and by its rule of the name."""
    if document.get("apiVersion") != API_VERSION:
        yield Problem("apiVersion", f"is {document.get('apiVersion')!r}: use {API_VERSION}")
    (version,) = workloads()["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    text = {"type": "string"}
    properties = {"apiVersion": text, "kind": text, **schema["properties"]}
    yield from problems({**schema, "properties": properties}, document)
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or len(name) > MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        yield Problem(
            "metadata.name",
            f"is {name!r}: use lower-case letters, digits and '-', a letter first, at most "
            f"{MAX_NAME_LENGTH} characters",
        )


def _case(document: Raw, isolation: str | None, defaults: OperatorDefaults) -> Case:
    """The case of a Workload that is new in a cluster that has everything."""
    given = document["metadata"]
    metadata = {
        "name": given["name"],
        "namespace": str(given.get("namespace") or "default"),
        "uid": str(given.get("uid") or _UID),
        "generation": 1,
        "creationTimestamp": _CREATED,
    }
    spec = _pruned(document["spec"]) | ({"isolationPolicy": isolation} if isolation else {})
    workload = Workload.model_validate({"metadata": metadata, "spec": spec})
    runtime_class = resolve(workload.spec, defaults).runtime_class
    capabilities = Capabilities(
        kubevirt="Deployed",
        virtiofs_storage=True,
        runtime_classes=frozenset([runtime_class] if runtime_class else []),
    )
    observed = Observed(capabilities=capabilities, find=lambda _kind, _name: {})
    return Case(workload, observed, defaults, _CREATED)


def _pruned(value: Any) -> Any:  # noqa: ANN401  JSON
    """A value without the nulls in it, as the API server stores it."""
    if isinstance(value, dict):
        return {key: _pruned(below) for key, below in value.items() if below is not None}
    return [_pruned(element) for element in value] if isinstance(value, list) else value


def _refusal(isolation: Isolation, fields: tuple[UnsupportedField, ...]) -> str:
    rows = [(f"spec.template.{field.path}", field.reason) for field in fields]
    return f"it can't have isolation {isolation}, for {_table(rows)}"


def _table(rows: list[tuple[str, str]]) -> str:
    """Fields and what is said of each, below their number."""
    width = max(len(path) for path, _ in rows)
    lines = [f"\n  {path:{width}}  {said}" for path, said in [("FIELD", "REASON"), *rows]]
    return f"{len(rows)} field{'s' * (len(rows) > 1)}:{''.join(lines)}"


def _printed(objects: list[Raw], output: str) -> str:
    if output == "json":
        listed = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": objects}
        return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    return yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True, width=110)


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)
