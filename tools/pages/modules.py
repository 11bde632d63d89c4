"""ARCHITECTURE.md's tables of modules: each module of a layer, and the first sentence of its docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "operator" / "twinhull"
#: The layers that have a table.
LAYERS = ("hulls", "core")
#: The packages whose files have a table of their own.
_ELSEWHERE = ("core/rules",)
_SENTENCE = re.compile(r"(.+?)\.(?=\s|$)", re.DOTALL)


def table(layer: str) -> str:
    """A layer's table: its modules in alphabetical order, and those of a package below the package."""
    rows = "".join(f"| `{name}` | {sentence} |\n" for name, sentence in _modules(layer))
    return f"| module of `{layer}/` | what it is |\n|---|---|\n{rows}"


def _modules(layer: str) -> Iterator[tuple[str, str]]:
    """The names of a layer's modules, from the layer on, and what each is. A package's ends in a slash."""
    folder = PACKAGE / layer
    for path in sorted(folder.rglob("*.py"), key=_place):
        package = path.parent.relative_to(PACKAGE).as_posix()
        name = path.relative_to(folder).with_suffix("").as_posix()
        if path.name == "__init__.py" and path.parent != folder:
            yield f"{name.removesuffix('__init__')}", _first_sentence(path)
        elif path.name != "__init__.py" and package not in _ELSEWHERE:
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
