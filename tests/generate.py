"""Makes every derived file anew (`make generate`), or says what would change (`--check`)."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests import parity_page
from tests.controlplane.build import BuildError
from tests.podtemplate.generate import podtemplate
from twinhull.api import crd
from twinhull.api.base import Raw

ROOT = Path(__file__).parents[1]

_HEADER = "# Made by `make generate` from operator/twinhull/api; changes belong there.\n"
_LAYOUT: dict[str, Any] = {
    "default_flow_style": None,
    "sort_keys": False,
    "width": 110,
    "allow_unicode": True,
}


class _Dumper(yaml.SafeDumper):
    """Block style, with what holds nothing but short scalars on one line: `image: {type: string}`."""

    def represent_mapping(
        self,
        tag: str,
        mapping: Any,
        flow_style: bool | None = None,  # noqa: FBT001  the signature is PyYAML's
    ) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        if "description" in mapping or "message" in mapping:
            node.flow_style = False
        return node

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the signature is PyYAML's
        return True


def _yaml(raw: Raw) -> str:
    text: str = yaml.dump(raw, Dumper=_Dumper, **_LAYOUT)
    return _HEADER + text


#: Each derived file and what makes its text, in an order in which a later one may read an earlier one.
GENERATORS: list[tuple[str, Callable[[], str]]] = [
    ("operator/twinhull/api/podtemplate.json", podtemplate),
    ("crds/isolationpolicies.twinhull.dev.yaml", lambda: _yaml(crd.isolation_policies())),
    ("crds/workloads.twinhull.dev.yaml", lambda: _yaml(crd.workloads())),
    ("docs/parity.md", parity_page.page),
]


def main() -> int:
    """Exit code: 1 if a committed file isn't what would be made."""
    check = sys.argv[1:] == ["--check"]
    changed = False
    for name, made in GENERATORS:
        path = ROOT / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = made()
        if old == new:
            continue
        changed = True
        if check:
            lines = difflib.unified_diff(old.splitlines(), new.splitlines(), name, "generated", lineterm="")
            print("\n".join(lines))
        else:
            path.write_text(new, encoding="utf-8")
            print(f"made {name}")
    return int(check and changed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BuildError as error:
        sys.exit(str(error))
