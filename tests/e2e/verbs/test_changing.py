"""The verbs by which people do something to a Workload, and wait for it: with the operator, on a control
plane.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests import operator_process
from tests.controlplane import Api, Cluster, eventually, kubeconfig
from tests.controlplane.polling import PATIENCE
from tests.e2e.operator.policies import Policies, boxes
from tests.e2e.operator.subject import EXIT, NEVER_READY, Manifest, Subject, container, template
from tests.e2e.operator.test_disks import booted, cdi
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated

SERVED = template(containers=[container(ports=[{"name": "http", "containerPort": 80}])])
UNSUPPORTED = template(hostNetwork=True)
RUNSC = {"runtimeClassName": "verbs"}
Ended = subprocess.CompletedProcess[str]
__all__ = ["booted", "cdi"]


@pytest.fixture(autouse=True, scope="module")
def _runtime_class(api: Api) -> Iterator[None]:
    remove = boxes(api, "verbs")
    yield
    remove()


def twinhull(web: Subject, *words: str, login: Path | None = None) -> Ended:
    """Run the command in the Workload's namespace."""
    return operator_process.run_verb(*words, "-n", web.namespace, kubeconfig=login or web.cluster.kubeconfig)


def running(web: Subject) -> str:
    return str(web.get()["status"]["isolation"]["running"])


def managers(web: Subject, cluster: Cluster) -> dict[str, str]:
    """Who has set spec.isolationPolicy or spec.state last."""
    path = cluster.api.path("Workload", web.namespace, web.name)
    entries = cluster.api.request("GET", path)["metadata"]["managedFields"]
    return {
        field.removeprefix("f:"): entry["manager"]
        for entry in entries
        for field in entry.get("fieldsV1", {}).get("f:spec", {})
    }


@contextmanager
def asleep(operator: OperatorProcess) -> Iterator[None]:
    """The operator does nothing meanwhile."""
    operator.process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        operator.process.signal(signal.SIGCONT)


@pytest.mark.parametrize("to", ["machine", "sandbox"])
def test_a_flip_waits_and_the_way_back_that_it_prints_leads_back(web: Subject, to: str) -> None:
    web.apply("Container", SERVED, sandbox=RUNSC)
    first = web.becomes("Ready")["status"]["hull"]["name"]

    ended = twinhull(web, "flip", "web", "--to", to, "--wait")
    assert ended.returncode == 0, ended.stderr
    assert running(web) == {"machine": "VirtualMachine", "sandbox": "Sandbox"}[to]
    assert f"Downtime: from the end of Pod {first} until" in ended.stdout
    assert "Lost: the files in the containers" in ended.stdout
    assert f"Workload web is running as {to}" in ended.stdout
    assert managers(web, web.cluster)["isolationPolicy"] == "twinhull-cli"

    (back,) = (line for line in ended.stdout.splitlines() if line.startswith("Way back: "))
    words = shlex.split(back.removeprefix("Way back: "))
    assert words == ["twinhull", "flip", "web", "-n", web.namespace, "--to", "container"]
    ended = operator_process.run_verb(*words[1:], "--wait", kubeconfig=web.cluster.kubeconfig)
    assert (ended.returncode, running(web)) == (0, "Container"), ended.stderr
    assert web.get()["status"]["hull"]["name"] == first


def test_a_flip_under_start_first_says_that_nothing_is_down(web: Subject) -> None:
    web.apply("Container", SERVED, replacement={"strategy": "StartFirst", "drainSeconds": 1})
    web.becomes("Ready")
    ended = twinhull(web, "flip", "web", "--to", "machine", "--wait")
    assert ended.returncode == 0, ended.stderr
    assert "Downtime: none (StartFirst)" in ended.stdout
    assert "previousHull" not in web.get()["status"], "the former hull is gone when it is done"


def test_a_flip_that_is_only_tried_changes_nothing(web: Subject) -> None:
    web.apply("Container", SERVED)
    generation = web.becomes("Ready")["metadata"]["generation"]
    ended = twinhull(web, "flip", "web", "--to", "machine", "--dry-run=server")
    assert ended.returncode == 0, ended.stderr
    assert "Downtime: from the end of Pod web-" in ended.stdout
    assert "Nothing was changed" in ended.stdout
    assert web.get()["metadata"]["generation"] == generation


def test_a_flip_to_what_it_is_does_nothing(web: Subject) -> None:
    web.apply("Container", SERVED)
    web.becomes("Ready")
    ended = twinhull(web, "flip", "web", "--to", "container", "--wait")
    assert (ended.returncode, "is Container already" in ended.stdout) == (0, True), ended.stderr


def test_a_flip_is_refused_for_a_field_that_the_other_hull_cannot_honour(web: Subject) -> None:
    web.apply("Container", template(hostNetwork=True))
    web.becomes("Ready")
    ended = twinhull(web, "flip", "web", "--to", "machine", "--wait")
    assert ended.returncode == 1
    assert "Stops it: UnsupportedFields: spec.template.spec.hostNetwork" in ended.stderr
    assert "nothing was changed" in ended.stderr
    assert web.get()["spec"]["isolationPolicy"] == "Container"


def test_several_are_flipped_and_one_that_is_stopped_leaves_the_others(web: Subject) -> None:
    web.apply("Container", SERVED)
    web.named("bad").apply("Container", UNSUPPORTED)
    for one in (web, web.named("bad")):
        one.becomes("Ready")
    ended = twinhull(web, "flip", "bad", "web", "--to", "vm", "--wait", "--timeout=5m")
    assert ended.returncode == 1, ended.stderr
    assert "Error: nothing was changed of Workload bad" in ended.stderr
    assert ended.stdout.splitlines()[-1] == "Workload web is running as machine"
    assert web.named("bad").get()["spec"]["isolationPolicy"] == "Container"


def test_a_flip_is_refused_below_a_policy_s_minimum(web: Subject, policies: Policies) -> None:
    web.apply("VirtualMachine", SERVED)
    web.becomes("Ready")
    floor = policies.make("floor", minimum="VirtualMachine")
    web.eventually(lambda: policies.get(floor).get("status"), "the operator has seen the policy")
    ended = twinhull(web, "flip", "web", "--to", "container")
    assert ended.returncode == 1
    assert f"Stops it: IsolationPolicy {floor} requires" in ended.stderr
    assert "It would run as machine" in ended.stderr

    policies.apply("floor", minimum="VirtualMachine", onViolation="Reject")
    ended = twinhull(web, "flip", "web", "--to", "container")
    assert (ended.returncode, floor in ended.stderr) == (1, True)
    assert web.get()["spec"]["isolationPolicy"] == "VirtualMachine"


def test_a_flip_that_is_forced_says_what_it_waits_for(web: Subject) -> None:
    web.apply("Container", SERVED, sandbox={"runtimeClassName": "absent"})
    hull = web.becomes("Ready")["status"]["hull"]["name"]
    refused = twinhull(web, "flip", "web", "--to", "sandbox")
    assert refused.returncode == 1
    assert "Stops it: RuntimeClassMissing" in refused.stderr

    ended = twinhull(web, "flip", "web", "--to", "sandbox", "--force", "--wait", "--timeout=20s")
    assert ended.returncode == 4, ended.stderr
    assert "isn't running as sandbox after 20 s: it is Stalled (RuntimeClassMissing)" in ended.stderr
    assert f"Way back: twinhull flip web -n {web.namespace} --to container" in ended.stdout
    assert web.hull()["metadata"]["name"] == hull, "what ran runs on"


def test_a_flip_overdue_says_how_far_it_is(web: Subject) -> None:
    web.apply("Container", template({NEVER_READY: "true"}))
    web.becomes("ContainersNotReady")
    # The login and the first answer are within this time, too.
    ended = twinhull(web, "flip", "web", "--to", "machine", "--wait", "--timeout=20s")
    assert ended.returncode == 4, ended.stderr
    assert re.search(r"^web: \w+: ", ended.stderr, re.MULTILINE), "progress, before the time was over"
    assert "isn't running as machine after 20 s" in ended.stderr


def test_a_gitops_tool_that_would_undo_it_is_warned_of_by_name(web: Subject, cluster: Cluster) -> None:
    manifest = web.apply("Container", SERVED)
    web.delete()
    web.is_gone()
    mine = {
        **{key: manifest[key] for key in ("apiVersion", "kind")},
        "metadata": {"name": "web", "namespace": web.namespace},
        "spec": {"isolationPolicy": "Container", "state": "Running", "template": SERVED},
    }
    cluster.kubectl.apply(mine, "--server-side", "--field-manager=argocd-controller")
    web.becomes("Ready")
    ended = twinhull(web, "flip", "web", "--to", "machine")
    assert ended.returncode == 0, ended.stderr
    warning = (
        "Argo CD (field manager argocd-controller) sets spec.isolationPolicy of Workload web: its "
        "next sync undoes"
    )
    assert warning in ended.stderr
    ended = twinhull(web, "stop", "web")
    assert (
        "Warning: Argo CD (field manager argocd-controller) sets spec.state of Workload web" in ended.stderr
    )

    # What it says is so: the next sync undoes both.
    cluster.kubectl.apply(mine, "--server-side", "--field-manager=argocd-controller", "--force-conflicts")
    assert (web.get()["spec"]["isolationPolicy"], web.get()["spec"]["state"]) == ("Container", "Running")


def test_what_kubectl_applied_is_warned_of_too(web: Subject, cluster: Cluster) -> None:
    cluster.kubectl.apply(
        {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": "web", "namespace": web.namespace},
            "spec": {"isolationPolicy": "Container", "template": SERVED},
        }
    )
    web.becomes("Ready")
    ended = twinhull(web, "flip", "web", "--to", "machine")
    assert (
        "Warning: kubectl apply (field manager kubectl-client-side-apply) sets spec.isolation" in ended.stderr
    )
    ended = twinhull(web, "stop", "web")
    assert "Warning" not in ended.stderr, "the file says nothing of spec.state"
    # Its own change has taken the field, and the file still says it.
    ended = twinhull(web, "flip", "web", "--to", "sandbox", "--force")
    assert "Warning: kubectl apply sets spec.isolationPolicy of Workload web" in ended.stderr


def test_workloads_are_stopped_and_started(web: Subject) -> None:
    other = web.named("other")
    for one in (web, other):
        one.apply("Container", SERVED)
    web.becomes("Ready")

    ended = twinhull(web, "stop", "web", "other", "--wait")
    assert ended.returncode == 0, ended.stderr
    assert "Workload web: spec.state is Stopped now (it was Running)" in ended.stdout
    assert {"Workload web is stopped", "Workload other is stopped"} <= set(ended.stdout.splitlines())
    assert set(web.belongings()) == {"Service"}, "the Service stays"
    assert managers(web, web.cluster)["state"] == "twinhull-cli"
    again = twinhull(web, "stop", "web")
    assert (again.returncode, again.stdout) == (0, "Workload web: spec.state is Stopped already\n")

    tried = twinhull(web, "start", "web", "--dry-run=server")
    assert "spec.state would be Running (it was Stopped)" in tried.stdout
    assert web.get()["spec"]["state"] == "Stopped"
    ended = twinhull(web, "start", "web", "other", "--wait")
    assert ended.returncode == 0, ended.stderr
    assert "Workload other is up" in ended.stdout
    assert web.condition("Ready")[1] == "Ready"


def test_workloads_are_chosen_by_labels(web: Subject, api: Api) -> None:
    for name, app in (("web", "shop"), ("db", "shop"), ("mail", "post")):
        web.named(name).apply("Container", SERVED)
        api.patch("Workload", name, web.namespace, {"metadata": {"labels": {"app": app}}})
    ended = twinhull(web, "stop", "-l", "app=shop")
    assert ended.returncode == 0, ended.stderr
    states = {name: web.named(name).get()["spec"]["state"] for name in ("web", "db", "mail")}
    assert states == {"web": "Stopped", "db": "Stopped", "mail": "Running"}
    none = twinhull(web, "stop", "-l", "app=none")
    assert (none.returncode, "no Workload with the labels app=none" in none.stderr) == (1, True)


@pytest.mark.parametrize("strategy", ["Recreate", "StartFirst"])
@pytest.mark.parametrize("isolation", ["Container", "VirtualMachine"])
def test_a_restart_makes_another_hull(web: Subject, isolation: str, strategy: str) -> None:
    web.apply(isolation, SERVED, replacement={"strategy": strategy, "drainSeconds": 0})
    first = web.becomes("Ready")["status"]["hull"]
    ended = twinhull(web, "restart", "web", "--wait")
    assert ended.returncode == 0, ended.stderr
    assert "Workload web restarts: spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]" in (
        ended.stdout
    )
    now = web.get()["status"]
    assert now["hull"]["revision"] != first["revision"]
    assert (now["hull"]["ready"], "previousHull" in now) == (True, False)


def test_a_restart_runs_a_completed_workload_again_and_no_stopped_one(web: Subject) -> None:
    web.apply("Container", template({EXIT: "0"}, restartPolicy="Never"))
    first = web.becomes("Completed")["status"]["exit"]["revision"]
    ended = twinhull(web, "restart", "web", "--wait")
    assert ended.returncode == 0, ended.stderr
    assert "It had run to its end, and runs again" in ended.stdout
    assert web.get()["status"]["exit"]["revision"] != first

    twinhull(web, "stop", "web", "--wait")
    ended = twinhull(web, "restart", "web")
    assert ended.returncode == 1
    assert "Workload web isn't restarted: spec.state is Stopped" in ended.stderr


def test_a_machine_with_a_disk_restarts_and_keeps_its_virtual_machine(booted: Subject) -> None:
    web = booted
    uid = web.one("VirtualMachine", "web")["metadata"]["uid"]
    instance = web.one("VirtualMachineInstance", "web")["metadata"]["uid"]
    ended = twinhull(web, "restart", "web", "--wait")
    assert ended.returncode == 0, ended.stderr
    assert "metadata.annotations[twinhull.dev/restart]" in ended.stdout
    assert web.one("VirtualMachine", "web")["metadata"]["uid"] == uid
    assert web.one("VirtualMachineInstance", "web")["metadata"]["uid"] != instance


def test_wait_ends_when_it_is_so(web: Subject) -> None:
    web.apply("Container", SERVED)
    for goal, title in (
        ("ready", "ready"),
        ("isolation=container", "running as container"),
        ("condition=Stalled=False", "as asked: condition Stalled is False"),
    ):
        ended = twinhull(web, "wait", "web", f"--for={goal}", "--timeout=5m")
        assert (ended.returncode, ended.stdout) == (0, f"Workload web is {title}\n"), ended.stderr
    web.change(state="Stopped")
    assert twinhull(web, "wait", "web", "--for=stopped", "--timeout=5m").returncode == 0
    web.delete()
    assert twinhull(web, "wait", "web", "--for=deleted", "--timeout=5m").returncode == 0
    assert twinhull(web, "wait", "web", "--for=deleted").returncode == 0, "it is gone already"
    gone = twinhull(web, "wait", "web")
    assert (gone.returncode, "there is no Workload web" in gone.stderr) == (1, True)


@pytest.mark.parametrize(
    ("code", "policy", "goal", "exit_code"),
    [
        (0, "Never", "completed", 0),
        (3, "Never", "completed", 3),
        (0, "Never", "ready", 3),
        (3, "Never", "ready", 3),
    ],
)
def test_wait_tells_a_good_end_from_a_bad_one(
    web: Subject, code: int, policy: str, goal: str, exit_code: int
) -> None:
    web.apply("Container", template({EXIT: str(code)}, restartPolicy=policy))
    web.becomes("Failed" if code else "Completed")
    ended = twinhull(web, "wait", "web", f"--for={goal}", "--timeout=5m")
    assert ended.returncode == exit_code, ended.stderr
    if code:
        assert "it has ended: container web ended with exit code 3" in ended.stderr


def test_wait_ends_early_when_it_cannot_come_true(web: Subject) -> None:
    web.apply("VirtualMachine", UNSUPPORTED)
    ended = twinhull(web, "wait", "web", "--for=ready", "--timeout=5m")
    assert ended.returncode == 3, ended.stderr
    assert "can't become ready any more: it is Stalled (UnsupportedFields)" in ended.stderr
    web.named("always").apply("Container", SERVED)
    ended = twinhull(web, "wait", "always", "--for=completed", "--timeout=5m")
    assert (ended.returncode, "it never completes" in ended.stderr) == (3, True)
    web.named("always").change(state="Stopped")
    ended = twinhull(web, "wait", "always", "--timeout=5m")
    assert (ended.returncode, f"twinhull start always -n {web.namespace}" in ended.stderr) == (3, True)


def test_wait_goes_on_while_something_may_still_come(web: Subject) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "late"}}
    web.apply("Container", template(volumes=[volume]))
    command = [sys.executable, "-m", "twinhull", "wait", "web", "--timeout=5m", "-n", web.namespace]
    login = {**os.environ, "KUBECONFIG": str(web.cluster.kubeconfig), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=login, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr is not None
        assert any("it is Stalled (ClaimMissing)" in line for line in waiting.stderr)
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
        metadata = {"name": "late", "namespace": web.namespace}
        kind = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
        web.cluster.api.create({**kind, "metadata": metadata, "spec": spec})
        rest = waiting.stderr.read()
    assert (waiting.returncode, "any more" in rest) == (0, False), rest


def test_wait_is_not_content_with_what_was_so_of_a_former_spec(
    web: Subject, operator: OperatorProcess
) -> None:
    web.apply("Container", SERVED)
    web.becomes("Ready")
    with asleep(operator):
        web.change(isolationPolicy="VirtualMachine")
        # The login and the first answer are within this time, too.
        ended = twinhull(web, "wait", "web", "--for=ready", "--timeout=20s")
        assert ended.returncode == 4, "the status speaks of the former spec only"
        assert "the operator hasn't seen the present spec yet" in ended.stderr
        restarted = twinhull(web, "restart", "web", "--wait", "--timeout=2s")
        assert restarted.returncode == 4, restarted.stderr
    ended = twinhull(web, "wait", "web", "--for=isolation=machine", "--timeout=5m")
    assert ended.returncode == 0, ended.stderr


def test_many_are_waited_for_at_once(web: Subject) -> None:
    names = [f"web{number}" for number in range(10)]
    for name in names:
        web.named(name).apply("Container", SERVED)
    web.named("bad").apply("VirtualMachine", UNSUPPORTED)
    ended = twinhull(web, "wait", *names, "bad", "--timeout=5m")
    assert ended.returncode == 3
    assert sorted(ended.stdout.splitlines()) == sorted(f"Workload {name} is ready" for name in names)
    assert "Workload bad can't become ready any more" in ended.stderr


def test_who_may_do_little_is_told_what_is_missing(web: Subject, cluster: Cluster, tmp_path: Path) -> None:
    web.apply("Container", SERVED)
    web.becomes("Ready")
    little = account(web, cluster, tmp_path, ["get", "patch"])
    ended = twinhull(web, "flip", "web", "--to", "machine", "--wait", login=little)
    assert "You may not list" in ended.stderr
    assert ended.returncode == 0, ended.stderr
    assert running(web) == "VirtualMachine", "without the right to watch it asks again and again"

    none = account(web, cluster, tmp_path, ["get"])
    ended = twinhull(web, "stop", "web", login=none)
    assert (ended.returncode, "forbidden" in ended.stderr) == (1, True)


@pytest.mark.parametrize("verb", ["console", "vnc", "ssh"])
def test_a_pod_has_none_of_what_a_machine_has(web: Subject, verb: str) -> None:
    web.apply("Container", SERVED)
    hull = web.becomes("Ready")["status"]["hull"]["name"]
    more = ["--proxy-only"] if verb == "vnc" else []
    ended = twinhull(web, verb, "web", *more)
    assert ended.returncode == 1
    assert f"Workload web runs in Pod {hull}, which is no machine" in ended.stderr
    assert f"twinhull exec web -n {web.namespace} -it -- sh" in ended.stderr


def account(web: Subject, cluster: Cluster, folder: Path, verbs: list[str]) -> Path:
    """A kubeconfig of somebody who may do this to the Workload web, and nothing else."""
    name = f"person-{len(verbs)}"
    place: dict[str, Any] = {"name": name, "namespace": web.namespace}
    rule = {
        "apiGroups": ["twinhull.dev"],
        "resources": ["workloads"],
        "resourceNames": ["web"],
        "verbs": verbs,
    }
    rbac = "rbac.authorization.k8s.io/v1"
    made: list[Manifest] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {"apiVersion": rbac, "kind": "Role", "metadata": place, "rules": [rule]},
        {
            "apiVersion": rbac,
            "kind": "RoleBinding",
            "metadata": place,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
    ]
    for one in made:
        cluster.api.apply(one)
    path = cluster.api.path("ServiceAccount", web.namespace, name) + "/token"
    token_request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    settings = client.Configuration()
    config.load_kube_config(  # type: ignore[no-untyped-call]
        str(cluster.kubeconfig), client_configuration=settings, persist_config=False
    )
    written = kubeconfig.write(
        folder / f"{name}.kubeconfig",
        server=settings.host,
        authority=Path(str(settings.ssl_ca_cert)),
        client=cluster.api.request("POST", path, token_request)["status"]["token"],
        user=name,
    )
    api = Api(written)

    def may() -> bool:
        return all(api.may(verb, "twinhull.dev", "workloads", web.namespace, web.name) for verb in verbs)

    eventually(may, PATIENCE, f"the API server knows what {name} may do")
    return written
