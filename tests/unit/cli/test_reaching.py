"""The verbs that reach into hulls, from the command line; tests/node has them against Pods and machines."""

from __future__ import annotations

from pathlib import Path

import pytest
from click import BadParameter
from click.testing import CliRunner, Result

from twinhull.cli import main
from twinhull.cli.durations import Duration
from twinhull.cli.port_forward import Port


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env={"KUBECONFIG": "/nowhere"})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25), ("0", 0)],
)
def test_durations_are_gos(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "90", "5 m", "m", "1d", "1h 5m", "-5s", "5m!"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="such as 90s, 5m or 1h30m"):
        Duration().convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("8080", Port(8080, "8080")),
        ("8080:80", Port(8080, "80")),
        (":80", Port(0, "80")),
        ("0:80", Port(0, "80")),
        ("8080:http", Port(8080, "http")),
        ("http", Port(0, "http")),
    ],
)
def test_ports_are_kubectls(text: str, port: Port) -> None:
    assert Port.read(text) == port


@pytest.mark.parametrize("text", ["", ":", "8080:", "x:80", "65536:80"])
def test_other_ports_are_refused(text: str) -> None:
    ended = run("port-forward", "web", text)
    assert ended.exit_code == 2
    assert "is no port such as 8080, 8080:80, :80 or 8080:http" in ended.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("logs", "give either names of Workloads or a label selector (-l)"),
        ("logs web -l a=b", "give either names of Workloads or a label selector (-l)"),
        ("logs web -c a --all-containers", "--container and --all-containers exclude each other"),
        ("logs web --since 1m --since-time 2026-01-01T00:00:00Z", "exclude each other"),
        ("logs web --tail -2", "-2"),
        ("logs web --since 1day", "is no duration such as 90s"),
        ("exec ../x -- ls", "isn't the name of a Workload, such as web"),
        ("logs web a/b", "isn't the name of a Workload, such as web"),
        ("exec web ls -l", "No such option '-l'. Write -- before the command: twinhull exec web -- ls -l"),
        ("exec web", "Missing argument '-- COMMAND…'"),
        ("cp a b", "one of SOURCE and DESTINATION has to be NAME:PATH, the other a local path"),
        ("cp web:/a web:/b", "one of SOURCE and DESTINATION has to be NAME:PATH"),
        ("cp web: .", "web: lacks the path in the container, such as web:/tmp"),
        ("port-forward web", "Missing argument"),
    ],
)
def test_a_wrong_command_line_is_told_apart(line: str, expected: str) -> None:
    ended = run(*line.split())
    assert ended.exit_code == 2
    assert expected in ended.stderr


def test_what_isnt_there_isnt_copied() -> None:
    ended = run("cp", "/nowhere/file", "web:/tmp")
    assert (ended.exit_code, ended.stderr) == (
        1,
        "Error: there is no file or folder /nowhere/file here: name an existing one\n",
    )


@pytest.mark.parametrize(
    "line", ["logs web", "logs -l a=b", "exec web -- ls", "attach web", "cp web:/a .", "port-forward web 80"]
)
def test_without_a_cluster_each_says_what_to_do(line: str, tmp_path: Path) -> None:
    ended = CliRunner().invoke(main, line.split(), env={"KUBECONFIG": str(tmp_path / "absent")})
    assert ended.exit_code == 1
    assert "Set KUBECONFIG to the kubeconfig of a cluster" in ended.stderr
