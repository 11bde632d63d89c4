"""Reads YAML files that options name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import yaml

from twinhull.api.yamlproblems import NOT_UTF_8, problem


class _Loader(yaml.SafeLoader):
    """Refuses a mapping with the same key twice, as YAML does (yaml.org/spec/1.2.2, 3.2.1.1)."""

    def compose_mapping_node(self, anchor: dict[Any, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
            seen.add((key.tag, str(key.value)))
        return node


def read(path: Path, hint: str | None = None) -> object:
    """The file's content. Raises BadParameter, for the option `hint`, if the file isn't readable YAML."""
    try:
        text = path.read_text(encoding="utf-8")
        return yaml.load(text, _Loader)  # noqa: S506  a SafeLoader
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint=hint) from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{path}: {NOT_UTF_8}", param_hint=hint) from error
    except yaml.YAMLError as error:
        raise click.BadParameter(f"{path} isn't YAML: {problem(error, text)}", param_hint=hint) from error
    except ValueError as error:  # no such day
        raise click.BadParameter(f"{path} isn't YAML: {error}", param_hint=hint) from error
