"""A hook of mkdocs (mkdocs.yml, `make docs`): links from docs/ to other files of the repository.

A page says them relative to itself, which is right on GitHub. On the site they lead to the repository.
"""

from __future__ import annotations

import os.path
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

REPOSITORY = "https://github.com/twinhull/twinhull"
_BRANCH = "main"
#: The target of an inline link that goes up: `](../charts/twinhull)`.
_UP = re.compile(r"(?<=\]\()\.\./[^)\s]*")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  the signature is mkdocs'
    """The page's text for the site. Raises PluginError at a link to what isn't in the repository."""
    root, docs = Path(config.config_file_path).parent, Path(config.docs_dir)
    page_at = docs.relative_to(root) / page.file.src_uri

    def led(match: re.Match[str]) -> str:
        return leading(match[0], page_at, root)

    return _UP.sub(led, markdown)


def leading(link: str, page: Path, root: Path) -> str:
    """Where a page's link leads on the site: as it is inside the page's top folder, else to the repository.

    `page` is relative to `root`. Raises PluginError if nothing is there.
    """
    path, hash_, anchor = link.partition("#")
    target = os.path.normpath(page.parent / path)
    if Path(target).parts[0] == page.parts[0]:
        return link
    if target.startswith("..") or not (root / target).exists():
        raise PluginError(f"{page}: {link} leads to {target}, and there is none")
    kind = "tree" if (root / target).is_dir() else "blob"
    return f"{REPOSITORY}/{kind}/{_BRANCH}/{target}{hash_}{anchor}"
