"""`twinhull completion`: its scripts in real shells, kubectl's plugin protocol, and names of a cluster."""

from __future__ import annotations

import json
import os
import pty
import re
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

from tests.controlplane.polling import PATIENCE
from twinhull.cli import SECTIONS, completion, main

pytestmark = pytest.mark.slow

VERBS = {verb.name for verbs in SECTIONS.values() for verb in verbs}
_PROGRAMS = Path(sys.prefix) / "bin"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a person with an empty home, whose PATH has this twinhull."""
    path = f"{_PROGRAMS}:{os.environ['PATH']}"
    python = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return {
        "PATH": path,
        "HOME": str(tmp_path),
        "TERM": "dumb",
        "KUBECONFIG": str(tmp_path / "none"),
        **python,
    }


def completed_by_bash(environment: dict[str, str], line: str, cwd: Path | None = None) -> list[str]:
    """What bash's function offers at the end of a line, in place of what stands after the last : or =."""
    replaced = re.split("[ :=]", line)[-1]
    script = (
        "source <(twinhull completion bash) && compopt() { echo compopt $*; } && "
        f"COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)} && "
        f'_twinhull_completion twinhull {shlex.quote(replaced)} && printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment, cwd=cwd, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_bash_completes_verbs(environment: dict[str, str]) -> None:
    assert completed_by_bash(environment, "twinhull rend") == ["render"]
    assert set(completed_by_bash(environment, "twinhull ")) == VERBS


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("validate --all-i", ["--all-isolations"]),
        ("validate --isolation S", ["Sandbox"]),
        ("validate --isolation=Vi", ["VirtualMachine"]),
        ("validate --isolation=", ["Container", "Sandbox", "VirtualMachine"]),
        ("completion f", ["fish"]),
        ("validate dep", ["compopt -o default"]),
        ("render -f ", ["compopt -o default"]),
        ("explain --policies=", ["compopt -o default"]),
        ("rendr --out", []),
    ],
)
def test_bash_completes_words(environment: dict[str, str], words: str, offered: list[str]) -> None:
    assert completed_by_bash(environment, f"twinhull {words}") == offered


def typed(shell: list[str], environment: dict[str, str], lines: list[str], typed_in: str, shown: str) -> str:
    """What an interactive shell shows once something is typed in, up to where it has shown a text."""
    pid, terminal = pty.fork()
    if not pid:
        os.execvpe(shell[0], shell, environment)  # noqa: S606  the shell is what is tested
    output = b""
    deadline = time.monotonic() + PATIENCE

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


POD = {
    "initContainers": [{"name": "migrate"}],
    "containers": [
        {
            "name": "web",
            "ports": [
                {"name": "http", "containerPort": 8080},
                {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            ],
        },
        {"name": "wal", "ports": [{"containerPort": 5432}, {"name": "metrics", "containerPort": 9090}]},
    ],
}


class ApiServer:
    """Stands for an API server: names of Workloads by namespace, or no answer at all."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        #: Set at the end, for answers that nobody waits for any more.
        self.over = Event()
        #: Whether it takes requests and doesn't answer.
        self.silent = False
        #: The names of the namespaces, None if these may not be listed.
        self.namespaces: list[str] | None = ["team-a", "team-b"]
        #: The Pod's spec of each Workload.
        self.pod: dict[str, Any] = POD

    def answer(self, place: list[str]) -> Any:
        """What is at a path, None if the person may not see it."""
        names: dict[str, list[str] | None] = {
            "namespaces": self.namespaces,
            "workloads": [f"web-of-{place[-2]}", "api"],
        }
        if place[-1] not in names:
            return {"spec": {"template": {"spec": self.pod}}}
        listed = names[place[-1]]
        return None if listed is None else {"items": [{"metadata": {"name": name}} for name in listed]}

    @contextmanager
    def serving(self) -> Iterator[str]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.paths.append(self.path)
                if server.silent:
                    server.over.wait()
                    return
                content = server.answer(self.path.partition("?")[0].split("/"))
                text = json.dumps(content).encode()
                self.send_response(403 if content is None else 200)
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
    monkeypatch.setattr(completion, "_WAIT", PATIENCE)


@pytest.mark.usefixtures("patient")
def test_names_of_a_cluster_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr(completion, "_WAIT", PATIENCE)
    server = ApiServer()
    with server.serving() as url:
        kubeconfig(tmp_path / "kubeconfig", url)
        assert offered("") == ["api", "web-of-team-a"]
        assert offered("web") == ["web-of-team-a"]
        assert offered("-n", "team-b", "w") == ["web-of-team-b"]
        assert offered("-n", "team") == ["team-a", "team-b"]
    assert all(path.endswith("?limit=500") for path in server.paths)


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
        for seconds in (1.5, 15.0, PATIENCE):  # until it is enough to ask
            monkeypatch.setattr(completion, "_WAIT", seconds)
            assert offered("") == []
            if server.paths:
                break
        assert set(server.paths) == {"/apis/twinhull.dev/v1alpha1/namespaces/team-a/workloads?limit=500"}


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
    for seconds in (1.5, 15.0, PATIENCE):  # until it is enough to start it
        monkeypatch.setattr(completion, "_WAIT", seconds)
        assert offered("") == []
        if pid.exists() and pid.read_text():
            break
    deadline = time.monotonic() + PATIENCE
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


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """The API server of the kubeconfig. Its answers are waited for, however much else this machine does."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setattr(completion, "_WAIT", PATIENCE)
    server = ApiServer()
    with server.serving() as url:
        kubeconfig(tmp_path / "kubeconfig", url)
        yield server


WORKLOADS = "/apis/twinhull.dev/v1alpha1/namespaces/{}/workloads"


@pytest.mark.parametrize(
    ("line", "names", "workload"),
    [
        ("logs web -c ", ["migrate", "web", "wal"], "team-a/web"),
        ("exec -it -n team-b workload/api --container=w", ["web", "wal"], "team-b/api"),
        ("attach web --container w", ["web", "wal"], "team-a/web"),
        ("logs web api -c mi", ["migrate"], "team-a/web"),
        ("-n team-b logs web -f -c mi", ["migrate"], "team-b/web"),
        ("cp web:/etc . -c mi", ["migrate"], "team-a/web"),
        ("cp ./conf team-b/api:/etc -c mi", ["migrate"], "team-b/api"),
    ],
)
def test_the_containers_of_the_workload_that_is_named_are_offered(
    api: ApiServer, line: str, names: list[str], workload: str
) -> None:
    assert offered(*line.split(" "), command=main) == names
    namespace, _, name = workload.partition("/")
    assert api.paths == [f"{WORKLOADS.format(namespace)}/{name}"]


@pytest.mark.parametrize(
    "line",
    [
        "logs -c ",
        "logs -l app=web -c ",
        "logs We! -c ",
        "logs ../../web -c ",
        "logs web -n ../team-b -c ",
        "exec web -- sh -c ",
        "exec web -- psql --container=",
        "cp ./web . -c ",
        "port-forward We! ",
        "port-forward web -n ../team-b ",
        "logs -n ../team-b ",
        "cp -n ../team-b w",
    ],
)
def test_nothing_is_asked_of_a_cluster_for_a_workload_that_is_not_named(api: ApiServer, line: str) -> None:
    local_files = ["w"] if line.startswith("cp -n") else []
    assert (offered(*line.split(" "), command=main), api.paths) == (local_files, [])


@pytest.mark.parametrize(
    ("words", "ports"),
    [
        ("", ["8080", "http", "5432", "9090", "metrics"]),
        ("h", ["http"]),
        ("80", ["8080"]),
        ("80:", ["80:8080", "80:http", "80:5432", "80:9090", "80:metrics"]),
        (":ht", [":http"]),
        ("web:", []),
        ("8080:80 5", ["5432"]),
        ("80:http -n team-b 5432 ", ["9090", "metrics"]),
    ],
)
def test_the_ports_of_the_workload_that_is_named_are_offered(
    api: ApiServer, words: str, ports: list[str]
) -> None:
    assert offered(*f"port-forward web {words}".split(" "), command=main) == ports
    namespace = "team-b" if "team-b" in words else "team-a"
    assert api.paths == ([f"{WORKLOADS.format(namespace)}/web"] if ports else [])


def test_a_template_offers_nothing_that_a_shell_or_terminal_would_take_for_more(api: ApiServer) -> None:
    evil = [
        "$(reboot)",
        "`reboot`",
        "a;reboot",
        "a b",
        "a\nplain,b",
        "\x1b[2J",
        "-rf",
        "*",
        "WEB",
        "",
        "x" * 64,
    ]
    api.pod = {
        "initContainers": [{"name": name} for name in evil],
        "containers": [
            {
                "name": "web",
                "ports": [
                    *({"name": name, "containerPort": 1 + number} for number, name in enumerate(evil)),
                    {"name": "8081", "containerPort": 80},
                    {"name": "http", "containerPort": "81;reboot"},
                    {"name": "sixteen-is-too-long", "containerPort": -82},
                ],
            }
        ],
    }
    assert offered("logs", "web", "-c", "", command=main) == ["web"]
    numbers = [str(1 + number) for number in range(len(evil))]
    assert offered("port-forward", "web", "", command=main) == [*numbers, "80"]
    api.namespaces = [*evil, "team-c"]
    assert offered("logs", "-n", "", command=main) == ["team-c"]
    assert offered("cp", "t", command=main) == ["team-c/", "t"]


def test_contexts_that_a_shell_would_take_for_more_are_not_offered(tmp_path: Path, api: ApiServer) -> None:
    path = tmp_path / "kubeconfig"
    content = json.loads(path.read_text())
    names = ["$(reboot)", "a b", "-rf", "arn:aws:eks:eu-west-1:1:cluster/shop"]
    content["contexts"] += [{"name": name, "context": {"cluster": "it", "user": "it"}} for name in names]
    path.write_text(json.dumps(content))
    assert offered("logs", "--context", "", command=main) == ["it", names[-1]]
    assert api.paths == []


@pytest.mark.parametrize("pod", [{}, {"containers": None}, {"containers": [{"name": "web", "ports": None}]}])
def test_a_workload_without_ports_offers_none(api: ApiServer, pod: dict[str, Any]) -> None:
    api.pod = pod
    assert offered("port-forward", "web", "", command=main) == []


FILES = "files"  # an item by which a shell completes files


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cp ", ["api:", "web-of-team-a:", "team-a/", "team-b/", FILES]),
        ("cp w", ["web-of-team-a:", FILES]),
        ("cp -n team-b w", ["web-of-team-b:", FILES]),
        ("cp team-b/", ["team-b/api:", "team-b/web-of-team-b:", FILES]),
        ("cp ./w", [FILES]),
        ("cp /", [FILES]),
        ("cp ~/w", [FILES]),
        ("cp W", [FILES]),
        ("cp a/b/", [FILES]),
        ("cp api:/et", []),
        ("cp ./a:b", [FILES]),
        ("cp api:/etc ", [FILES]),
        ("cp api:/etc a", [FILES]),
        ("cp ./conf a", ["api:"]),
        ("cp ./conf ./a", []),
        ("cp ./conf api:/etc ", []),
    ],
)
def test_cp_completes_workloads_and_local_files(api: ApiServer, line: str, words: list[str]) -> None:
    incomplete = line.rpartition(" ")[2]
    expected = [incomplete if word == FILES else word for word in words]
    assert offered(*line.split(" "), command=main) == expected
    assert bool(api.paths) == any(word != FILES for word in words)


def test_cp_completes_workloads_without_the_right_to_list_namespaces(api: ApiServer) -> None:
    api.namespaces = None
    assert offered("cp", "", command=main) == ["api:", "web-of-team-a:", ""]


def test_cp_completes_local_files_without_a_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert offered("cp", "we", command=main) == ["we"]


@pytest.fixture
def patient_environment(
    environment: dict[str, str],
    tmp_path: Path,
    api: ApiServer,  # noqa: ARG001  it is there until the test is over
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """That of a person whose twinhull waits for the API server, however much else this machine does, in a
    folder with files.
    """
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "twinhull"
    program.write_text(
        f"#!{sys.executable}\n"
        f"import sys\n"
        f"sys.path[:] = {sys.path!r}\n"
        f"from twinhull.cli import completion, main\n"
        f"completion._WAIT = {PATIENCE}\n"
        f"main()\n"
    )
    program.chmod(0o755)
    files = tmp_path / "files"
    (files / "team-b").mkdir(parents=True)
    (files / "team-b" / "web.txt").touch()
    for name in ("web site", "web;reboot", "web.txt", "other"):
        (files / name).touch()
    monkeypatch.chdir(files)
    path = f"{programs}:{environment['PATH']}"
    return {**environment, "PATH": path, "KUBECONFIG": str(tmp_path / "kubeconfig")}


def test_bash_is_given_what_stands_after_its_word_breaks(patient_environment: dict[str, str]) -> None:
    def completed(line: str) -> list[str]:
        return completed_by_bash(patient_environment, f"twinhull {line}")

    assert completed("port-forward web 80:ht") == ["http"]
    assert completed("port-forward web :") == ["8080", "http", "5432", "9090", "metrics"]
    assert completed("logs web --container=w") == ["web", "wal"]
    path = Path(patient_environment["KUBECONFIG"])
    content = json.loads(path.read_text())
    content["contexts"] += [{**content["contexts"][0], "name": "arn:aws:eks:eu-west-1:1:cluster/shop"}]
    path.write_text(json.dumps(content))
    assert completed("logs --context ar") == ["arn:aws:eks:eu-west-1:1:cluster/shop"]
    assert completed("logs --context arn:aws:e") == ["eks:eu-west-1:1:cluster/shop"]
    assert completed("logs --context=arn:aws:e") == ["eks:eu-west-1:1:cluster/shop"]


def test_bash_reads_quotes(patient_environment: dict[str, str]) -> None:
    assert completed_by_bash(patient_environment, "twinhull logs 'web' -c w") == ["web", "wal"]


@pytest.mark.parametrize(
    ("typed", "replaced", "offered"),
    [
        ("80:ht", "80:ht", "80:http"),  # without : in COMP_WORDBREAKS
        ("80:ht", "ht", "http"),
        ("80:", "", "8080 http 5432 9090 metrics"),
        ("80:", ":", "8080 http 5432 9090 metrics"),  # by bash-completion's _command_offset, as after sudo
    ],
)
def test_bash_is_given_what_stands_in_place_of_what_it_replaces(
    patient_environment: dict[str, str], typed: str, replaced: str, offered: str
) -> None:
    script = (
        f"source <(twinhull completion bash); COMP_LINE='twinhull port-forward web {typed} 5432'; "
        f"COMP_POINT=$((${{#COMP_LINE}}-5)); _twinhull_completion twinhull {shlex.quote(replaced)}; "
        'echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=patient_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == (f"{offered}\n", "")


def test_bash_completes_quoted_files_beside_workloads(patient_environment: dict[str, str]) -> None:
    def completed(line: str) -> list[str]:
        return completed_by_bash(patient_environment, f"twinhull {line}")

    assert sorted(completed("cp we")) == ["web-of-team-a:", "web.txt", "web\\ site", "web\\;reboot"]
    assert completed("cp web-") == ["compopt -o nospace", "web-of-team-a:"]
    assert completed("cp team-b") == ["compopt -o nospace", "team-b/"]
    assert sorted(completed("cp team-b/w")) == ["team-b/web-of-team-b:", "team-b/web.txt"]
    assert completed("cp web.") == ["compopt -o default"]
    assert completed("cp web-of-team-a:/e") == []


@pytest.mark.parametrize("name", INTERACTIVE)
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("cp web-\tX", "<cp><web-of-team-a:X>"),
        ("cp team-b/web-\tX", "<cp><team-b/web-of-team-b:X>"),
        ("cp oth\tX", "<cp><other><X>"),
        ("cp ./web\\ s\tX", "<cp><./web site><X>"),
        ("cp ./other web-\tX", "<cp><./other><web-of-team-a:X>"),
        ("port-forward web 80:ht\tX", "<port-forward><web><80:http><X>"),
        ("port-forward web :ht\tX", "<port-forward><web><:http><X>"),
        ("logs web --container=mig\tX", "<logs><web><--container=migrate><X>"),
        ("logs web -c mig\tX", "<logs><web><-c><migrate><X>"),
    ],
)
def test_an_interactive_shell_completes_what_a_cluster_has(
    patient_environment: dict[str, str], name: str, keys: str, words: str
) -> None:
    shell, line = INTERACTIVE[name]
    if not shutil.which(shell[0]):
        pytest.skip(f"{name} isn't installed")
    # The function is what is run in the end. What completes is the program of that name.
    lines = [f"cd {Path.cwd()}", line, """twinhull() { printf "<%s>" "$@"; }"""]
    typed(shell, patient_environment, lines, f"twinhull {keys}\n", words)


def test_an_interactive_bash_shows_workloads_and_files(patient_environment: dict[str, str]) -> None:
    lines = [f"cd {Path.cwd()}", INTERACTIVE["bash"][1]]
    shown = typed(INTERACTIVE["bash"][0], patient_environment, lines, "twinhull cp web\t\t", "web\\;reboot")
    assert "web-of-team-a:" in shown


def test_an_interactive_fish_adds_no_blank_after_a_workload(patient_environment: dict[str, str]) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish isn't installed")
    code = """twinhull completion fish | source; function twinhull; printf "<%s>" $argv; end"""
    shell = ["fish", "-N", "-i", "-C", code]
    typed(shell, patient_environment, [], "twinhull cp web-\tX\n", "<cp><web-of-team-a:X>")


def test_fish_completes_what_a_cluster_has(patient_environment: dict[str, str]) -> None:
    if not shutil.which("fish"):
        pytest.skip("fish isn't installed")
    for word, whole in {
        "port-forward web 80:ht": ["80:http"],
        "logs web --container=w": ["--container=wal", "--container=web"],
        "cp web-": ["web-of-team-a:"],
        "cp web": ["web site", "web-of-team-a:", "web.txt", "web;reboot"],
    }.items():
        code = f'twinhull completion fish | source; complete --do-complete "twinhull {word}"'
        done = subprocess.run(
            ["fish", "-N", "-c", code], env=patient_environment, capture_output=True, text=True, check=True
        )
        assert sorted(line.partition("\t")[0] for line in done.stdout.splitlines()) == whole


def test_kubectl_gets_files_beside_workloads(patient_environment: dict[str, str]) -> None:
    def answer(*words: str) -> list[str]:
        done = subprocess.run(
            ["twinhull", *words],
            env={**patient_environment, "_TWINHULL_COMPLETE": "kubectl_complete"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert answer("logs", "web", "-c", "w") == ["web", "wal", ":4"]
    assert answer("port-forward", "web", "80:ht") == ["80:http", ":4"]
    # Its scripts don't quote, so that names of files which need it aren't among them.
    assert answer("cp", "we") == ["web-of-team-a:", "web.txt", ":6"]
    assert answer("cp", "team-b") == ["team-b/", ":6"]
    assert answer("cp", "team-b/w") == ["team-b/web-of-team-b:", "team-b/web.txt", ":6"]
    assert answer("cp", "./we") == [":0"]
    assert answer("cp", "api:/e") == [":4"]
