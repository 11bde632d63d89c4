"""Which Workloads a verb is for, on the command line."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from twinhull.cli import completion, main
from twinhull.cli.selecting import WorkloadName


@pytest.mark.parametrize(
    "said", ["web", "workload/web", "workloads/web", "twl/web", "workloads.twinhull.dev/web"]
)
def test_a_name_may_have_its_kind_before_it(said: str) -> None:
    assert WorkloadName().convert(said, None, None) == "web"


@pytest.mark.parametrize("said", ["", "Web", "../web", "web/status", "pod/web", "web?x", "web\n", "w\x1b[2J"])
def test_what_is_no_name_reaches_no_url(said: str) -> None:
    with pytest.raises(click.BadParameter):
        WorkloadName().convert(said, None, None)


@pytest.mark.parametrize(
    "words", [["stop"], ["stop", "web", "-l", "app=web"], ["wait"], ["restart", "-l", ""]]
)
def test_names_or_labels_are_given_and_not_both(words: list[str]) -> None:
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, "either names of Workloads or a label selector" in result.output) == (2, True)


def test_a_shell_completes_the_names_that_the_cluster_has(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def names(kind: str, namespace: str) -> list[str]:
        asked.append((kind, namespace))
        return ["web", "worker", "db"]

    monkeypatch.setattr(completion, "_names", names)
    command = main.get_command(click.Context(main), "flip")
    assert command is not None
    context = click.Context(command)
    context.params = {"namespace": "shop"}
    (name,) = (one for one in command.params if one.name == "name")
    assert [one.value for one in name.shell_complete(context, "w")] == ["web", "worker"]
    assert asked == [("Workload", "shop")]
