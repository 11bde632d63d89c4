"""A person's session: what the API server says reaches no terminal as it is."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.unit.cli.watchapi import WatchApi
from tests.unit.reach.virtapi import beside
from twinhull.cli import main
from twinhull.cli.session import explained
from twinhull.cli.targets import Target
from twinhull.shell.errors import ApiError, Conflict, NotFound, Refused, Unauthorized, Unreachable


@pytest.mark.parametrize("error", [Refused, Conflict, NotFound, Unauthorized, Unreachable])
def test_the_api_servers_words_have_no_control_characters(error: type[ApiError]) -> None:
    with pytest.raises(click.ClickException) as raised, explained(Target()):
        raise error("\x1b]0;owned\x07 denied\nby a webhook")
    assert "\\x1b]0;owned\\x07 denied by a webhook" in raised.value.message
    assert raised.value.message.isprintable()


def test_a_target_is_repeated_by_the_options_that_were_given() -> None:
    assert Target("shop", "", "a file").options == ["-n", "shop", "--kubeconfig", "a file"]
    assert Target().options == []


@pytest.mark.parametrize(
    "line", ["status web", "flip web --to machine", "stop web", "wait web", "events web", "top web"]
)
def test_a_cluster_without_our_kinds_is_told_by_every_verb(tmp_path: Path, line: str) -> None:
    api = WatchApi()
    api.refuses = 404
    with beside(api):
        done = CliRunner().invoke(main, line.split(), env={"KUBECONFIG": str(api.kubeconfig(tmp_path))})
    assert done.exit_code == (2 if line.startswith("status") else 1)
    assert "the cluster has no Workloads: its API server doesn't serve them. Install the chart" in done.stderr
