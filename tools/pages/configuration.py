"""docs/configuration.md: the options of `twinhull run` as a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from twinhull.cli import main
from twinhull.cli.configfile import key, variable
from twinhull.cli.run import run

_FILE = """\
defaultIsolation: Sandbox
sandboxRuntimeClass: gvisor
guestImage: registry.example/twinhull/guest:0.1.0
workers: 32
logFormat: json
"""
_ENVIRONMENT = {"TWINHULL_WORKERS": "8"}
_COMMAND = ["config", "--config", "config.yaml", "--log-format", "text"]
_PAGE = """\
<!-- Made by `make generate` from operator/twinhull/cli/options.py; changes belong there, or in
tools/pages/configuration.py. -->

# Configuration

`twinhull run` takes each setting from the first of these sources that has it:

1. a flag: `--workers 8`
2. an environment variable: `TWINHULL_WORKERS=8`
3. the file that `--config` (or `TWINHULL_CONFIG`) names: `workers: 8`
4. the setting's default.

The operator reads all of them once, at its start. If something is wrong, it doesn't start, and says what is
wrong and where: an unknown setting in the file, a setting that the file has twice, a value that isn't
allowed, or a file that doesn't exist.

## The file

The file is YAML with one setting a line, by its name in camelCase. A setting without a value counts as
absent.

```yaml
{file}```

`twinhull config` takes the same flags, environment and file. It prints the settings that would be in
force and where each comes from, and starts nothing. With the file above as `config.yaml`:

```console
$ {command}
{output}```

It exits with 2 if `twinhull run` would refuse these settings, so it can check a file before a roll-out.
`-o yaml` prints the settings as a file for `--config`.

## In a cluster

The chart makes the file from [its values](../charts/twinhull/README.md). The file is the annotation
`twinhull.dev/config.yaml` of the operator's Pods, which mount it at `/etc/twinhull/config/config.yaml`. The
annotation `twinhull.dev/registries.yaml` is the file that `guestRegistries` names. Both annotations are in
the Deployment's template. If an upgrade of the release changes one of them, the Pods are replaced one after
the other. A Pod keeps the configuration with which it was made
([why](adr/0019-the-configuration-is-the-pods.md)).

Use `extraArgs` (flags) or `extraEnv` (variables) for settings for which the chart has no value. Both override
the file.

With kustomize, add a flag to the container's `args` ([example](install.md#kustomize)). If you patch the annotation, give
the whole file: a patch replaces it, and a setting that you leave out gets its default.

## Settings

A setting with several values is a list in the file, a repeated flag, or a variable with values separated by
spaces. The first source that has the list replaces the lists of the others: with `--namespace c`,
`namespaces: [a, b]` in the file has no effect. A switch is `true` or `false` in the file and in a variable,
and a flag without a value. An empty variable counts as absent, except for a list, where it is refused.

| in the file | flag | variable | default | what it does |
|---|---|---|---|---|
{rows}
"""


def page() -> str:
    """The page's text."""
    runner = CliRunner(env=_ENVIRONMENT)
    with runner.isolated_filesystem():
        Path("config.yaml").write_text(_FILE, encoding="utf-8")
        result = runner.invoke(main, _COMMAND, catch_exceptions=False)
    if result.exit_code:
        raise ValueError(f"the page's example is refused: {result.output}")
    variables = (f"{name}={value}" for name, value in _ENVIRONMENT.items())
    command = " ".join([*variables, "twinhull", *_COMMAND])
    options = (option for option in run.params if isinstance(option, click.Option))
    rows = "\n".join(f"| {' | '.join(_row(option))} |" for option in options)
    return _PAGE.format(file=_FILE, command=command, output=result.output, rows=rows)


def _row(option: click.Option) -> Iterator[str]:
    yield f"`{key(option)}`" if option.expose_value else ""
    yield f"`{option.opts[0]}`"
    yield f"`{variable(option)}`"
    yield _default(option)
    yield " ".join(filter(None, [(option.help or "").replace("|", "\\|"), _allowed(option)]))


def _default(option: click.Option) -> str:
    """The default as the file has it; nothing if there is none."""
    if option.is_flag:
        return "`false`"
    default = option.to_info_dict()["default"]
    return "" if default is None else f"`{default}`"


def _allowed(option: click.Option) -> str:
    """What a value may be, where the type says it."""
    match option.type:
        case click.Choice(choices=choices):
            return f"One of {', '.join(f'`{choice}`' for choice in choices)}."
        case click.IntRange(min=low, max=high) | click.FloatRange(min=low, max=high):
            unit = f" {option.metavar.lower()}" if option.metavar else ""
            return f"From {low} to {high}{unit}."
    return ""
