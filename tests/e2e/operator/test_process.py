"""The process: its probes, its end, and what it says to somebody who starts it wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3
from click.testing import CliRunner

from tests.controlplane import PATIENCE, Cluster, eventually
from tests.controlplane.ports import LOOPBACK, free_ports
from tests.controlplane.supervisor import answers
from tests.e2e.operator.subject import Subject
from tests.operator_process import GUEST_IMAGE, OperatorProcess
from tests.request_proxy import RequestProxy
from twinhull.cli import main
from twinhull.shell.kinds import WATCHED

pytestmark = pytest.mark.simulated

PLACES = "this isn't a Pod with a ServiceAccount, and the kubeconfig "
DEFINITIONS = "apiextensions.k8s.io/v1"
TWINHULL = [sys.executable, "-m", "twinhull"]
#: The operator, which gets a SIGTERM between its first answer to a probe and the start of kopf.
STOPPED_BEFORE_KOPF = [
    sys.executable,
    "-c",
    """
import os, signal, sys
from twinhull.cli import main
from twinhull.shell.kopf_process import runner
run = runner.run
def stopped(*arguments):
    os.kill(os.getpid(), signal.SIGTERM)
    return run(*arguments)
runner.run = stopped
main()
""",
]


@contextmanager
def started(
    kubeconfig: Path,
    health: str,
    *options: str,
    command: Sequence[str] = TWINHULL,
    output: int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """An operator whose exit code is known; its `output` may be a pipe if somebody reads that at once, for it
    waits when the pipe is full.
    """
    process = subprocess.Popen(
        [*command, "run", "--health-address", health, *options],
        env={**os.environ, "KUBECONFIG": str(kubeconfig), **(environment or {})},
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def address() -> str:
    (port,) = free_ports(1)
    return f"{LOOPBACK}:{port}"


def get(url: str) -> tuple[int, str]:
    response = urllib3.request("GET", url, retries=False)
    return response.status, response.data.decode()


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TWINHULL, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def is_at_work(where: str, proxy: RequestProxy) -> None:
    eventually(lambda: answers(f"http://{where}/readyz"), 30, "it is ready")
    watched = {kind.path() for kind in WATCHED}
    eventually(lambda: watched <= {r.path for r in proxy.requests if r.is_watch}, 30, "it watches all kinds")
    eventually(lambda: proxy.streams >= len(watched), 30, "all of these watches are answered")


def has_begun(proxy: RequestProxy) -> None:
    """Kopf looks once at its start for the kinds that it knows of by itself, and ends by an answer that it
    doesn't know then (scan_resources in kopf/_cogs/clients/scanning.py).
    """
    looked = {"/api/v1", f"/apis/{DEFINITIONS}", "/apis/admissionregistration.k8s.io/v1"}
    eventually(lambda: looked <= {r.path for r in proxy.requests}, 30, "kopf has looked through the API")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_on_a_signal(proxy: RequestProxy, number: signal.Signals) -> None:
    where = address()
    with started(proxy.kubeconfig, where, output=subprocess.PIPE) as process:
        is_at_work(where, proxy)
        assert get(f"http://{where}/healthz") == (200, "ok\n")

        process.send_signal(number)

        # kopf takes five seconds longer while it looks around for what is served, as it does at its start.
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "twinhull stopped" in output
    assert "Traceback" not in output


def test_it_lives_but_is_not_ready_while_it_cannot_list(proxy: RequestProxy) -> None:
    proxy.outage = 503
    where = address()
    with started(proxy.kubeconfig, where) as process:
        eventually(lambda: answers(f"http://{where}/healthz"), 30, "it lives")
        assert get(f"http://{where}/readyz") == (503, "the cluster's state has not been listed yet\n")

        proxy.outage = None

        eventually(lambda: answers(f"http://{where}/readyz"), 30, "it is ready")
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_it_ends_well_though_it_has_only_begun(account: Path) -> None:
    where = address()
    with started(account, where) as process:
        eventually(lambda: answers(f"http://{where}/healthz"), 30, "it lives")
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_it_ends_well_on_a_signal_before_kopf_handles_any(account: Path) -> None:
    with started(account, address(), command=STOPPED_BEFORE_KOPF, output=subprocess.PIPE) as process:
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert "Traceback" not in output


def test_it_ends_well_while_the_api_server_is_away(proxy: RequestProxy) -> None:
    proxy.outage = 503
    where = address()
    with started(proxy.kubeconfig, where) as process:
        eventually(lambda: answers(f"http://{where}/healthz"), 30, "it lives")
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_it_ends_well_when_the_api_server_went_away(proxy: RequestProxy) -> None:
    where = address()
    with started(proxy.kubeconfig, where) as process:
        is_at_work(where, proxy)
        proxy.outage = 503
        proxy.cut_streams()
        eventually(lambda: len(proxy.refused) >= 10, 30, "it notices")
        process.terminate()
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("code", [400, 404, 500])
@pytest.mark.parametrize("where_from", ["answer", "event"])
def test_no_answer_to_a_watch_ends_it(proxy: RequestProxy, where_from: str, code: int) -> None:
    where = address()
    with started(proxy.kubeconfig, where) as process:
        has_begun(proxy)
        is_at_work(where, proxy)
        proxy.forget()
        if where_from == "answer":
            proxy.outage = code
            proxy.cut_streams()
            eventually(lambda: len(proxy.refused) >= 10, 30, "it notices")
            proxy.outage = None
        else:
            proxy.cut_streams(error=code)
        is_at_work(where, proxy)
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_options_can_be_given_by_the_environment(cluster: Cluster, account: Path, namespace: str) -> None:
    where = address()
    environment = {"TWINHULL_DEFAULT_ISOLATION": "VirtualMachine", "TWINHULL_GUEST_IMAGE": GUEST_IMAGE}
    with started(account, where, environment=environment):
        eventually(lambda: answers(f"http://{where}/readyz"), 30, "it is ready")
        web = Subject(cluster, namespace)
        web.apply("Auto")
        isolation = web.becomes("Ready")["status"]["isolation"]
    assert (isolation["resolved"], isolation["reason"]) == ("VirtualMachine", "OperatorDefault")


def test_a_machine_without_any_guest_image_stalls(cluster: Cluster, account: Path, namespace: str) -> None:
    where = address()
    with started(account, where):
        eventually(lambda: answers(f"http://{where}/readyz"), 30, "it is ready")
        web = Subject(cluster, namespace)
        web.apply("VirtualMachine")
        web.becomes("GuestImageMissing")
        web.change(virtualMachine={"guestImage": GUEST_IMAGE})
        web.becomes("Ready")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--health-address", "nonsense"],
            "'--health-address': 'nonsense' is not HOST:PORT, such as 127.0.0.1:8081 or :8081",
        ),
        (["--default-isolation", "Jail"], "'Jail' is not one of 'Container', 'Sandbox', 'VirtualMachine'."),
        (["--workers", "0"], "0 is not in the range 1<=x<=256."),
        (["--frobnicate"], "No such option '--frobnicate'"),
    ],
    ids=["health-address", "default-isolation", "workers", "unknown"],
)
def test_a_wrong_option_is_explained(options: list[str], sentence: str) -> None:
    ended = CliRunner().invoke(main, ["run", *options])
    assert ended.exit_code == 2
    assert sentence in ended.stderr


def test_no_kubeconfig_is_said_to_a_person(tmp_path: Path) -> None:
    ended = run(
        *("run", "--health-address", f"{LOOPBACK}:0"), HOME=str(tmp_path), KUBECONFIG=str(tmp_path / "none")
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert f"Error: no credentials for an API server were found: {PLACES}" in ended.stderr
    assert "Set KUBECONFIG to the kubeconfig of a cluster" in ended.stderr


def test_a_kubeconfig_that_is_none_is_said_to_a_person(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("{", encoding="utf-8")
    ended = run("run", "--health-address", f"{LOOPBACK}:0", KUBECONFIG=str(wrong))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert f"the kubeconfig {wrong} can't be used (" in ended.stderr


def test_a_taken_health_port_is_said_to_a_person(account: Path) -> None:
    where = address()
    with started(account, where):
        eventually(lambda: answers(f"http://{where}/healthz"), 30, "it lives")
        ended = run("run", "--health-address", where, KUBECONFIG=str(account))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert f"Error: health can't be served at {where} (" in ended.stderr
    assert "Address already in use): choose another --health-address" in ended.stderr


def test_its_version_and_help_are_told() -> None:
    assert run("--version").stdout.startswith("twinhull, version ")
    assert "Run the operator" in run("run", "--help").stdout


def test_a_user_without_a_name_may_run_it(
    account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the image's: 65532 stands in no /etc/passwd."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    nameless = "import pwd\n\ndef getpwuid(uid):\n    raise KeyError(uid)\n\npwd.getpwuid = getpwuid\n"
    (tmp_path / "sitecustomize.py").write_text(nameless, encoding="utf-8")
    operator = OperatorProcess.start(account, tmp_path / "operator.log", code=tmp_path)
    operator.stop()
