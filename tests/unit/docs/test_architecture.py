"""ARCHITECTURE.md: what it names exists, and it names all files of the shell."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.unit.docs.test_walk import problem
from tools.pages import modules

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "operator" / "twinhull"
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")

_NAME = re.compile(r"`([\w/]+)`")
#: A layer's line: its folder, and what is in it.
_LAYER = re.compile(r"^\| `(\w+)/` \| (.*) \| [^|]*\|$", re.MULTILINE)
LAYERS = dict(_LAYER.findall(TEXT))
#: The table of the shell's files: its lines after the heads of its columns.
SHELL = re.search(r"^\| subject \| files of `shell/` \|\n(.*?)\n\n", TEXT + "\n\n", re.MULTILINE | re.DOTALL)


def named(text: str) -> set[str]:
    """What a line has in backticks, without the folders above it."""
    return {name.rstrip("/").rpartition("/")[2] for name in _NAME.findall(text)}


def present(folder: Path) -> set[str]:
    """The modules and folders below a folder."""
    return {path.stem for path in folder.rglob("*") if path.suffix == ".py" or path.is_dir()}


def test_the_layers_are_those_that_there_are() -> None:
    assert LAYERS.keys() == {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}


@pytest.mark.parametrize("layer", LAYERS)
def test_what_a_layer_is_said_to_have_is_there(layer: str) -> None:
    assert named(LAYERS[layer]) <= present(PACKAGE / layer)


def test_all_layers_have_a_table_of_modules() -> None:
    assert set(modules.LAYERS) == LAYERS.keys()


@pytest.mark.parametrize("layer", modules.LAYERS)
def test_all_modules_of_a_layer_have_a_row(layer: str) -> None:
    rows = re.findall(r"^\| `([\w/]+)` \| \S", modules.table(layer), re.MULTILINE)
    files = {path.relative_to(PACKAGE / layer) for path in (PACKAGE / layer).rglob("*.py")}
    assert sorted(rows) == sorted(
        f"{path.parent}/" if path.name == "__init__.py" else str(path.with_suffix(""))
        for path in files
        if str(path) != "__init__.py"
    )


def test_every_function_that_is_named_exists() -> None:
    references = re.findall(r"`([\w.-]+/[\w./-]+:\w[^`]*)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
    assert len(references) > 30
    assert [wrong for span in references if (wrong := problem(span))] == []


_CLOCK = re.compile(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)")
PURE = ("api", "convert", "core", "hulls", "validation", "verbs", "view")


def test_no_pure_layer_asks_for_the_time() -> None:
    asked = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for layer in PURE
        for path in (PACKAGE / layer).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and _CLOCK.fullmatch(ast.unparse(node))
    ]
    assert asked == []


def test_all_files_of_the_shell_are_named() -> None:
    assert SHELL
    files = {path.stem for path in (PACKAGE / "shell").glob("*.py")} - {"__init__"}
    loop = {"reconciler", "controller", *(file for file in files if file.endswith("_controller"))}
    assert files <= named(SHELL[1]) | loop, "the text above the table has the reconciler and its controllers"
    assert named(SHELL[1]) <= present(PACKAGE / "shell")
