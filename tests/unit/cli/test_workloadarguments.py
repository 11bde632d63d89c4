"""Which Workloads a verb is for, on the command line."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from twinhull.cli import completion, main
from twinhull.cli.changeoptions import ChangeOptions, change_options
from twinhull.cli.isolationchoice import IsolationChoice
from twinhull.cli.workloadarguments import WorkloadName
from twinhull.verbs.goals import parse


@pytest.mark.parametrize(
    "name", ["web", "workload/web", "workloads/web", "twl/web", "workloads.twinhull.dev/web"]
)
def test_a_name_may_have_its_kind_before_it(name: str) -> None:
    assert WorkloadName().convert(name, None, None) == "web"


@pytest.mark.parametrize("name", ["", "Web", "../web", "web/status", "pod/web", "web?x", "web\n", "w\x1b[2J"])
def test_what_is_no_name_reaches_no_url(name: str) -> None:
    with pytest.raises(click.BadParameter):
        WorkloadName().convert(name, None, None)


@pytest.mark.parametrize(
    ("name", "hint"), [("pod/shop", ": write shop or workload/shop"), ("Web", ""), ("../web", "")]
)
def test_what_is_no_name_is_refused_with_one(name: str, hint: str) -> None:
    with pytest.raises(click.BadParameter) as refused:
        WorkloadName().convert(name, None, None)
    assert refused.value.message == f"{name!r} isn't the name of a Workload, such as web{hint}"


@pytest.mark.parametrize(
    ("words", "dry_run"),
    [([], False), (["--dry-run"], True), (["--dry-run=server"], True), (["--dry-run=none"], False)],
)
def test_a_bare_dry_run_is_the_servers(words: list[str], *, dry_run: bool) -> None:
    seen: list[bool] = []

    @click.command
    @click.argument("name")
    @change_options
    def verb(name: str, options: ChangeOptions) -> None:
        assert name == "web"
        seen.append(options.dry_run)

    assert CliRunner().invoke(verb, ["web", *words]).exit_code == 0
    assert seen == [dry_run]


@pytest.mark.parametrize("word", ["machine", "VirtualMachine", "vm", "VM", "virtualmachine"])
@pytest.mark.parametrize("shown", [["container", "machine"], ["Container", "VirtualMachine"]])
def test_isolations_have_the_same_names_in_each_verb(shown: list[str], word: str) -> None:
    assert IsolationChoice(shown).convert(word, None, None) == "VirtualMachine"
    with pytest.raises(click.BadParameter, match=f"'sandbox' is not one of '{shown[0]}', '{shown[1]}'"):
        IsolationChoice(shown).convert("sandbox", None, None)


@pytest.mark.parametrize(
    "words",
    [
        ["stop"],
        ["flip", "--to", "vm"],
        ["status"],
        ["stop", "web", "-l", "app=web"],
        ["wait"],
        ["restart", "-l", ""],
    ],
)
def test_names_or_labels_are_given_and_not_both(words: list[str]) -> None:
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, "either names of Workloads or a label selector" in result.output) == (2, True)


def test_a_shell_completes_the_names_that_the_cluster_has(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups: list[tuple[str, ...]] = []

    def names(*those: str) -> list[str]:
        lookups.append(those)
        return ["web", "worker", "db"]

    monkeypatch.setattr(completion, "_names", names)
    command = main.get_command(click.Context(main), "flip")
    assert command is not None
    context = click.Context(command)
    context.params = {"namespace": "shop", "context": "work"}
    (name,) = (one for one in command.params if one.name == "names")
    assert [one.value for one in name.shell_complete(context, "w")] == ["web", "worker"]
    assert lookups == [("Workload", "shop", "work", "")]
    assert [one.value for one in name.shell_complete(context, "twl/w")] == ["twl/web", "twl/worker"]


def test_a_shell_completes_what_is_waited_for() -> None:
    command = main.get_command(click.Context(main), "wait")
    assert command is not None
    (goal,) = (one for one in command.params if one.name == "goal")
    context = click.Context(command)
    assert [one.value for one in goal.shell_complete(context, "c")] == [
        *("completed", "condition=Ready", "condition=Stalled=False")
    ]
    every = [one.value for one in goal.shell_complete(context, "")]
    assert all(parse(one) for one in every)
