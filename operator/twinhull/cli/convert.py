"""`twinhull convert`: Workloads of what others run, such as Deployments, Compose files and machines."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import yaml

from twinhull.api.base import Raw
from twinhull.api.bounds import excess
from twinhull.api.isolation import Isolation
from twinhull.api.objectnames import is_label
from twinhull.api.printable import printable
from twinhull.cli import filearguments, scalars
from twinhull.cli.machineoptions import chosen, machine_options
from twinhull.cli.scalars import Dumper
from twinhull.convert.conversion import CannotConvert, Conversion, Left, LeftKind
from twinhull.convert.formats import (
    COMMANDS,
    FORMATS,
    Format,
    Input,
    Options,
    convert_command,
    convert_files,
    format_of,
)

#: What begins a command line of docker run.
_PROGRAMS = frozenset({"docker", "podman", "nerdctl"})
_RUNS = frozenset({"run", "create", "container"})
#: The most bytes of a file. A List of a thousand Deployments has about ten million.
_MOST_BYTES = 32 << 20
#: How a text begins that isn't UTF-8: as PowerShell writes it (`ConvertTo-Json > file`).
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
#: The tables that a person sees, in their order, each with the titles of its columns.
_HEADS = {
    LeftKind.LOST: ("NOT CARRIED OVER", "WHY, AND WHAT TO DO"),
    LeftKind.READABLE: ("READABLE FOR OTHERS", "WHAT TO DO"),
    LeftKind.MEANINGLESS: ("WITHOUT A MEANING HERE", "WHY"),
}
#: The most columns of a path beside what is told of it, and the fewest of that.
_WIDEST, _NARROWEST = 60, 20


class _Dumper(Dumper):
    """Writes what was an alias in the input at each place where it stands, and texts of several lines as they
    are.
    """

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  PyYAML's
        """No aliases. How much they stand for is bounded when they are read."""
        return True


def _text_of(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_of)


def _variables(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if any(not key or not equals for key, equals, _ in pairs):
        raise click.BadParameter("write NAME=VALUE, such as TAG=1.29")
    return {key: said for key, _, said in pairs}


def _namespace(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_label(value):
        raise click.BadParameter("a namespace has up to 63 lower-case letters, digits and '-', such as shop")
    return value


class _Command(click.Command):
    """Leaves a command line that stands behind `docker-run` as it is, with `--` before it or not."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `--` behind `docker-run` if a word follows that is no option. A command line without
        `docker-run` before it is refused with what to write.
        """
        at = next((index for index, word in enumerate(args) if word in COMMANDS), len(args))
        for index, pair in enumerate(pairwise(args[:at])):
            if pair[0] in _PROGRAMS and pair[1] in _RUNS and not Path(pair[0]).exists():
                line = shlex.join(args[index:])
                raise click.UsageError(
                    f"to convert a command line, write twinhull convert docker-run -- {line}", ctx
                )
        following = args[at + 1 : at + 2]
        if "--" not in args[:at] and following and not following[0].startswith("-"):
            args = [*args[: at + 1], "--", *args[at + 1 :]]
        return super().parse_args(ctx, args)


@click.command(
    cls=_Command,
    epilog="""\b
Examples:
  twinhull convert deployment.yaml > workload.yaml
  twinhull convert deployment.yaml service.yaml pvc.yaml --isolation VirtualMachine
  kubectl get deployment,service web -o yaml | twinhull convert - | kubectl apply -f -
  helm template web ./chart | twinhull convert - --strict >/dev/null && echo "nothing is lost"
  twinhull convert docker-run -- docker run -d --name web -p 80:80 nginx:1.29
  twinhull convert compose.yaml --variable TAG=1.29 --profile debug
  virsh dumpxml web | twinhull convert - --disk-url https://disks.example/exports

\b
Exit codes:
  0  it is converted
  1  an input can't be converted, or, with --strict, something is lost
  2  the command line is wrong
""",
)
@filearguments.files
@click.option(
    "--from",
    "format_name",
    type=click.Choice([found.name for found in FORMATS]),
    help="The format of the files. Without it, it is found out by their content.",
)
@click.option("--name", metavar="NAME", help="The name of the only Workload.")
@click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    callback=_namespace,
    help="The namespace of all objects. Without it, the one that each of them says, if it does.",
)
@click.option(
    "--isolation",
    type=click.Choice([isolation.value for isolation in Isolation]),
    help="The isolation that the Workloads ask for. Without it, containers leave it to policies and the "
    "operator (Auto), and machines that boot a disk stay machines.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml", "json"]),
    default="yaml",
    show_default=True,
    help="The format of what is printed.",
)
@click.option(
    "--variable",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    callback=_variables,
    help="A variable to which an input may refer, such as a Compose file. It may be repeated. The shell's "
    "own variables aren't used.",
)
@click.option(
    "--profile",
    "profiles",
    metavar="NAME",
    multiple=True,
    help="A profile of a Compose file whose services are converted, too; * for all. It may be repeated.",
)
@machine_options
@click.option("--strict", is_flag=True, help="Exit with 1 if anything of the input is lost.")
def convert(  # noqa: PLR0913, PLR0917  one parameter an option
    files: tuple[str, ...],
    format_name: str | None,
    name: str | None,
    namespace: str | None,
    isolation: str | None,
    output: str,
    variables: dict[str, str],
    profiles: tuple[str, ...],
    strict: bool,  # noqa: FBT001  click gives it by name
    **machine: Any,  # noqa: ANN401  click's
) -> None:
    """Print Workloads that run what others run.

    \b
    It takes, and tells them apart by their content:
      - Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod, a List of these
      - a KubeVirt VirtualMachine
      - a Compose file, and a docker run command line (behind docker-run --)
      - a libvirt domain, a .vmx, an OVF descriptor, and a machine of Hyper-V as JSON

    Give Services, ConfigMaps, Secrets and PersistentVolumeClaims together with the Deployments that use them:
    a Service becomes the Workload's own if it has its name, and what a Workload refers to is printed with it.
    - is the standard input.

    A table on the standard error names each field that isn't carried over, with the reason and what to do.
    Two more name what looks like a secret and can be read in the result, and what means nothing here, such as
    docker run's --detach. Neither counts for --strict. docs/convert.md has the rules, and what a cluster has
    set in an object, which isn't named.

    Nothing is read but the files and what they name in their own folder, and nothing is changed in a cluster.
    Render the result before you apply it: twinhull render says what its hull can't honour.
    """  # noqa: D301  the backslash is click's: these lines are kept as they are
    try:
        options = Options(
            name=name,
            namespace=namespace,
            isolation=Isolation(isolation) if isolation else None,
            variables=variables,
            profiles=profiles,
            machine=chosen(machine),
        )
        conversion = _converted(files, format_name, options)
    except CannotConvert as error:
        raise click.ClickException(printable(str(error), keep="\n")) from error
    click.echo(_printed(conversion.objects, output), nl=False)
    if conversion.left:
        click.echo(_tables(conversion.left, _width()), err=True)
    raise SystemExit(int(strict and conversion.loses))


def _converted(files: Sequence[str], format_name: str | None, options: Options) -> Conversion:
    """The conversion of all files, or of a command line such as docker run's."""
    if files[0] in COMMANDS:
        return convert_command(files[1:], _read_any, options)
    named = next((found for found in FORMATS if found.name == format_name), None)
    inputs = [_read(file) for file in files]
    return convert_files([(named or _format(given), given) for given in inputs], options)


def _format(given: Input) -> Format:
    found = format_of(given)
    if found is None:
        known = ", ".join(f"{one.title} ({one.name})" for one in FORMATS)
        raise CannotConvert(
            f"{given.source}: this is none of {known}: correct the file, or name its format by --from to see "
            "what is wrong with it"
        )
    return found


def _read(file: str) -> Input:
    """A file with its documents. Raises ClickException if it can't be read."""
    if file.lower().endswith(".ova"):
        raise CannotConvert(f"{file} is an archive: unpack it (tar -xf), and convert the .ovf in it")
    try:
        with click.open_file(file, "rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}: name a file that can be read") from error
    source = "standard input" if file == "-" else file
    text = _text(data, source)
    if not text.strip():
        raise CannotConvert(f"{source} is empty: give what is to be converted")
    stem = "" if file == "-" else Path(file).name.partition(".")[0]
    given = Input(source, stem, text, _documents(text, source))
    return given if file == "-" else replace(given, read=_Folder(Path(file).parent).read)


def _text(data: bytes, source: str) -> str:
    """A file's text. Raises CannotConvert for one that is too large, or no text."""
    if len(data) > _MOST_BYTES:
        raise CannotConvert(f"{source} has more than {_MOST_BYTES >> 20} MiB: convert a part of it")
    encoding = next((found for mark, found in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise CannotConvert(f"{source} is no text in UTF-8 ({error.reason}): convert its text") from error


def _documents(text: str, source: str) -> tuple[object, ...]:
    """A text's YAML documents as kubectl reads them, none if it isn't YAML. Raises CannotConvert for those
    that are too large, or that nest too deep.
    """
    if text.lstrip().startswith("<"):  # XML, in which PyYAML would look long for a document
        return ()
    try:
        found = [document for document in _parsed(text) if document is not None]
    except (yaml.YAMLError, ValueError):
        return ()
    except RecursionError as error:
        raise CannotConvert(f"{source} nests too deep to be read: convert a part of it") from error
    for number, document in enumerate(found, start=1):
        items = document.get("items") if isinstance(document, dict) else None
        for part in items if isinstance(items, list) else [document]:
            if why := excess(part):
                raise CannotConvert(f"{source}: document {number} can't be read: {why}")
    return tuple(found)


def _parsed(text: str) -> Iterable[object]:
    """The documents of a text. JSON is read as such, which takes a hundredth of the time."""
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return [
                json.loads(
                    text, parse_float=lambda number: scalars.as_json(float(number)), parse_constant=_refuse
                )
            ]
        except ValueError:
            pass  # it may still be YAML, of which JSON is a part
    from twinhull.cli.manifests import Loader  # noqa: PLC0415  it needs the whole API

    return list(yaml.load_all(text, Loader))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


class _Folder:
    """The folder of an input, from which it may name files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str | None:
        """The text of a file in the folder or below, None if there is none. Raises CannotConvert for any
        other, and for one that can't be read.
        """
        folder = self._folder.resolve()
        try:
            is_within = (folder / name).resolve().is_relative_to(folder)
        except (OSError, ValueError):  # a loop of links, or a name that no file can have
            is_within = False
        if not is_within:
            raise CannotConvert(f"{name} isn't in the folder of the input: move it there")
        return _read_any(str(folder / name))


def _read_any(name: str) -> str | None:
    """The text of a file that a person names, None if there is none. Raises CannotConvert for one that can't
    be read.
    """
    try:
        if not Path(name).exists():
            return None
        if not Path(name).is_file():
            raise CannotConvert(f"{name} is no file: correct the name")
        with Path(name).open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CannotConvert(f"{name}: {why}: name a file that can be read") from error
    return _text(data, name)


def _printed(objects: Sequence[Raw], output: str) -> str:
    if output == "json":
        listed = (
            objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        )
        return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _tables(left: Sequence[Left], width: int | None) -> str:
    """What a person is told, in a table for each kind. `width` is the terminal's, None if it is none."""
    parts = ((kind, [one for one in left if one.kind is kind]) for kind in _HEADS)
    return "\n\n".join(_table(_HEADS[kind], told, width) for kind, told in parts if told)


def _table(head: tuple[str, str], told: Sequence[Left], width: int | None) -> str:
    """A table: one line a row, or wrapped for a terminal."""
    rows = [(printable(one.path), printable(one.why)) for one in told]
    if width is None:
        column = min(max(len(path) for path, _ in (head, *rows)), _WIDEST)
        return "\n".join(f"{path:{column}}  {why}" for path, why in (head, *rows))
    paths: dict[str, list[str]] = {}
    for path, why in rows:
        paths.setdefault(why, []).append(path)
    fitting = [len(path) for path, _ in rows if len(path) <= min(_WIDEST, width // 2)]
    column = max(len(head[0]), *fitting, 0)
    from textwrap import wrap  # noqa: PLC0415  for terminals only

    lines = [f"{head[0]:{column}}  {head[1]}"]
    for why, below in paths.items():
        room = max(width - column - 2, _NARROWEST)
        lines += _beside(below, wrap(why, room, break_long_words=False, break_on_hyphens=False), column)
    return "\n".join(lines)


def _beside(paths: Sequence[str], why: Sequence[str], column: int) -> Iterator[str]:
    """The lines of paths of which the same is told, and of that beside them. A path that is too long has a
    line of its own.
    """
    rest = list(why)
    for path in paths:
        if len(path) > column and rest:
            yield path
            path = ""  # noqa: PLW2901  the text begins below it
        yield f"{path:{column}}  {rest.pop(0) if rest else ''}".rstrip()
    yield from (f"{'':{column}}  {line}" for line in rest)


def _width() -> int | None:
    """How many columns the terminal has on which the table is printed, None if there is none."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or None
    except (OSError, ValueError):  # a file, a pipe, or a stream in memory
        return None
