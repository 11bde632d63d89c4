"""The verbs that reach into hulls, against what stands for an API server: what they say, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.controlplane import eventually
from tests.controlplane.polling import PATIENCE
from tests.terminal import Terminal
from tests.unit.cli.hullapi import HullApi
from tests.unit.cli.kubeletlog import SECOND, KubeletLog
from tests.unit.cli.test_signals import PATIENT
from tests.unit.reach.virtapi import beside
from twinhull.cli import main
from twinhull.cli.logs import containerlog

pytestmark = pytest.mark.slow

TWINHULL = [sys.executable, "-m", "twinhull"]
SEVERAL = ("setup", "web", "twice")
DISK: dict[str, Any] = {"virtualMachine": {"bootDisk": {"source": {"blank": {}}}}}
FROM_THE_BEGINNING = {"container": "web", "follow": "true", "timestamps": "true"}
FORBIDDEN = (
    '{"kind": "Status", "message": "pods \\"web-1\\" is forbidden: User \\"ann\\" cannot %s resource '
    '\\"pods/%s\\" in API group \\"\\" in the namespace \\"shop\\""}'
)


@pytest.fixture
def api() -> Iterator[HullApi]:
    made = HullApi()
    with beside(made):
        yield made


@pytest.fixture
def kubeconfig(api: HullApi, tmp_path: Path) -> Path:
    return api.kubeconfig(tmp_path)


class Run:
    """Runs the command in this process."""

    def __init__(self, kubeconfig: Path) -> None:
        self._environment = {"KUBECONFIG": str(kubeconfig)}

    def __call__(self, line: str) -> Result:
        ended = CliRunner().invoke(main, line.split(), env=self._environment)
        assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
        return ended


@pytest.fixture
def run(kubeconfig: Path) -> Run:
    return Run(kubeconfig)


def status(**fields: Any) -> bytes:
    return bytes([3]) + json.dumps(fields).encode()


# What has ended


def test_a_refused_command_is_told_in_the_servers_own_words(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1", containers=SEVERAL)
    api.refusal["exec"] = (500, 'container not found ("setup")')
    ended = run("exec web -c setup -- ls")
    assert (ended.exit_code, ended.stderr) == (1, 'Error: container not found ("setup")\n')


def test_a_command_in_a_container_that_has_ended_says_so(api: HullApi, run: Run) -> None:
    api.workload(
        "web",
        "web-1",
        containers=SEVERAL,
        states={"setup": {"state": "Terminated", "exitCode": 0, "init": True}},
    )
    api.refusal["exec"] = (500, 'container not found ("setup")')
    ended = run("exec web -c setup -- ls")
    assert ended.stderr == (
        "Error: container setup of Workload web has ended with exit code 0: `twinhull logs web -n shop "
        "-c setup` shows what it wrote\n"
    )
    api.workload("web", "web-1", states={"web": {"state": "Terminated", "exitCode": 3}})
    assert run("exec web -- ls").stderr == (
        "Error: container web of Workload web has ended with exit code 3: `twinhull logs web -n shop` "
        "shows what it wrote, and `twinhull restart web -n shop` runs it again\n"
    )


@pytest.mark.parametrize("line", ["exec web -- ls", "attach web", "cp web:/a .", "port-forward web :80"])
def test_nothing_is_done_in_a_pod_that_has_ended(api: HullApi, run: Run, line: str) -> None:
    api.workload("web", "web-1")
    api.phases["web-1"] = "Failed"
    ended = run(line)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == (
        "Error: Pod web-1 of Workload web has ended (container web with exit code 3): `twinhull logs web -n "
        "shop` shows what it wrote, and `twinhull restart web -n shop` runs it again\n"
    )
    api.logs["web-1"] = b"its log\n"
    assert run("logs web").stdout == "its log\n"


@pytest.mark.parametrize("line", ["logs web", "exec web -- ls", "console web", "port-forward web :80"])
def test_what_is_stopped_says_what_starts_it(api: HullApi, run: Run, line: str) -> None:
    ready = ("False", "Stopped", "stopped, as spec.state asks")
    api.workload("web", spec={"state": "Stopped"}, ready=ready)
    ended = run(line)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == (
        "Error: Workload web runs nowhere now: stopped, as spec.state asks. `twinhull start web -n shop` "
        "starts it\n"
    )


# Following logs


@pytest.fixture
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containerlog, "_CUT", 0.2)


def replaced(api: HullApi) -> None:
    api.workload("web")  # no hull for a while
    api.workload("web", "web-2")


def completed(api: HullApi, hull: str = "web-2") -> None:
    ended = {"web": {"state": "Terminated", "exitCode": 0}}
    ready = ("True", "Completed", "it has run to completion")
    api.workload("web", hull, states=ended, ready=ready, exit={"code": 0, "reason": "Completed"})


def test_logs_go_on_with_the_next_hull_until_the_workload_has_completed(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1")
    api.logs = {"web-1": b"one\n", "web-2": b"two\n"}
    api.then = [lambda: replaced(api), lambda: completed(api)]
    ended = run("logs -f web --tail 1 --since 1h --timestamps")
    assert (ended.exit_code, ended.stdout) == (0, "one\ntwo\n")
    assert ended.stderr == "Pod web-1 has ended; going on with Pod web-2\n"
    first, second = api.log_reads
    assert first == (
        "web-1",
        {
            "container": "web",
            "follow": "true",
            "timestamps": "true",
            "sinceSeconds": "3600",
            "tailLines": "1",
        },
    )
    assert second == ("web-2", FROM_THE_BEGINNING)


def test_each_container_is_followed_into_the_next_hull(api: HullApi, run: Run) -> None:
    def next_hull() -> None:
        api.workload("web", "web-2", containers=("web", "twice"))

    api.workload("web", "web-1", containers=("web", "twice"))
    api.logs = {"web-1": b"one\n", "web-2": b"two\n"}
    api.then = [lambda: None, next_hull, lambda: None, lambda: api.delete("workloads", "web")]
    ended = run("logs -f web --all-containers --prefix")
    assert ended.exit_code == 0
    assert sorted(ended.stdout.splitlines()) == [
        "[web/twice] one",
        "[web/twice] two",
        "[web/web] one",
        "[web/web] two",
    ]
    assert ended.stderr.count("going on with Pod web-2") == 1


@pytest.mark.parametrize("how", ["stopped", "gone"])
def test_following_ends_once_the_workload_is(api: HullApi, run: Run, how: str) -> None:
    def end() -> None:
        if how == "gone":
            api.delete("workloads", "web")
        else:
            api.workload("web", "web-1", spec={"state": "Stopped"})

    api.workload("web", "web-1")
    api.logs, api.then = {"web-1": b"one\n"}, [end]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "one\n", "")


def test_a_container_that_is_restarted_is_followed_from_its_beginning(api: HullApi, run: Run) -> None:
    def restarted() -> None:
        api.workload("web", "web-1", states={"web": {"state": "Waiting", "restarts": 0}})
        api.workload("web", "web-1", states={"web": {"restarts": 1}})

    api.workload("web", "web-1")
    api.logs, api.then = {"web-1": b"a line\n"}, [restarted, lambda: api.delete("workloads", "web")]
    ended = run("logs -f web --tail 5")
    assert (ended.exit_code, ended.stdout) == (0, "a line\na line\n")
    assert ended.stderr == "Container web of Pod web-1 was restarted; going on with its next run\n"
    assert api.log_reads[1] == ("web-1", FROM_THE_BEGINNING)


@pytest.fixture
def file(api: HullApi) -> KubeletLog:
    """The log of web-1, by its kubelet, whose clock isn't this computer's."""
    api.workload("web", "web-1")
    made = api.files["web-1"] = KubeletLog()
    for number, text in enumerate((b"one\n", b"two\r\n", b" three\n", b"four\n")):
        made.write(number * SECOND // 2, text)
    return made


WHOLE = "one\ntwo\r\n three\nfour\nfive\n"


@pytest.mark.usefixtures("_quickly")
@pytest.mark.parametrize("cut", [None, 0, 36, 70])
@pytest.mark.parametrize("options", ["", "--tail 5", "--timestamps", "--prefix"])
def test_a_log_that_is_cut_off_goes_on_where_it_was(
    api: HullApi, run: Run, file: KubeletLog, cut: int | None, options: str
) -> None:
    api.cuts = [cut]
    api.then = [lambda: file.write(2 * SECOND, b"five\n"), lambda: api.delete("workloads", "web")]
    ended = run(f"logs -f web {options}")
    whole = WHOLE
    if options == "--timestamps":
        whole = file.answer({"timestamps": "true"}).decode()
    elif options == "--prefix":
        whole = "".join(f"[web/web] {line}\n" for line in WHOLE.split("\n")[:-1])
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout_bytes.decode() == whole
    assert len(api.log_reads) == 2


@pytest.mark.usefixtures("_quickly")
@pytest.mark.parametrize("hours", [-1, 1])
def test_this_computers_clock_doesnt_say_where_a_log_goes_on(
    api: HullApi, run: Run, file: KubeletLog, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    wrong = time.time() + hours * 3600
    monkeypatch.setattr(time, "time", lambda: wrong)
    api.then = [lambda: file.write(2 * SECOND, b"five\n"), lambda: api.delete("workloads", "web")]
    assert run("logs -f web").stdout_bytes.decode() == WHOLE
    assert api.log_reads[1][1]["sinceTime"] == "2023-11-14T22:13:20Z"


def test_the_end_of_a_log_that_was_cut_off_is_shown_of_a_workload_that_has_completed(
    api: HullApi, run: Run, file: KubeletLog
) -> None:
    api.cuts = [40]
    api.then = [lambda: completed(api, "web-1")]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stdout_bytes) == (0, file.text)
    assert len(api.log_reads) == 2


def test_the_end_of_a_log_that_was_cut_off_is_shown_of_a_container_that_was_restarted(
    api: HullApi, run: Run, file: KubeletLog
) -> None:
    def restart() -> None:
        api.previous["web-1"] = file
        api.files["web-1"] = KubeletLog()
        api.files["web-1"].write(9 * SECOND, b"again\n")
        run_again(api)

    api.cuts = [40]
    api.then = [restart, lambda: None, lambda: api.delete("workloads", "web")]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stdout_bytes) == (0, file.text + b"again\n")
    assert ended.stderr == "Container web of Pod web-1 was restarted; going on with its next run\n"
    assert "follow" not in api.log_reads[1][1]
    assert api.log_reads[2:] == [("web-1", FROM_THE_BEGINNING)]


def test_an_end_that_cant_be_had_any_more_is_told(api: HullApi, run: Run, file: KubeletLog) -> None:
    api.cuts = [40]
    api.log_refusals = [None, *[(502, "it is gone")] * 3]
    api.then = [lambda: completed(api, "web-1")]
    ended = run("logs -f web")
    assert (ended.exit_code, file.text.startswith(ended.stdout_bytes)) == (0, True)
    assert ended.stderr == "web/web: the end of a log that was cut off can't be shown: it is gone\n"
    assert len(api.log_reads) == 3


def test_the_end_of_a_former_run_that_is_gone_is_told(api: HullApi, run: Run, file: KubeletLog) -> None:
    def restart() -> None:
        api.files["web-1"] = KubeletLog()
        api.files["web-1"].write(9 * SECOND, b"again\n")
        run_again(api)

    api.cuts = [len(file.answer({"timestamps": "true"}))]
    api.log_refusals = [None, (502, "the certificate has expired"), (400, "previous container not found")]
    api.then = [restart, lambda: None, lambda: None, lambda: api.delete("workloads", "web")]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stdout_bytes[-6:]) == (0, b"again\n")
    assert ended.stderr.endswith(
        "web/web: the end of a log that was cut off can't be shown: previous container not found\n"
    )
    assert ["previous" in query for _, query in api.log_reads] == [False, True, True, False]


def test_an_end_that_is_cut_off_each_time_is_asked_for_a_few_times(
    api: HullApi, run: Run, file: KubeletLog
) -> None:
    api.cuts = [len(file.answer({"timestamps": "true"}))] * 9
    api.then = [lambda: completed(api, "web-1")]
    assert run("logs -f web").exit_code == 0
    assert len(api.log_reads) == 1 + containerlog._TRIES  # noqa: SLF001


def test_a_log_that_isnt_followed_is_asked_for_without_timestamps(
    api: HullApi, run: Run, file: KubeletLog
) -> None:
    assert run("logs web --tail 2").stdout_bytes == b" three\nfour\n"
    assert run("logs web --limit-bytes 5 -f").exit_code == 0
    api.previous["web-1"] = file
    assert run("logs web -p -f").stdout_bytes == file.text
    assert not [query for _, query in api.log_reads if "timestamps" in query]


def run_again(api: HullApi) -> None:
    api.workload("web", "web-1", states={"web": {"restarts": 1}})


def test_a_run_whose_log_cant_be_opened_is_shown_from_its_beginning_by_another_way(
    api: HullApi, run: Run
) -> None:
    api.workload("web", "web-1")
    api.logs = {"web-1": b"a line\n"}
    api.log_refusals = [None, (502, "the certificate has expired")]
    api.then = [lambda: run_again(api), lambda: None, lambda: api.delete("workloads", "web")]
    ended = run("logs -f web --tail 5")
    assert (ended.exit_code, ended.stdout) == (0, "a line\na line\n")
    assert ended.stderr == "Container web of Pod web-1 was restarted; going on with its next run\n"
    assert api.log_reads[1:] == [("web-1", FROM_THE_BEGINNING)] * 2


def test_a_run_whose_log_couldnt_be_opened_before_the_workload_completed_is_an_error(
    api: HullApi, run: Run
) -> None:
    def complete() -> None:
        states = {"web": {"state": "Terminated", "exitCode": 0, "restarts": 1}}
        ready = ("True", "Completed", "it has run to completion")
        api.workload("web", "web-1", states=states, ready=ready, exit={"code": 0, "reason": "Completed"})

    api.workload("web", "web-1")
    api.log_refusals = [None, (500, "it failed"), (500, "it failed")]
    api.then = [lambda: run_again(api), lambda: None, complete]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stderr.splitlines()[1:]) == (1, ["Error: web/web: it failed"])


@pytest.mark.usefixtures("_quickly")
def test_a_log_that_cant_be_opened_any_more_is_an_error_after_a_few_tries(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1")
    api.log_refusals = [None, *[(500, "it failed")] * 9]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stderr) == (1, "Error: web/web: it failed\n")
    assert len(api.log_reads) == 1 + 1 + containerlog._TRIES  # noqa: SLF001


@pytest.mark.usefixtures("_quickly")
def test_a_failed_try_moves_nothing_of_where_a_log_goes_on(api: HullApi, run: Run, file: KubeletLog) -> None:
    api.log_refusals = [None, (500, "it failed"), (500, "it failed")]
    api.then = [*[lambda: None] * 3, lambda: api.delete("workloads", "web")]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stdout_bytes, ended.stderr) == (0, file.text, "")
    assert len({query["sinceTime"] for _, query in api.log_reads[1:]}) == 1
    assert len(api.log_reads) == 4


@pytest.mark.parametrize("how", ["it began later", "it hasn't begun", "it was restarted less often"])
def test_a_hull_of_the_same_name_is_the_next_one(api: HullApi, run: Run, how: str) -> None:
    def replace() -> None:
        api.logs["web-1"] = b"two\n"
        if how == "it hasn't begun":
            api.workload("web", "web-1", states={"web": {"state": "Waiting"}})
            threading.Thread(target=begin).start()
        elif how == "it began later":
            api.workload("web", "web-1", started="2026-01-01T00:01:00Z", states={"web": {"restarts": 2}})
        else:
            api.workload("web", "web-1", started="2026-01-01T00:00:00Z")

    def begin() -> None:
        eventually(lambda: api.watches, PATIENCE, "the next hull is waited for")
        api.workload("web", "web-1", started="2026-01-01T00:01:00Z")

    api.workload("web", "web-1", started="2026-01-01T00:00:00Z", states={"web": {"restarts": 2}})
    api.logs = {"web-1": b"one\n"}
    api.then = [replace, lambda: api.delete("workloads", "web")]
    ended = run("logs -f web --tail 1")
    assert (ended.exit_code, ended.stdout) == (0, "one\ntwo\n")
    assert ended.stderr == "Pod web-1 has ended; going on with the next one of that name\n"
    assert api.log_reads[1] == ("web-1", FROM_THE_BEGINNING)


@pytest.mark.usefixtures("_quickly")
def test_a_log_is_asked_for_again_once_its_container_runs_again(api: HullApi, run: Run) -> None:
    def wait() -> None:
        api.workload("web", "web-1", states={"web": {"state": "Terminated"}})
        threading.Timer(0.5, lambda: api.workload("web", "web-1")).start()

    api.workload("web", "web-1")
    api.then = [wait, lambda: api.delete("workloads", "web")]
    assert run("logs -f web").exit_code == 0
    assert len(api.log_reads) == 2


def test_a_container_goes_on_while_the_log_of_another_stays_open(api: HullApi, run: Run) -> None:
    def replace() -> None:
        api.workload("web", "web-2", containers=("web", "twice", "new"))

    def end() -> None:
        eventually(lambda: len(api.log_reads) == 4, PATIENCE, "the new container's log is read")
        api.delete("workloads", "web")
        api.staying.clear()

    api.workload("web", "web-1", containers=("web", "twice"))
    api.logs = {"web-1": b"one\n", "web-2": b"two\n"}
    api.staying = {("web-1", "twice"), ("web-2", "web"), ("web-2", "new")}
    api.then = [replace]
    threading.Thread(target=end).start()
    ended = run("logs -f web --all-containers --prefix")
    assert ended.exit_code == 0
    assert sorted(ended.stdout.splitlines()) == [
        "[web/new] two",
        "[web/twice] one",
        "[web/web] one",
        "[web/web] two",
    ]
    assert ended.stderr == "Pod web-1 has ended; going on with Pod web-2\n"


@pytest.mark.usefixtures("_quickly")
@pytest.mark.parametrize("refusal", [429, 500, 403])
def test_an_error_that_passes_doesnt_end_what_is_followed(api: HullApi, run: Run, refusal: int) -> None:
    api.workload("web", "web-1")
    api.logs = {"web-1": b"one\n", "web-2": b"two\n"}
    api.then = [lambda: replaced(api), lambda: api.delete("workloads", "web")]
    api.pod_reads["web-2"] = [lambda: refusal]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stdout) == (0, "one\ntwo\n")
    assert "Error" not in ended.stderr


def test_a_workload_that_is_deleted_while_its_next_hull_is_entered_has_ended(api: HullApi, run: Run) -> None:
    def delete() -> int:
        api.delete("workloads", "web")
        return 404

    api.workload("web", "web-1")
    api.logs, api.then = {"web-1": b"one\n"}, [lambda: replaced(api)]
    api.pod_reads["web-2"] = [delete]
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stdout) == (0, "one\n")
    assert ended.stderr == "Pod web-1 has ended; going on with Pod web-2\n"


def test_an_error_of_one_workload_doesnt_end_the_logs_of_another(api: HullApi, run: Run) -> None:
    def read() -> int:
        api.staying.clear()
        return 409

    api.workload("web", "web-1")
    api.workload("db", "db-1")
    api.logs = {"web-1": b"one\n", "db-1": b"db\n", "db-2": b"next\n"}
    api.staying = {("db-1", "web")}
    api.pod_reads["web-2"] = [read]
    api.then = [
        lambda: replaced(api),
        lambda: api.workload("db", "db-2"),
        lambda: api.delete("workloads", "db"),
    ]
    ended = run("logs -f web db")
    assert (ended.exit_code, sorted(ended.stdout.split())) == (1, ["db", "next", "one"])
    assert "Error: it is refused\n" in ended.stderr


def test_a_log_that_may_not_be_read_is_an_error_while_followed(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1")
    api.refusal["log"] = (400, "container web is waiting to start")
    ended = run("logs -f web")
    assert (ended.exit_code, ended.stderr) == (1, "Error: web/web: container web is waiting to start\n")


def test_a_bounded_log_ends_where_it_does(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1")
    api.logs["web-1"] = b"one\n"
    assert run("logs -f web --limit-bytes 5").exit_code == 0
    assert run("logs -f web -p").exit_code == 0


def test_ctrl_c_on_the_logs_of_a_pod_and_a_machine_leaves_nothing_behind(
    api: HullApi, kubeconfig: Path
) -> None:
    api.workload("web", "web-1")
    api.workload("vm", "vm", kind="VirtualMachine")
    api.stays, api.certifies = True, False
    process = subprocess.Popen(
        [*PATIENT, "logs", "-f", "web", "vm"],
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: api.reading and api.requests, PATIENCE, "both are followed")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE)
        assert (process.returncode, stderr, api.requests) == (130, "", {})
    finally:
        api.stays = False
        process.kill()


# Containers


def test_which_container_is_meant_by_default_is_said(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1", containers=SEVERAL)
    note = 'Defaulted container "web" out of: web, twice, setup (init)\n'
    assert run("logs web").stderr == note
    assert run("logs web -c twice").stderr == ""
    assert run("logs web --all-containers").stderr == ""
    api.answers = [status(status="Success")]
    assert run("exec web -- ls").stderr == note
    assert run("attach web").stderr == note


def test_a_container_after_the_workload_is_taken_for_one(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1", containers=SEVERAL)
    api.logs["web-1"] = b"one\n"
    ended = run("logs web twice")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "did you mean `twinhull logs web -n shop -c twice`?" in ended.stderr
    ended = run("logs web other")
    assert (ended.exit_code, ended.stdout) == (1, "one\n")
    assert "there is no Workload other" in ended.stderr


def test_what_has_no_containers_is_noted_beside_others(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1")
    api.workload("vm", "vm", kind="VirtualMachine", spec=DISK)
    api.logs["web-1"] = b"one\n"
    ended = run("logs vm web")
    assert (ended.exit_code, ended.stdout) == (0, "one\n")
    assert ended.stderr.startswith("Note: Workload vm runs in a machine that boots a disk of its own")
    ended = run("logs vm")
    assert (ended.exit_code, ended.stderr[:6]) == (1, "Error:")
    api.refusal["log"] = (500, "it failed")
    assert run("logs vm web").exit_code == 1


# Programs


def test_a_program_that_is_missing_is_named(api: HullApi, run: Run) -> None:
    message = (
        "Internal error occurred: Internal error occurred: error executing command in container: OCI runtime "
        'exec failed: exec failed: unable to start container process: exec: "foo": executable file not found '
        "in $PATH"
    )
    api.workload("web", "web-1")
    api.answers = [status(status="Failure", reason="InternalError", message=message)]
    ended = run("exec web -- foo")
    assert ended.stderr == (
        "Error: container web of Workload web has no program foo, or lacks the interpreter that the "
        "program's first line names\n"
    )
    assert "Error: container web has no tar, which copies files" in run("cp web:/etc .").stderr
    assert (
        "has no program test, so whether /etc is a folder is unknown. If it is one, write /etc/."
        in run(f"cp {__file__} web:/etc").stderr
    )


@pytest.mark.parametrize("line", ["cp web:/etc .", f"cp {__file__} web:/etc", "exec web -- tar"])
def test_what_isnt_about_the_program_says_nothing_of_it(api: HullApi, run: Run, line: str) -> None:
    message = "Internal error occurred: Internal error occurred: dial tcp 127.0.0.1:10250: connection refused"
    api.workload("web", "web-1")
    api.answers = [status(status="Failure", reason="InternalError", message=message)]
    assert run(line).stderr == "Error: dial tcp 127.0.0.1:10250: connection refused\n"


def test_an_attachment_is_left_by_its_escape(api: HullApi, kubeconfig: Path) -> None:
    api.workload("web", "web-1")
    terminal = Terminal([*TWINHULL, "attach", "-it", "web"], {**os.environ, "KUBECONFIG": str(kubeconfig)})
    try:
        eventually(lambda: terminal.is_raw, PATIENCE, "it is attached")
        terminal.type(b"a\x03b")
        eventually(lambda: b"A\x03B" in terminal.seen, PATIENCE, "the process has the keys")
        terminal.type(b"c\x1dd")
        assert terminal.ends() == 0
        assert b"Ctrl+] ends the connection." in terminal.errors
        assert b"The connection is ended; the process in container web goes on." in terminal.errors
        eventually(lambda: api.received == b"a\x03bc", PATIENCE, "nothing behind the escape is typed")
    finally:
        terminal.close()


# Ports and rights


@pytest.mark.parametrize(("verb", "subresource"), [("logs web", "log"), ("exec web -- ls", "exec")])
def test_who_may_not_is_told_which_right_is_missing(
    api: HullApi, run: Run, verb: str, subresource: str
) -> None:
    api.workload("web", "web-1")
    api.refusal[subresource] = (403, FORBIDDEN % ("get", subresource))
    ended = run(verb)
    assert ended.exit_code == 1
    assert f"You need the right to get pods/{subresource}, which Kubernetes' role edit has" in ended.stderr
    assert "(docs/reaching-in.md, Rights)" in ended.stderr


def test_who_may_not_read_workloads_is_told_which_right_is_missing(api: HullApi, run: Run) -> None:
    api.refuses = 403
    api.refusal_text = (
        'workloads.twinhull.dev "web" is forbidden: User "ann" cannot %s resource "workloads" in API group '
        '"twinhull.dev" in the namespace "shop"'
    )
    for line in ("logs web", "port-forward web 80", "stop web"):
        message = run(line).stderr
        assert "You need the right to get workloads, which Kubernetes' role edit has" in message
    assert "You need the right to list workloads" in run("logs -l a=b").stderr


def test_who_may_not_forward_is_told_before_a_port_is_announced(api: HullApi, run: Run) -> None:
    api.workload("web", "web-1")
    api.refusal["portforward"] = (403, FORBIDDEN % ("get", "portforward"))
    ended = run("port-forward web :80")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "You need the right to get pods/portforward" in ended.stderr
    api.workload("web", "web", kind="VirtualMachine", spec=DISK)
    api.refusals = [(403, "you may not")]
    ended = run("port-forward web :80")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "the right to get virtualmachineinstances/portforward in the API group" in ended.stderr


def test_a_port_of_a_machine_that_boots_a_disk_is_forwarded_by_kubevirt(
    api: HullApi, kubeconfig: Path
) -> None:
    api.workload("web", "web", kind="VirtualMachine", spec=DISK)
    process = subprocess.Popen(
        [*TWINHULL, "port-forward", "web", ":80", "--address", "127.0.0.1"],
        env={**os.environ, "KUBECONFIG": str(kubeconfig), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        port = int(process.stdout.readline().split(":")[1].split()[0])
        with create_connection(("127.0.0.1", port), timeout=PATIENCE) as made:
            made.sendall(b"hello")
            assert made.recv(5) == b"HELLO"
            refusal = (500, "dialing VM: dial tcp 10.0.0.2:80: connect: connection refused")
            api.refusals = [refusal] * 2  # by the present way, and by the next one
            with create_connection(("127.0.0.1", port), timeout=PATIENCE) as refused:
                assert refused.recv(1) == b""
        assert process.stderr
        assert "nothing listens on port 80 of the machine" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert api.streams[-1][0] == "/portforward/80/tcp"
    finally:
        process.kill()
        process.communicate()


def test_ssh_says_that_nothing_listens(api: HullApi, run: Run) -> None:
    api.workload("web", "web", kind="VirtualMachine", spec=DISK)
    api.refusals = [(500, "dialing VM: dial tcp 10.0.0.2:22: connect: connection refused")]
    ended = run("ssh web --stdio")
    assert ended.exit_code == 1
    assert "Error: nothing listens on port 22 of the machine" in ended.stderr
    assert "-p for another port" in ended.stderr
