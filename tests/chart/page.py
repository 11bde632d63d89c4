"""The chart's README: what its values.yaml says of each value, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from tests.chart.helm import CHART

_PAGE = """\
# twinhull

<!-- Made by `make generate` from values.yaml; changes belong there. -->

The [Twinhull](../../README.md) operator: one Workload, run as a Pod, a sandboxed Pod or a KubeVirt machine.
[docs/install.md](../../docs/install.md) says how to install, upgrade and remove it.

```console
helm install twinhull charts/twinhull --namespace twinhull-system --create-namespace
```

| Value | Default | Description |
|---|---|---|
{rows}
"""


def page() -> str:
    """The README's text."""
    lines = (CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
    root = yaml.compose("\n".join(lines))
    if not isinstance(root, yaml.MappingNode):
        raise TypeError("values.yaml isn't a mapping")
    return _PAGE.format(rows="\n".join(_rows(root, lines, "")))


def _rows(mapping: yaml.MappingNode, lines: list[str], above: str) -> Iterator[str]:
    """A row for each value that has a comment and nothing below that has one."""
    for key, value in mapping.value:
        path, words = f"{above}{key.value}", _comment(lines, key.start_mark.line)
        below = [] if not isinstance(value, yaml.MappingNode) else list(_rows(value, lines, f"{path}."))
        if below:
            yield f"| **{path}** | | {words} |"
            yield from below
        elif words:
            yield f"| `{path}` | `{_default(value)}` | {words} |"


def _comment(lines: list[str], line: int) -> str:
    """The comment right above a line."""
    words: list[str] = []
    while line and (text := lines[line - 1].strip()).startswith("#"):
        words.insert(0, text.lstrip("# "))
        line -= 1
    return " ".join(words).replace("|", "\\|")


def _default(node: yaml.Node) -> str:
    loader: Any = yaml.SafeLoader("")
    return json.dumps(loader.construct_object(node, deep=True))
