"""`twinhull convert`: makes Workloads of Deployments, Compose files, machines and the like."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from twinhull.api.isolation import Isolation
from twinhull.api.objectnames import is_label
from twinhull.cli import conversioninputs, conversionoutput, filearguments
from twinhull.cli.machineoptions import chosen, machine_options
from twinhull.convert.conversion import CannotConvert, Conversion, WrongOption
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

#: The first word of a command line like docker run's, and its second.
_PROGRAMS = frozenset({"docker", "podman", "nerdctl"})
_RUNS = frozenset({"run", "create", "container"})


def _variables(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if any(not key or not equals for key, equals, _ in pairs):
        raise click.BadParameter("write NAME=VALUE, such as TAG=1.29")
    return {key: value for key, _, value in pairs}


def _namespace(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not is_label(value):
        raise click.BadParameter("a namespace has up to 63 lower-case letters, digits and '-', such as shop")
    return value


class _Command(click.Command):
    """Takes the words behind `docker-run` as they are, with or without `--` before them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `--` behind `docker-run` if the next word is no option. A command line without `docker-run`
        before it is refused, and the error says what to write.
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
  virsh dumpxml web | twinhull convert - --disk-size boot=40Gi --disk-url https://disks.example/exports

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
    type=click.Choice([file_format.name for file_format in FORMATS]),
    help="The format of the files. Without this option, their content tells it.",
)
@click.option("--name", metavar="NAME", help="The name of the only Workload.")
@click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    callback=_namespace,
    help="The namespace of all objects. Without this option, each object keeps its own, if it has one.",
)
@click.option(
    "--isolation",
    type=click.Choice([isolation.value for isolation in Isolation]),
    help="The isolation that the Workloads ask for. Without this option, Workloads with containers ask for "
    "Auto, which leaves it to policies and the operator, and machines that boot a disk stay machines.",
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
    help="A variable to which an input, such as a Compose file, may refer. It may be repeated. The shell's "
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
@click.option("--strict", is_flag=True, help="Exit with 1 if any field of the input is lost.")
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
    """Print Workloads made of Deployments, Compose files or machines.

    \b
    It reads these formats, and tells them apart by their content:
      - Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Pod, a List of these
      - a KubeVirt VirtualMachine
      - a Compose file, and a docker run command line (behind docker-run --)
      - a libvirt domain, a .vmx, an OVF descriptor, and a machine of Hyper-V as JSON

    Give Services, ConfigMaps, Secrets and PersistentVolumeClaims together with the Deployments that use them:
    a Service becomes the Workload's own if it has its name, and what a Workload refers to is printed with it.
    - is the standard input.

    A table on the standard error names each field that isn't carried over, with the reason and what to do.
    Three more tables name fields that you should check, such as the ports of a Service; values that look like
    secrets and that anybody can read in the result; and fields without a meaning here, such as docker run's
    --detach. Only the first table counts for --strict. Fields that a cluster has set in an object aren't
    named. docs/convert.md lists them, and has the rules.

    The command reads the files that you give, files in their folders that they name, and files that a docker
    run command line names, wherever they are. It changes nothing in a cluster. Render the result before you
    apply it: twinhull render names the fields that its hull can't honour.
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
    except WrongOption as error:
        raise click.UsageError(conversionoutput.refusal(error)) from error
    except CannotConvert as error:
        raise click.ClickException(conversionoutput.refusal(error)) from error
    click.echo(conversionoutput.printed(conversion.objects, output), nl=False)
    if conversion.left:
        click.echo(conversionoutput.tables(conversion.left), err=True)
    raise SystemExit(int(strict and conversion.loses))


def _converted(files: Sequence[str], format_name: str | None, options: Options) -> Conversion:
    """The conversion of all files, or of a command line such as docker run's."""
    if files[0] in COMMANDS:
        return convert_command(files[1:], conversioninputs.read_any, options)
    named = next((file_format for file_format in FORMATS if file_format.name == format_name), None)
    inputs = [conversioninputs.read(file) for file in files]
    return convert_files([(named or _format(file_input), file_input) for file_input in inputs], options)


def _format(file_input: Input) -> Format:
    file_format = format_of(file_input)
    if file_format is None:
        known = ", ".join(f"{one.title} ({one.name})" for one in FORMATS)
        raise CannotConvert(
            f"{file_input.source}: this is none of {known}: correct the file, or name its format by --from "
            "to see what is wrong with it"
        )
    return file_format
