"""The verbs that show what is on a cluster, as a person runs them: by all rights, by few, and by none."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.controlplane import Api, ApiError, Cluster, ControlPlane, eventually
from tests.controlplane.polling import PATIENCE
from tests.e2e.operator.subject import EXIT, NEVER_READY, Manifest, Subject, container, template
from tests.request_proxy import RequestProxy
from twinhull.cli import main

pytestmark = pytest.mark.simulated

#: What a tenant may write to have a terminal do: set its title, clear it, colour it by a C1 control, and turn
#: the direction of what follows.
HOSTILE = "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202eneerg \x7f"
PORT = template(containers=[container(ports=[{"containerPort": 80}])])
_TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "50"}
#: What colours and emphasis are to a terminal.
_STYLE = re.compile(r"\x1b\[[0-9;]*m")
#: The kind of a metrics server's figures. The API server serves it like an aggregated one does.
METRICS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "pods.metrics.k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
    },
    "spec": {
        "group": "metrics.k8s.io",
        "names": {"kind": "PodMetrics", "plural": "pods"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1beta1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                },
            }
        ],
    },
}


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "twinhull", *args]


def environment(kubeconfig: Path, **more: str) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    return {**own, "KUBECONFIG": str(kubeconfig), "PYTHONUNBUFFERED": "1", **more}


def run(web: Subject, *args: str, kubeconfig: Path | None = None) -> Result:
    """What a verb prints where there is no terminal. It is no process of its own: a hundred take minutes."""
    variables = {"KUBECONFIG": str(kubeconfig or web.cluster.kubeconfig)}
    return CliRunner().invoke(main, [*args, "-n", web.namespace], env=variables)


def printed(web: Subject, *args: str) -> list[str]:
    ended = run(web, *args)
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout.splitlines()


@contextmanager
def terminal(web: Subject, *args: str, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], bytearray]]:
    """A verb on a terminal of 80 columns, and what that gets. It has all of it at the end."""
    ours, theirs = pty.openpty()
    got = bytearray()
    with subprocess.Popen(
        command(*args, "-n", web.namespace),
        env=environment(web.cluster.kubeconfig, **{**_TERMINAL, **more}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        reader = Thread(target=_read, args=(ours, got), daemon=True)
        reader.start()
        try:
            yield process, got
            process.wait(PATIENCE)
        finally:
            process.terminate()
            reader.join(PATIENCE)
    os.close(ours)


def _read(descriptor: int, got: bytearray) -> None:
    for chunk in _until_closed(descriptor):
        got.extend(chunk)


def on_a_terminal(web: Subject, *args: str, **more: str) -> bytes:
    """What a terminal of 80 columns gets of a verb that ends by itself."""
    with terminal(web, *args, **more) as (process, got):
        pass
    assert process.returncode in {0, 1}
    return bytes(got)


def _until_closed(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            chunk = os.read(descriptor, 65_536)
        except OSError:  # nobody has the other end any more
            return
        if not chunk:
            return
        yield chunk


@contextmanager
def watching(web: Subject, *args: str, kubeconfig: Path | None = None) -> Iterator[Queue[str]]:
    """The lines of a verb that goes on."""
    got: Queue[str] = Queue()
    with subprocess.Popen(
        command(*args, "--watch", "-n", web.namespace),
        env=environment(kubeconfig or web.cluster.kubeconfig),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines: Any = process.stdout
        reader = Thread(target=_pass_on, args=(lines, got), daemon=True)
        reader.start()
        try:
            yield got
        finally:
            process.terminate()
            reader.join(PATIENCE)


def _pass_on(lines: Iterator[str], got: Queue[str]) -> None:
    for line in lines:
        got.put(line.rstrip())


def comes(got: Queue[str], *words: str) -> str:
    """The first line with all of these words."""

    def found() -> str:
        try:
            line = got.get_nowait()
        except Empty:
            return ""
        return line if all(word in line for word in words) else ""

    return eventually(found, PATIENCE, f"a line has {words}")


def grant(web: Subject, user: str, *roles: str, rules: Sequence[Manifest] = ()) -> Path:
    """A kubeconfig of somebody who has these ClusterRoles in the namespace, and a role with these rules."""
    assert isinstance(web.cluster, ControlPlane)
    group = "rbac.authorization.k8s.io"
    if rules:
        about = {"name": user, "namespace": web.namespace}
        web.cluster.api.apply(
            {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": about, "rules": list(rules)}
        )
    references = [
        *(("ClusterRole", role) for role in roles),
        *((("Role", user),) if rules else ()),
    ]
    for kind, name in references:
        web.cluster.api.apply(
            {
                "apiVersion": f"{group}/v1",
                "kind": "RoleBinding",
                "metadata": {"name": f"{user}-{name}", "namespace": web.namespace},
                "roleRef": {"apiGroup": group, "kind": kind, "name": name},
                "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
            }
        )
    return web.cluster.kubeconfig_for(user)


def section(lines: Sequence[str], title: str) -> list[str]:
    """The lines of a part of the screen."""
    section_lines: list[str] = []
    for line in lines:
        if line.startswith(f"{title} "):
            section_lines.append(line.removeprefix(title).strip())
        elif section_lines and line.startswith(" "):
            section_lines.append(line.strip())
        elif section_lines:
            break
    return section_lines


def test_a_ready_workload_is_fine_and_all_of_it_is_shown(web: Subject) -> None:
    web.apply("Container", PORT)
    hull = web.becomes("Ready")["status"]["hull"]
    web.gets_event("Created")
    lines = web.eventually(lambda: _fine(web), "nothing is wrong, the Service included")
    assert lines[0] == f"Workload {web.namespace}/web"
    assert lines[1].startswith(f"Nothing is wrong: Pod {hull['name']} is ready (for ")
    assert section(lines, "Isolation")[0] == "requested Container, resolved Container, running Container"
    assert section(lines, "Hull")[0] == f"Pod {hull['name']}, revision {hull['revision']}, Ready"
    assert section(lines, "Hull")[1].startswith(f"node {hull['node']}, address {hull['address']}, age ")
    assert section(lines, "Containers")[0] == "1/1 ready, Running, 0 restarts"
    assert section(lines, "Service")[1] == f"1 ready endpoint: {hull['address']}:80"
    assert any(" Created " in line for line in section(lines, "Events"))
    assert not section(lines, "Not read")


def _fine(web: Subject) -> list[str]:
    lines = printed(web, "status", "web")
    return lines if lines[1].startswith("Nothing is wrong") else []


def test_what_is_wrong_comes_first_with_what_to_do(web: Subject) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "nowhere"}}
    web.apply("Container", template(volumes=[volume]))
    web.becomes("ClaimMissing")
    ended = run(web, "status", "web")
    assert (ended.exit_code, ended.stderr) == (1, "")
    lines = ended.stdout.splitlines()
    assert lines[1].startswith("Wrong: ClaimMissing: spec.template.spec.volumes[data]")
    assert lines[2] == "What to do: create the claim that the message names"
    assert run(web, "list", "--not-ready", "-o", "name").stdout == "workload.twinhull.dev/web\n"


def test_a_machine_s_launcher_is_shown(web: Subject) -> None:
    web.apply("VirtualMachine", PORT)
    name = web.becomes("Ready")["status"]["hull"]["name"]
    lines = web.eventually(lambda: _fine(web), "nothing is wrong, the Service included")
    assert section(lines, "Hull")[0].startswith(f"VirtualMachine {name}, revision ")
    assert section(lines, "Launcher")[1].startswith(f"virt-launcher-{name}-")
    wanted = {"workload/web", f"virtualmachineinstance/{name}"}

    def about() -> set[str]:
        return {line.split()[3] for line in printed(web, "events", "web")[1:]}

    web.eventually(lambda: wanted <= about(), "KubeVirt's own Events are among them")


def test_documents_have_all_that_was_read(web: Subject) -> None:
    web.apply("Container", template({EXIT: "1"}, restartPolicy="Never"))
    web.becomes("Failed")
    found = json.loads(run(web, "status", "web", "-o", "json").stdout)
    assert found["verdict"]["level"] == "Wrong"
    assert found["verdict"]["reason"] == "Failed"
    assert found["workload"]["kind"] == "Workload"
    assert [pod["kind"] for pod in found["pods"]] == ["Pod"]

    def say_the_same() -> bool:
        """The operator may write between two of them."""
        document = json.loads(run(web, "status", "web", "-o", "json").stdout)["workload"]
        assert yaml.safe_load(run(web, "status", "web", "-o", "yaml").stdout)["workload"] == document
        assert json.loads(run(web, "get", "web", "-o", "json").stdout) == document
        return True

    web.eventually(say_the_same, "all forms say the same")


def test_who_has_the_role_view_sees_all(web: Subject) -> None:
    viewer = grant(web, f"viewer-{web.namespace}", "view")
    web.apply("VirtualMachine", PORT)
    hull = web.becomes("Ready")["status"]["hull"]["name"]
    web.gets_event("Created")
    lines = web.eventually(
        lambda: _told(run(web, "status", "web", kubeconfig=viewer)), "the role view has the rights"
    )
    assert not section(lines, "Not read")
    assert section(lines, "Launcher")[1].startswith(f"virt-launcher-{hull}-")
    assert section(lines, "Service")
    assert section(lines, "Events")
    listed = run(web, "list", kubeconfig=viewer)
    assert (listed.exit_code, listed.stdout.splitlines()[1].split()[:3]) == (0, ["web", "True", "Ready"])
    everywhere = run(web, "list", "-A", kubeconfig=viewer)
    assert everywhere.exit_code == 1
    assert "is forbidden" in everywhere.stderr
    assert run(web, "events", "web", kubeconfig=viewer).exit_code == 0


def _told(ended: Result) -> list[str]:
    """The lines of a screen; rights take a moment to be known."""
    assert ended.exit_code in {0, 1}, ended.stderr
    return ended.stdout.splitlines()


def test_who_may_read_workloads_only_is_told_what_is_missing(web: Subject) -> None:
    web.apply("VirtualMachine", PORT)
    web.becomes("Ready")
    rule = {"apiGroups": ["twinhull.dev"], "resources": ["workloads"], "verbs": ["get"]}
    reader = grant(web, f"reader-{web.namespace}", rules=[rule])
    lines = web.eventually(
        lambda: _told(run(web, "status", "web", kubeconfig=reader)), "the role has the right"
    )
    assert section(lines, "Not read") == [
        f"{kind}: you may not read {plural} in namespace {web.namespace}: ask for the role view there"
        for kind, plural in (
            ("EndpointSlices", "endpointslices"),
            ("Events", "events"),
            ("Pods", "pods"),
            ("Services", "services"),
            ("VirtualMachineInstances", "virtualmachineinstances"),
            ("VirtualMachines", "virtualmachines"),
        )
    ]
    assert not section(lines, "Service")
    assert not section(lines, "Launcher")
    assert not section(lines, "Events")
    assert section(lines, "Hull")[0].startswith("VirtualMachine web-"), "the status has it"
    assert run(web, "events", "web", kubeconfig=reader).exit_code == 1
    events_rule = {"apiGroups": [""], "resources": ["events"], "verbs": ["list"]}
    grant(web, f"reader-{web.namespace}", rules=[rule, events_rule])

    web.gets_event("Created")

    def events() -> Result:
        ended = run(web, "events", "web", kubeconfig=reader)
        assert ended.exit_code == 0, ended.stderr
        return ended

    ended = web.eventually(events, "the role has that right, too")
    assert "workload/web" in ended.stdout
    assert "note: VirtualMachines can't be read, so their Events are left out" in ended.stderr


def test_what_cannot_be_told_says_why_and_has_an_exit_code_of_its_own(web: Subject, tmp_path: Path) -> None:
    nobody = grant(web, f"nobody-{web.namespace}")
    forbidden = run(web, "status", "web", kubeconfig=nobody)
    assert (forbidden.exit_code, forbidden.stdout) == (2, "")
    assert 'cannot get resource "workloads"' in forbidden.stderr
    web.apply()
    missing = run(web, "status", "wbe")
    assert missing.exit_code == 2
    assert f"there is no Workload wbe in namespace {web.namespace}. Did you mean web?" in missing.stderr
    assert run(web, "events", "wbe").exit_code == 1
    nowhere = run(web, "status", "web", kubeconfig=tmp_path / "none")
    assert (nowhere.exit_code, nowhere.stdout) == (2, "")


def test_what_tenants_write_reaches_no_terminal_as_it_is(web: Subject) -> None:
    web.apply()
    web.becomes("Ready")
    workload = web.get()
    web.cluster.api.create(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "hostile", "namespace": web.namespace},
            "involvedObject": {
                "kind": "Workload",
                "apiVersion": workload["apiVersion"],
                **{key: workload["metadata"][key] for key in ("name", "namespace", "uid")},
            },
            "type": "Warning",
            "reason": HOSTILE,
            "message": HOSTILE,
            "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2126-01-01T00:00:00Z",
        }
    )
    web.annotate("Workload", "web", hostile=HOSTILE)
    commands = [
        *(("status", "web", "-o", form) for form in ("table", "json", "yaml")),
        *(("events", "web", "-o", form) for form in ("table", "json", "yaml")),
        *(("list", "-o", form) for form in ("wide", "json", "yaml")),
    ]
    for args in commands:
        output = run(web, *args).stdout
        assert not [one for one in output if not one.isprintable() and one != "\n"], args
    for args in (("status", "web"), ("events", "web")):
        text = on_a_terminal(web, *args, NO_COLOR="1").decode()
        assert "\\x1b" in text, args
        for forbidden in ("\x1b]0", "\x1b[2J", "\x9b", "\u202e", "\x07", "\x7f"):
            assert forbidden not in text, args
    read = json.loads(run(web, "events", "web", "-o", "json").stdout)
    assert HOSTILE in {event["message"] for event in read["items"]}, "a program reads what was written"
    web.eventually(
        lambda: (
            yaml.safe_load(run(web, "list", "web", "-o", "yaml").stdout)
            == json.loads(run(web, "list", "web", "-o", "json").stdout)
        ),
        "both forms say the same",
    )


def test_colours_are_for_terminals_that_want_them(web: Subject) -> None:
    web.apply(pod_template=template({NEVER_READY: "true"}))
    web.becomes("ContainersNotReady")
    assert b"\x1b[33m" in on_a_terminal(web, "status", "web"), "yellow"
    assert b"\x1b[3" not in on_a_terminal(web, "status", "web", NO_COLOR="1")
    assert b"\x1b" not in on_a_terminal(web, "list", TERM="dumb")
    assert "\x1b" not in run(web, "status", "web").stdout


def test_a_terminal_is_not_wider_than_it_is_and_a_pipe_cuts_nothing(web: Subject) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "n" * 200}}
    web.apply("Container", template(volumes=[volume]))
    message = web.becomes("ClaimMissing")["status"]["conditions"][0]["message"]
    assert message in run(web, "status", "web").stdout
    assert message in run(web, "list", "-o", "wide").stdout
    drawn = on_a_terminal(web, "status", "web", NO_COLOR="1").decode()
    assert max(len(line) for line in _STYLE.sub("", drawn).splitlines()) <= 80
    assert drawn.count("n" * 20) >= 5, "it goes on in the next line"


def test_what_changes_is_printed_as_it_comes(web: Subject) -> None:
    web.apply("Container")
    web.becomes("Ready")
    with watching(web, "list") as listed, watching(web, "events", "web") as events:
        comes(listed, "web", "True", "Ready")
        comes(events, "Ready", "workload/web")
        web.change(state="Stopped")
        comes(listed, "web", "True", "Stopped")
        comes(events, "Stopped", "workload/web", "stopped, as spec.state asks")
    with watching(web, "status", "web") as screens:
        comes(screens, "Nothing is wrong: stopped, as spec.state asks")
        web.change(state="Running")
        comes(screens, "Nothing is wrong: Pod web-")


@pytest.mark.parametrize("verb", ["list", "status", "events"])
def test_what_is_watched_goes_on_after_an_outage(web: Subject, tmp_path: Path, verb: str) -> None:
    web.apply()
    web.becomes("Ready")
    words = [verb] if verb == "list" else [verb, "web"]
    with (
        RequestProxy.running(web.cluster.kubeconfig, tmp_path) as proxy,
        watching(web, *words, kubeconfig=proxy.kubeconfig) as got,
    ):
        comes(got, "web")
        proxy.outage = 503
        proxy.cut_streams()
        web.eventually(lambda: proxy.refused, "the verb has no answer")
        web.change(state="Stopped")
        web.becomes("Stopped")
        proxy.outage = None
        comes(got, "topped")


def test_a_watched_screen_is_drawn_anew_until_the_workload_is_gone(web: Subject) -> None:
    web.apply()
    web.becomes("Ready")
    with terminal(web, "status", "web", "--watch") as (process, got):
        web.eventually(lambda: b"Nothing is wrong: Pod web-" in got, "the screen is drawn")
        web.change(state="Stopped")
        web.eventually(lambda: b"Nothing is wrong: stopped" in got, "it is drawn anew")
        web.delete()
    assert process.returncode == 2
    assert b"\x1b[?1049h" in got, "it has a screen of its own"
    assert f"there is no Workload web in namespace {web.namespace}" in got.decode()


def test_workloads_are_filtered_and_sorted(web: Subject) -> None:
    web.apply("Container")
    web.named("machine").apply("VirtualMachine")
    web.named("unready").apply("Container", template({NEVER_READY: "true"}))
    for name, reason in (("web", "Ready"), ("machine", "Ready"), ("unready", "ContainersNotReady")):
        web.named(name).becomes(reason)

    def names(*args: str) -> list[str]:
        return [line.rpartition("/")[2] for line in printed(web, "list", "-o", "name", *args)]

    assert names() == ["machine", "unready", "web"]
    assert names("--isolation", "VirtualMachine") == ["machine"]
    assert names("--not-ready") == ["unready"]
    assert names("--sort-by", "isolation") == ["unready", "web", "machine"]
    assert names("-l", "app=none") == []
    assert names("unready", "web") == ["unready", "web"]
    everywhere = printed(web, "ls", "-A", "-o", "wide")
    assert everywhere[0].startswith("NAMESPACE ")
    assert [line for line in everywhere if line.split()[:2] == [web.namespace, "machine"]]


@pytest.fixture
def metrics(cluster: Cluster) -> Iterator[None]:
    """An API server with the kind of a metrics server."""
    cluster.api.apply(METRICS)
    cluster.eventually(lambda: _has_figures(cluster.api), PATIENCE, "PodMetrics are served")
    yield
    name = METRICS["metadata"]["name"]  # type: ignore[index]
    cluster.api.delete("CustomResourceDefinition", name)
    cluster.eventually(
        lambda: cluster.api.get("CustomResourceDefinition", name) is None, PATIENCE, "the kind is gone"
    )
    cluster.eventually(lambda: not _has_figures(cluster.api), PATIENCE, "PodMetrics aren't served")


def _has_figures(api: Api) -> bool:
    try:
        return bool(api.request("GET", "/apis/metrics.k8s.io/v1beta1/pods"))
    except ApiError:
        return False


@pytest.mark.usefixtures("metrics")
def test_use_is_shown_against_requests_and_limits(web: Subject) -> None:
    resources = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}
    web.apply("Container", template(containers=[container(resources=resources)]))
    pod = web.becomes("Ready")["status"]["hull"]["name"]
    labels = web.one("Pod", pod)["metadata"]["labels"]
    unknown = run(web, "top", "web")
    assert "there are no figures yet of Pods" in unknown.stderr
    web.cluster.api.request(
        "POST",
        f"/apis/metrics.k8s.io/v1beta1/namespaces/{web.namespace}/pods",
        {
            "apiVersion": "metrics.k8s.io/v1beta1",
            "kind": "PodMetrics",
            "metadata": {"name": pod, "labels": labels},
            "timestamp": "2026-01-01T00:00:00Z",
            "window": "15s",
            "containers": [{"name": "web", "usage": {"cpu": "25000000n", "memory": "32768Ki"}}],
        },
    )
    head, row = printed(web, "top", "web")
    assert " ".join(head.split()) == "NAME POD CPU OF REQUEST OF LIMIT MEMORY OF REQUEST OF LIMIT"
    assert row.split("   ")[0] == "web"
    assert " ".join(row.split()[1:]) == f"{pod} 25m 25% of 100m - 32Mi 50% of 64Mi 25% of 128Mi"
    (found,) = json.loads(run(web, "top", "-o", "json").stdout)
    assert (found["cpu"], found["memory"], found["memoryLimit"]) == ("25m", "32Mi", "128Mi")


def test_without_a_metrics_server_it_says_so(web: Subject) -> None:
    ended = run(web, "top")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "the cluster has no metrics server: its API server doesn't serve metrics.k8s.io" in ended.stderr
