"""The examples in docs/: what the API server takes, and what the commands print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from twinhull.api.base import Raw
from twinhull.api.crd import crds
from twinhull.api.validation import problems
from twinhull.cli import main

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TOUR = (ROOT / "docs/tour.md").read_text(encoding="utf-8")

_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SCHEMAS = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    for crd in crds()
}


def manifests() -> Iterator[tuple[str, Raw]]:
    """Each whole object of ours that a page shows, and the page."""
    for page in PAGES:
        for text in _YAML.findall(page.read_text(encoding="utf-8")):
            for found in yaml.load_all(text, yaml.CSafeLoader):
                if isinstance(found, dict) and found.get("kind") in _SCHEMAS:
                    yield page.name, found


@pytest.mark.parametrize(("page", "manifest"), list(manifests()))
def test_an_example_is_as_the_schema_wants_it(page: str, manifest: Raw) -> None:
    assert list(problems(_SCHEMAS[manifest["kind"]]["spec"], manifest["spec"], page)) == []


def test_the_tour_shows_what_twinhull_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (policy,) = _YAML.findall(TOUR)
    (tmp_path / "floor.yaml").write_text(policy, encoding="utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    blocks = [block for block in _CONSOLE.findall(TOUR) if block.startswith("$ twinhull explain ")]
    assert len(blocks) == 1
    for block in blocks:
        command, _, output = block.removeprefix("$ twinhull ").partition("\n")
        result = CliRunner().invoke(main, shlex.split(command))
        assert (result.exit_code, result.stdout) == (0, output)
