"""`twinhull completion`: its scripts in real shells, kubectl's plugin protocol, and names of a cluster."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import click
import pytest
from click.testing import CliRunner

from twinhull.cli import SECTIONS, completion, main

VERBS = {verb.name for verbs in SECTIONS.values() for verb in verbs}
_PROGRAMS = Path(sys.prefix) / "bin"
#: How long a shell may take to complete a word, on a machine that does much else.
_DEADLINE = 60.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a person with an empty home, whose PATH has this twinhull."""
    path = f"{_PROGRAMS}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "TERM": "dumb", "KUBECONFIG": str(tmp_path / "none")}


def completed_by_bash(environment: dict[str, str], *words: str, cwd: Path | None = None) -> list[str]:
    """What bash's function offers in place of the last word."""
    script = (
        "source <(twinhull completion bash) && compopt() { echo compopt $*; } && "
        f"COMP_WORDS=({shlex.join(words)}) COMP_CWORD={len(words) - 1} && "
        '_twinhull_completion twinhull && printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, cwd=cwd, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_bash_completes_verbs(environment: dict[str, str]) -> None:
    assert completed_by_bash(environment, "twinhull", "rend") == ["render"]
    assert set(completed_by_bash(environment, "twinhull", "")) == VERBS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["validate", "--all-i"], ["--all-isolations"]),
        (["validate", "--isolation", "S"], ["Sandbox"]),
        (["validate", "--isolation", "=", "Vi"], ["VirtualMachine"]),
        (["validate", "--isolation", "="], ["Container", "Sandbox", "VirtualMachine"]),
        (["completion", "f"], ["fish"]),
        (["validate", "dep"], ["compopt -o default"]),
        (["render", "-f", ""], ["compopt -o default"]),
        (["explain", "--policies", ""], ["compopt -o default"]),
        (["rendr", "--out"], []),
    ],
    ids=" ".join,
)
def test_bash_completes_words(environment: dict[str, str], words: list[str], offered: list[str]) -> None:
    assert completed_by_bash(environment, "twinhull", *words) == offered


def typed(shell: list[str], environment: dict[str, str], lines: list[str], typed_in: str, shown: str) -> str:
    """What an interactive shell shows once something is typed in, up to where it has shown a text."""
    pid, terminal = pty.fork()
    if not pid:
        os.execvpe(shell[0], shell, environment)  # noqa: S606  the shell is what is tested
    output = b""
    deadline = time.monotonic() + _DEADLINE

    def until(text: str) -> None:
        nonlocal output
        while text.encode() not in output:
            assert time.monotonic() < deadline, output.decode()
            if select.select([terminal], [], [], 0.1)[0]:
                output += os.read(terminal, 1 << 16)

    try:
        for number, line in enumerate(lines):
            # The text of the echo isn't that which is typed, so it is there once the shell has done the line.
            os.write(terminal, f"{line}; echo done$(({number}+100))\n".encode())
            until(f"done{number + 100}")
        output = b""
        os.write(terminal, typed_in.encode())
        until(shown)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    return output.decode()


INTERACTIVE = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source <(twinhull completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -u; source <(twinhull completion zsh)",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", INTERACTIVE)
@pytest.mark.parametrize(
    ("word", "whole"),
    [
        ("twinhull rend", "render "),
        ("twinhull validate --isolation Con", "--isolation Container "),
        ("twinhull validate --isolation=Vir", "--isolation=VirtualMachine"),
        ("twinhull validate ./wor", "./workload\\ one.yaml"),
    ],
)
def test_an_interactive_shell_completes(
    environment: dict[str, str], tmp_path: Path, name: str, word: str, whole: str
) -> None:
    shell, line = INTERACTIVE[name]
    if not shutil.which(shell[0]):
        pytest.skip(f"{name} isn't installed")
    (tmp_path / "workload one.yaml").touch()
    shown = typed(shell, environment, [f"cd {tmp_path}", line], f"{word}\t", whole[-8:])
    assert whole in shown or name == "zsh"  # it writes only what changes on the line


def test_fish_completes(environment: dict[str, str]) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish isn't installed")
    for word, whole in {
        "twinhull rend": ["render"],
        "twinhull validate --isolation Con": ["Container"],
        "twinhull validate --isolation=Con": ["--isolation=Container"],
    }.items():
        code = f'twinhull completion fish | source; complete --do-complete "{word}"'
        done = subprocess.run(
            ["fish", "-N", "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == whole


def test_kubectl_gets_words_descriptions_and_a_directive(environment: dict[str, str]) -> None:
    def answer(*words: str) -> list[str]:
        done = subprocess.run(
            [_PROGRAMS / "kubectl_complete-twinhull", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert answer("rend") == ["render\tPrint the objects of Workloads, without a cluster.", ":4"]
    assert answer("validate", "--isolation", "S") == ["Sandbox", ":4"]
    assert answer("validate", "") == [":0"]


def test_the_script_for_kubectl_does_what_the_program_does(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "kubectl_complete-twinhull"
    script.write_text(CliRunner().invoke(main, ["completion", "kubectl"]).output)
    script.chmod(0o755)
    for folder in (_PROGRAMS, tmp_path):
        done = subprocess.run(
            [folder / script.name, "validate", "--isolation", "S"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert (done.stdout, done.stderr) == ("Sandbox\n:4\n", "")


def test_as_kubectl_s_plugin_it_is_called_so() -> None:
    done = subprocess.run(
        [_PROGRAMS / "kubectl-twinhull", "render", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: kubectl twinhull render [OPTIONS] FILE…\n")


class ApiServer:
    """Stands for an API server: names of Workloads by namespace, or no answer at all."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        #: Set at the end, for answers that nobody waits for any more.
        self.over = Event()
        #: Whether it takes requests and doesn't answer.
        self.silent = False

    @contextmanager
    def serving(self) -> Iterator[str]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked.append(self.path)
                if server.silent:
                    server.over.wait()
                    return
                place = self.path.partition("?")[0].split("/")
                names = ["team-a", "team-b"] if place[-1] == "namespaces" else [f"web-of-{place[-2]}", "api"]
                text = json.dumps({"items": [{"metadata": {"name": name}} for name in names]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=served.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}"
        finally:
            self.over.set()
            served.shutdown()
            served.server_close()


def kubeconfig(path: Path, server: str, **user: Any) -> None:
    """Write one whose namespace is team-a."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": server}}],
        "users": [{"name": "it", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it", "namespace": "team-a"}}],
    }
    path.write_text(json.dumps(content), encoding="utf-8")


@click.command()
@click.option("--namespace", "-n", shell_complete=completion.namespaces)
@click.argument("name", shell_complete=completion.workloads)
def verb(**_: Any) -> None:
    """A verb that asks a cluster."""


def offered(*words: str, command: click.Command = verb) -> list[str]:
    """What is offered in place of the last word of a verb."""
    from click.shell_completion import BashComplete  # noqa: PLC0415

    shell = BashComplete(command, {}, "verb", "_VERB_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits for answers however much else this machine does."""
    monkeypatch.setattr(completion, "_WAIT", _DEADLINE)


@pytest.mark.usefixtures("patient")
def test_names_of_a_cluster_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr(completion, "_WAIT", _DEADLINE)
    server = ApiServer()
    with server.serving() as url:
        kubeconfig(tmp_path / "kubeconfig", url)
        assert offered("") == ["api", "web-of-team-a"]
        assert offered("web") == ["web-of-team-a"]
        assert offered("-n", "team-b", "w") == ["web-of-team-b"]
        assert offered("-n", "team") == ["team-a", "team-b"]
    assert all(path.endswith("?limit=500") for path in server.asked)


@pytest.mark.usefixtures("patient")
def test_the_cluster_is_the_one_that_the_command_line_says(tmp_path: Path) -> None:
    status = next(verb for verbs in SECTIONS.values() for verb in verbs if verb.name == "status").load()
    server = ApiServer()
    with server.serving() as url:
        kubeconfig(tmp_path / "other", url)
        words = ["--kubeconfig", str(tmp_path / "other"), "--context", "it"]
        assert offered(*words, "web", command=status) == ["web-of-team-a"]
        assert offered(*words, "--namespace", "", command=status) == ["team-a", "team-b"]
        assert offered(*words, "-n", "team-b", "w", command=status) == ["web-of-team-b"]


@pytest.mark.usefixtures("patient")
def test_a_silent_cluster_offers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    server = ApiServer()
    server.silent = True
    with server.serving() as url:
        kubeconfig(tmp_path / "kubeconfig", url)
        for seconds in (1.5, 15.0, _DEADLINE):  # until it is enough to ask
            monkeypatch.setattr(completion, "_WAIT", seconds)
            assert offered("") == []
            if server.asked:
                break
        assert server.asked == ["/apis/twinhull.dev/v1alpha1/namespaces/team-a/workloads?limit=500"]


def test_a_credential_plugin_that_hangs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    plugin, pid = tmp_path / "plugin", tmp_path / "pid"
    plugin.write_text(f"#!/bin/sh\necho to whom it may concern >&2\necho $$ >{pid}\nexec sleep 1000\n")
    plugin.chmod(0o755)
    api_version = "client.authentication.k8s.io/v1"
    kubeconfig(
        tmp_path / "kubeconfig",
        "http://127.0.0.1:1",
        exec={"apiVersion": api_version, "command": str(plugin), "interactiveMode": "Never"},
    )
    for seconds in (1.5, 15.0, _DEADLINE):  # until it is enough to start it
        monkeypatch.setattr(completion, "_WAIT", seconds)
        assert offered("") == []
        if pid.exists() and pid.read_text():
            break
    deadline = time.monotonic() + _DEADLINE
    while _lives(int(pid.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert capfd.readouterr() == ("", "")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("content", ["", "][", "{}", '{"current-context": "there is none"}'])
def test_a_kubeconfig_that_cannot_be_used_offers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], content: str
) -> None:
    path = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(path))
    path.write_text(content)
    assert offered("") == []
    assert offered("-n", "") == []
    assert capfd.readouterr() == ("", "")
