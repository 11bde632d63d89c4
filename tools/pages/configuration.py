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

`twinhull run` takes each setting from the first of these that has it:

1. a flag: `--workers 8`
2. an environment variable: `TWINHULL_WORKERS=8`
3. the file that `--config` (or `TWINHULL_CONFIG`) names: `workers: 8`
4. the setting's default.

All are read at the start only. What can't be is refused then, with the place where it was said: a setting of
the file that isn't one or is there twice, a value that doesn't fit, a file that isn't there.

## The file

It is YAML: a setting a line, by its name in camelCase. One that is left empty is as one that isn't there.

```yaml
{file}```

`twinhull config` takes the same flags, environment and file. It says what would be in force and who said so,
and starts nothing. With that file as `config.yaml`:

```console
$ {command}
{output}```

It exits with 2 where `twinhull run` would refuse these settings, so it can check a file before a roll-out.
`-o yaml` prints what is in force as a file.

## In a cluster

The chart writes the file from [its values](../charts/twinhull/README.md). It is the annotation
`twinhull.dev/config.yaml` of the operator's Pods, which have it at `/etc/twinhull/config/config.yaml`; with
it is `twinhull.dev/registries.yaml`, the file that `guestRegistries` names. Both are in the Deployment's
template: an upgrade of the release that changes one replaces the Pods, one after the other, and a Pod keeps
what it was made with ([why](adr/0019-the-configuration-is-the-pods.md)).

What has no value of its own is said by `extraArgs` (flags) or `extraEnv` (variables). Both come before the
file.

With kustomize, patch the annotation in the Deployment's `spec.template`.

## Settings

A setting with several values is a list in the file, a flag that is repeated, and a variable with blanks
between them. A list takes the place of one that comes after it, and isn't added to it: with `--namespace c`,
`namespaces: [a, b]` in the file counts for nothing. A switch is `true` or `false` in the file and in a
variable, and a flag without a value. A variable that is empty is as one that isn't there, but for a list's:
that is refused.

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
