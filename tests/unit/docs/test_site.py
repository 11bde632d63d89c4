"""mkdocs.yml and docs/: the site has every page, and its links lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from mkdocs.exceptions import PluginError

from tools.site_links import REPOSITORY, leading

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
SITE: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))


def pages(nav: object) -> Iterator[str]:
    """The files that a part of the nav names."""
    match nav:
        case str():
            yield nav
        case list():
            for below in nav:
                yield from pages(below)
        case dict():
            for below in nav.values():
                yield from pages(below)


def test_every_page_is_in_the_nav_once_and_the_nav_has_no_other() -> None:
    files = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
    assert sorted(pages(SITE["nav"])) == files


def test_a_reader_s_browser_asks_nobody_else() -> None:
    assert SITE["theme"]["font"] is False
    assert SITE["plugins"] == ["search"]
    assert not SITE.keys() & {"repo_url", "extra", "extra_javascript"}
    styles = [(DOCS / name).read_text(encoding="utf-8") for name in SITE["extra_css"]]
    assert not any(word in style for style in styles for word in ("url(", "@import"))


def test_whatever_leads_nowhere_ends_the_build() -> None:
    checks = {**SITE["validation"]["nav"], **SITE["validation"]["links"]}
    assert SITE["strict"] is True
    assert set(checks.values()) == {"warn"}


@pytest.mark.parametrize(
    ("page", "link", "leads"),
    [
        ("docs/adr/0001.md", "../parity.md#pod", "../parity.md#pod"),
        ("docs/install.md", "../README.md", f"{REPOSITORY}/blob/main/README.md"),
        ("docs/install.md", "../README.md#what-works", f"{REPOSITORY}/blob/main/README.md#what-works"),
        ("docs/gitops.md", "../examples/argocd", f"{REPOSITORY}/tree/main/examples/argocd"),
        ("docs/adr/0001.md", "../../charts/", f"{REPOSITORY}/tree/main/charts"),
    ],
)
def test_a_link_out_of_the_pages_leads_to_the_repository(page: str, link: str, leads: str) -> None:
    assert leading(link, Path(page), ROOT) == leads


@pytest.mark.parametrize("link", ["../absent.md", "../../outside.md", "../..", "../charts/twinhul/README.md"])
def test_a_link_to_what_is_not_in_the_repository_ends_the_build(link: str) -> None:
    with pytest.raises(PluginError, match=r"docs/install\.md: .* leads to"):
        leading(link, Path("docs/install.md"), ROOT)
