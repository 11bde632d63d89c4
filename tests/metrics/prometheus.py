"""A Prometheus of a test's own, built from its pinned Go module, and its promtool."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml

from tests.controlplane import PATIENCE, eventually, process
from tests.controlplane.build import programs
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.controlplane.supervisor import answers


def promtool(*arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """What promtool says; `text` is its standard input."""
    command = [str(programs(["promtool"])["promtool"]), *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False)


@dataclass(frozen=True)
class Prometheus:
    """A server that scrapes every second, or as often as it is told."""

    url: str
    server: process.Process

    @classmethod
    @contextmanager
    def running(
        cls, folder: Path, targets: list[str], rules: Path, *, interval: int = 1
    ) -> Iterator[Prometheus]:
        """One that scrapes these addresses and evaluates these rules every `interval` seconds, until the end
        of the context.
        """
        (port,) = free_ports(1)
        config = folder / "prometheus.yaml"
        config.write_text(yaml.safe_dump(_config(targets, rules, interval)), encoding="utf-8")
        server = process.start(
            "prometheus",
            [
                programs(["prometheus"])["prometheus"],
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={LOOPBACK}:{port}",
            ],
            log=folder / "prometheus.log",
            folder=folder,
            environment={},
            tied=True,
        )
        running = cls(f"http://{LOOPBACK}:{port}", server)
        try:
            eventually(
                lambda: answers(f"{running.url}/-/ready"), 60, "Prometheus is ready", alive=running.check
            )
            yield running
        finally:
            process.stop([server])

    def check(self) -> None:
        """Raise ComponentDied, with the end of its log, if it has ended."""
        process.check([self.server])

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an expression gives now. Raises ValueError with what Prometheus has against it."""
        result: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return result

    def selectors(self, expression: str) -> list[dict[str, Any]]:
        """The vector selectors of an expression, as Prometheus parses it."""
        return list(_selectors(self._get("parse_query", query=expression)))

    def rules(self) -> list[dict[str, Any]]:
        """The rules and how they fared."""
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def _get(self, what: str, **parameters: str) -> Any:
        response = urllib3.request("GET", f"{self.url}/api/v1/{what}", fields=parameters)
        answer = json.loads(response.data)
        if answer["status"] != "success":
            raise ValueError(f"{parameters}: {answer['error']}")
        return answer["data"]


def _config(targets: list[str], rules: Path, interval: int) -> dict[str, Any]:
    job = {"job_name": "twinhull", "static_configs": [{"targets": targets}]}
    every = dict.fromkeys(("scrape_interval", "scrape_timeout", "evaluation_interval"), f"{interval}s")
    return {"global": every, "rule_files": [str(rules)], "scrape_configs": [job]}


def _selectors(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for child in node:
            yield from _selectors(child)
    elif isinstance(node, dict):
        if node.get("type") in {"vectorSelector", "matrixSelector"}:
            yield node
        for child in node.values():
            yield from _selectors(child)
