"""What `twinhull render` says of what a conversion gives."""

from __future__ import annotations

import json
import re

import yaml
from click.testing import CliRunner

from twinhull.api.base import Raw
from twinhull.cli import main
from twinhull.cli.scalars import Dumper


def render(objects: list[Raw] | tuple[Raw, ...], *arguments: str) -> str:
    """Render the Workloads among some objects; gives what is wrong with them, empty if nothing."""
    given = yaml.dump_all([obj for obj in objects if obj["kind"] == "Workload"], Dumper=Dumper)
    result = CliRunner().invoke(main, ["render", "-f", "-", *arguments], input=given)
    wrong = [line for line in result.stderr.splitlines() if not line.startswith("note: ")]
    return "" if result.exit_code == 0 else "\n".join(wrong) or str(result.exception)


def refused(objects: list[Raw] | tuple[Raw, ...], isolation: str) -> list[str]:
    """The fields of a Workload that an isolation doesn't honour."""
    return re.findall(r"^  (spec\.\S+)  ", render(objects, "--isolation", isolation), re.MULTILINE)


def rendered(objects: list[Raw], *arguments: str) -> list[Raw]:
    """What `twinhull render` prints of Workloads."""
    given = json.dumps({"kind": "List", "items": objects})
    result = CliRunner().invoke(main, ["render", "-f", "-", "-o", "json", *arguments], input=given)
    printed = json.loads(result.stdout)
    return list(printed["items"]) if printed["kind"] == "List" else [printed]
