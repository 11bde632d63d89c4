"""What is said of a change that the API server refuses, and which Workloads are changed all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from tests.unit.cli.watchapi import WatchApi
from tests.unit.reach.virtapi import beside
from twinhull.cli import main

FORBIDDEN = (
    'workloads.twinhull.dev "{name}" is forbidden: User "ann" cannot patch resource "workloads" in API group '
    '"twinhull.dev" in the namespace "shop"'
)
RIGHT = (
    ". You need the right to patch workloads, which Kubernetes' role edit has: an administrator can give it "
    "to you"
)


class RefusingApi(WatchApi):
    """Refuses to change some of its Workloads."""

    def __init__(self, *refused: str, status: int = 403) -> None:
        super().__init__()
        self.refused = dict.fromkeys(refused, status)
        #: The Workloads that it was asked to change.
        self.asked: list[str] = []
        for name in ("web", "db"):
            self.put("workloads", name, spec={"isolationPolicy": "Container"}, status={})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        name = request.path.rpartition("/")[2]
        if request.method != "PATCH":
            return await super()._answer(request)
        self.asked.append(name)
        if code := self.refused.get(name):
            said: dict[str, Any] = {"kind": "Status", "code": code, "message": FORBIDDEN.format(name=name)}
            return web.json_response(said, status=code)
        return await super()._answer(request)


def run(api: RefusingApi, folder: Path, line: str) -> Result:
    with beside(api):
        return CliRunner().invoke(main, line.split(), env={"KUBECONFIG": str(api.kubeconfig(folder))})


@pytest.mark.parametrize("verb", ["stop", "restart"])
def test_a_missing_right_is_told_with_who_has_it(tmp_path: Path, verb: str) -> None:
    done = run(RefusingApi("web"), tmp_path, f"{verb} web")
    assert (done.exit_code, done.stderr) == (1, f"Error: {FORBIDDEN.format(name='web')}{RIGHT}\n")


def test_a_missing_right_stops_a_flip_and_is_told_so(tmp_path: Path) -> None:
    done = run(RefusingApi("web"), tmp_path, "flip web --to machine")
    assert done.exit_code == 1
    why = f"Stops it: the API server refuses the change: {FORBIDDEN.format(name='web')}{RIGHT}\n"
    assert done.stderr.startswith(why)
    assert done.stderr.removeprefix(why).startswith("Error: nothing was changed of Workload web. Remove what")


@pytest.mark.parametrize(("verb", "failure"), [("stop", "isn't changed"), ("restart", "isn't restarted")])
def test_one_of_several_that_is_refused_leaves_the_others(tmp_path: Path, verb: str, failure: str) -> None:
    api = RefusingApi("db")
    done = run(api, tmp_path, f"{verb} db web")
    assert (done.exit_code, api.asked) == (1, ["db", "web"])
    assert done.stderr == f"Error: Workload db {failure}: {FORBIDDEN.format(name='db')}{RIGHT}\n"
    assert "Workload web" in done.stdout


def test_without_valid_credentials_nothing_more_is_tried(tmp_path: Path) -> None:
    api = RefusingApi("db", status=401)
    done = run(api, tmp_path, "stop db web")
    assert (done.exit_code, set(api.asked)) == (1, {"db"})
    assert "the API server doesn't accept the credentials in the kubeconfig" in done.stderr
    assert "get new ones from whoever runs the cluster" in done.stderr
