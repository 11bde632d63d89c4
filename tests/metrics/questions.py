"""The questions that the dashboard and the alerts ask of Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILES = Path(__file__).parents[2] / "charts" / "twinhull" / "files"
ALERTS = FILES / "alerts.yaml"
DASHBOARD = FILES / "dashboard.json"

#: What Grafana puts in the place of its variables.
_VARIABLES = {"$namespace": ".*", "$__rate_interval": "1m"}


@dataclass(frozen=True)
class Question:
    """An expression, and who asks it."""

    asker: str
    expression: str


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, in their order."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return found


def dashboard() -> Iterator[Question]:
    """Every query of the dashboard's, with its variables at All."""
    for panel in panels():
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for variable, value in _VARIABLES.items():
                expression = expression.replace(variable, value)
            yield Question(f"{panel['title']} {target['refId']}", expression)


def alerts() -> Iterator[Question]:
    """Every alert's expression."""
    for group in yaml.load(ALERTS.read_text(encoding="utf-8"), yaml.CSafeLoader)["groups"]:
        for rule in group["rules"]:
            yield Question(rule["alert"], rule["expr"])
