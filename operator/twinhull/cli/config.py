"""`twinhull config`: the settings that `twinhull run` would have, and where each comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click
import yaml
from click.core import ParameterSource

from twinhull.cli import configfile
from twinhull.cli.columns import columns
from twinhull.cli.options import OperatorOptions, options


class Setting(NamedTuple):
    """One setting that would be in force."""

    #: Its name in the file, such as guestImage.
    key: str
    value: object
    #: Where the value comes from: a flag, a variable, "the file" or "default".
    source: str


@click.command(
    context_settings={"auto_envvar_prefix": configfile.PREFIX},
    epilog="""\b
Examples:
  twinhull config
  twinhull config --config settings.yaml --workers 32
  TWINHULL_LOG_FORMAT=json twinhull config -o yaml >settings.yaml

\b
Exit codes:
  0  the settings were printed
  2  a setting, the file or an option is wrong
""",
)
@options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "yaml"]),
    default="table",
    show_default=True,
    help="The format. yaml can be used as a file for --config.",
)
@click.pass_context
def config(context: click.Context, /, output: str, **chosen: Any) -> None:  # noqa: ANN401  as run's
    """Print the settings of `twinhull run`.

    They are the settings that `twinhull run` would have with the same options, environment and file. Settings
    that it would refuse are refused here, too. Nothing is started, so this can check a configuration before a
    roll-out.
    """
    from twinhull.cli.settings import settings  # noqa: PLC0415  takes time

    chose = OperatorOptions(**chosen)
    settings(chose)
    all_settings = [
        Setting(configfile.key(option), _plain(getattr(chose, option.name)), _source(context, option))
        for option in context.command.params
        if option.name in OperatorOptions.__dataclass_fields__
    ]
    if output == "yaml":
        mapping = {one.key: one.value for one in all_settings if one.value not in (None, [])}
        click.echo(yaml.safe_dump(mapping, sort_keys=False), nl=False)
        return
    rows = [("SETTING", "VALUE", "FROM"), *((one.key, _shown(one.value), one.source) for one in all_settings)]
    click.echo("\n".join(columns(rows)))


def _plain(value: object) -> object:
    """A value as it is written in the file."""
    match value:
        case (str(host), int(port)):
            return f"{host}:{port}"
        case tuple():
            return list(value)
        case Path():
            return str(value)
    return value


def _shown(value: object) -> str:
    match value:
        case None | []:
            return "-"
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(value)
    return str(value)


def _source(context: click.Context, option: click.Parameter) -> str:
    match context.get_parameter_source(str(option.name)):
        case ParameterSource.COMMANDLINE:
            return option.opts[0]
        case ParameterSource.ENVIRONMENT:
            return configfile.variable(option)
        case ParameterSource.DEFAULT_MAP:
            return "the file"
    return "default"
