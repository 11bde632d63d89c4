"""Pod templates in the shapes that public charts and examples have, written for the tests.

Each file is a family, and names each of its templates. They ask for what public ones ask for, about as often:
of 803 of those 43 want a token of an audience and 27 their node's address, and of 62 every seventh has nulls
that a chart printed. They are as people write them, also where a hull can't take them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from twinhull.cli import kubectlyaml, manifests
from twinhull.hulls.parity import ParityContext, in_machines

Template = dict[str, Any]


def templates() -> dict[str, Template]:
    """Every template by its name, as kubectl reads it."""
    return dict(_read())


def ends(template: Template) -> bool:
    """Whether it is a Job's, rather than a Deployment's."""
    return template["spec"].get("restartPolicy") in {"OnFailure", "Never"}


def machine_refuses(template: Template) -> tuple[str, ...]:
    """The fields of a template that a machine can't honour."""
    given = manifests.pruned(template)
    fields = in_machines(given, ParityContext(virtiofs_storage=True, node_addresses=True))
    return tuple(field.path for field in fields)


def _read() -> Iterator[tuple[str, Template]]:
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        family = yaml.load(path.read_text(encoding="utf-8"), kubectlyaml.Loader)  # noqa: S506  a SafeLoader
        assert isinstance(family, dict)
        yield from family.items()
