"""docs/contributing/modules.md: each module of each layer, and the first sentence of its docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "operator" / "twinhull"
#: The layers, in the order in which each imports those before it.
LAYERS = ("api", "hulls", "core", "shell", "validation", "view", "convert", "verbs", "reach", "cli")
_HEAD = """\
<!-- Made by `make generate` from the docstrings of operator/twinhull; changes belong there. -->

# All modules

Each file of `operator/twinhull`, and the first sentence of its docstring. A layer may import those above it, as
[ARCHITECTURE.md](../../ARCHITECTURE.md#where-things-are) says in detail. The rules in `core/rules` have
[a table of their own](../../ARCHITECTURE.md#the-rules), too.
"""
_SENTENCE = re.compile(r"(.+?)\.(?=\s|$)", re.DOTALL)


def page() -> str:
    """The page: a heading and a table for each layer."""
    return _HEAD + "".join(f"\n## {layer}\n\n{table(layer)}" for layer in LAYERS)


def table(layer: str) -> str:
    """A layer's table: its modules in alphabetical order, and those of a package below the package."""
    rows = "".join(f"| `{name}` | {sentence} |\n" for name, sentence in _modules(layer))
    return f"| module of `{layer}/` | what it is |\n|---|---|\n{rows}"


def _modules(layer: str) -> Iterator[tuple[str, str]]:
    """The names of a layer's modules, from the layer on, and what each is. A package's ends in a slash."""
    folder = PACKAGE / layer
    for path in sorted(folder.rglob("*.py"), key=_place):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if path.name == "__init__.py" and path.parent != folder:
            yield f"{name.removesuffix('__init__')}", _first_sentence(path)
        elif path.name != "__init__.py":
            yield name, _first_sentence(path)


def _place(path: Path) -> tuple[str, ...]:
    """What modules are sorted by: a package stands among the modules beside it, before its own."""
    return path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts


def _first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, as a cell of a table. Raises ValueError if it has none."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    match = _SENTENCE.match(docstring)
    if match is None:
        raise ValueError(f"{path} has no docstring that begins with a sentence: say there what the module is")
    return " ".join(match[1].split()).replace("|", r"\|")
