"""`twinhull diff`, from the command line; tests/e2e has it against a real API server."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.unit.cli.test_explain import namespace, workload
from twinhull.api.base import Raw
from twinhull.cli import differences as verb
from twinhull.cli import main, personallogin
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import ApiError, Conflict, NotFound, Refused, Unreachable
from twinhull.shell.kinds import Kind
from twinhull.shell.kopf_process.credentials import Credentials

TAKEN = 'Apply failed with 1 conflict: conflict with "{}" using twinhull.dev/v1alpha1: .spec.isolationPolicy'


class Server:
    """Stands for an API server that has one object, or none."""

    def __init__(self, live: Raw | None) -> None:
        self.live = live
        #: What is answered to an apply that doesn't force, if it isn't the object.
        self.error: ApiError | None = None
        self.calls: list[tuple[str, str, bool]] = []
        #: Who has set fields of the live object.
        self.managers = ["kubectl"]

    async def get(self, _: Cluster, kind: Kind, where: str, name: str) -> Raw | None:
        assert (kind.name, name) == ("Workload", "web")
        self.calls.append((where, "", False))
        return self.live

    async def apply(
        self, _: Cluster, __: Kind, where: str, name: str, obj: Raw, manager: str, *, force: bool
    ) -> Raw:
        assert name == "web"
        self.calls.append((where, manager, force))
        if self.error and not force:
            raise self.error
        server = {"uid": "1", "generation": 2, "managedFields": [{}], "resourceVersion": "7"}
        return {**obj, "metadata": {**obj["metadata"], **server}, "status": {"observedGeneration": 1}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    fake = Server(workload("Container"))

    async def getting(*args: Any) -> Raw | None:
        return await fake.get(*args)

    async def applying(*args: Any, **more: Any) -> Raw:
        return await fake.apply(*args, **more)

    async def managing(*_: Any) -> list[Raw]:
        return [{"manager": manager} for manager in fake.managers]

    monkeypatch.setattr(Cluster, "get", getting)
    monkeypatch.setattr(Cluster, "managed_fields", managing)
    monkeypatch.setattr(Cluster, "rehearse_apply", applying)
    monkeypatch.setattr(
        personallogin,
        "login_of_person",
        lambda *_: Credentials(server="http://127.0.0.1", default_namespace="mine"),
    )
    return fake


def diff(*args: str, given: Raw | list[Raw]) -> Result:
    listed = given if isinstance(given, list) else [given]
    return CliRunner().invoke(main, ["diff", "-", *args], input=yaml.safe_dump_all(listed))


def test_nothing_is_printed_for_what_is_as_it_is_said(server: Server) -> None:
    result = diff(given=workload("Container"))
    assert (result.exit_code, result.output) == (0, "")
    assert server.calls == [("shop", "", False), ("shop", "kubectl", False)]


def test_a_change_is_a_unified_diff(server: Server) -> None:
    assert server
    result = diff(given=workload("Sandbox"))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[:2] == ["--- LIVE/Workload/shop/web", "+++ MERGED/Workload/shop/web"]
    assert [line for line in lines[2:] if line[0] in "+-"] == [
        "-  isolationPolicy: Container",
        "+  isolationPolicy: Sandbox",
    ]


def test_what_a_tenant_wrote_does_not_speak_to_the_terminal(server: Server) -> None:
    """Nor does it make lines of its own."""
    assert server.live
    server.live["metadata"]["annotations"] = {"a": "x\u2028+  isolationPolicy: Sandbox\u202eneerg\x9b2J"}
    result = diff(given=workload("Container"))
    assert result.exit_code == 1
    assert not [one for one in result.output if not one.isprintable() and one != "\n"]
    assert [line for line in result.stdout.splitlines()[2:] if line.startswith("+")] == []


def test_a_new_object_is_all_new(server: Server) -> None:
    server.live = None
    result = diff(given=workload("Sandbox"))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "--- /dev/null"
    assert all(line.startswith("+") for line in lines[1:] if not line.startswith("@"))
    assert "status" not in result.stdout


def test_a_conflict_is_told_with_what_to_do(server: Server) -> None:
    server.error = Conflict(TAKEN.format("flux"))
    result = diff(given=workload("Sandbox"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: standard input: Workload web: Apply failed with 1 conflict")
    assert "Leave these fields to flux, or take them by --force-conflicts" in result.stderr
    forced = diff("--force-conflicts", "--field-manager", "me", given=workload("Sandbox"))
    assert forced.exit_code == 1
    assert server.calls[-1] == ("shop", "me", True)


def test_fields_that_kubectl_applied_on_its_own_side_are_taken(server: Server) -> None:
    server.error, server.managers = (
        Conflict(TAKEN.format("kubectl-client-side-apply")),
        ["kubectl-client-side-apply"],
    )
    result = diff(given=workload("Sandbox"))
    assert result.exit_code == 1
    assert "note: Workload web was applied by kubectl on the client's side" in result.stderr
    server.managers.append("kubectl")
    assert "note" not in diff(given=workload("Sandbox")).stderr


def test_a_message_that_is_cut_may_hide_another_manager(server: Server) -> None:
    server.error = Conflict(TAKEN.format("kubectl-client-side-apply") + " …")
    assert diff(given=workload("Sandbox")).exit_code == 2


def test_what_a_flip_has_changed_is_shown_with_the_conflict(server: Server) -> None:
    server.error = Conflict(TAKEN.format("twinhull-cli"))
    result = diff(given=workload("Sandbox"))
    assert result.exit_code == 1
    assert "+  isolationPolicy: Sandbox" in result.stdout
    assert 'note: Workload web: Apply failed with 1 conflict: conflict with "twinhull-cli"' in result.stderr
    assert "as with --force-conflicts, without which the apply is refused" in result.stderr
    server.error = Conflict(TAKEN.format("twinhull-cli") + ' and conflict with "flux"')
    assert diff(given=workload("Sandbox")).exit_code == 2


def test_kubectl_asks_nobody_about_conflicts_on_its_own_side(server: Server) -> None:
    server.error, server.managers = Conflict(TAKEN.format("flux")), ["kubectl-client-side-apply"]
    result = diff(given=workload("Sandbox"))
    assert result.exit_code == 1
    assert "+  isolationPolicy: Sandbox" in result.stdout
    assert "kubectl apply changes these fields all the same, as is shown" in result.stderr
    theirs = diff("--field-manager", "argocd-controller", given=workload("Sandbox"))
    assert (theirs.exit_code, theirs.stdout) == (2, "")


@pytest.mark.parametrize("served", [True, False])
def test_a_cluster_without_the_kind_is_told_once(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, served: bool
) -> None:
    async def kinds(_: Cluster, wanted: list[Kind]) -> set[Kind]:
        return set(wanted) if served else set()

    monkeypatch.setattr(Cluster, "served", kinds)
    server.live, server.error = None, NotFound("404 page not found\n")
    result = diff(given=[workload("Sandbox"), workload("Container")])
    assert result.exit_code == 2
    missing = result.stderr.count("the cluster has no Workloads: its API server doesn't serve them. Install")
    assert missing == int(not served)
    assert result.stderr.count("404 page not found") == (2 if served else 0)


def test_a_server_that_isn_t_reached_is_told_once(server: Server) -> None:
    server.error = Unreachable("GET /x: broken")
    result = diff(given=[workload("Sandbox"), workload("Container")])
    assert result.exit_code == 2
    assert result.stderr.count("doesn't answer: GET /x: broken") == 1


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"name": "../../x"}, "metadata.name isn't the name of an object"),
        ({"name": None}, "metadata.name isn't the name of an object"),
        ({"namespace": "a/b"}, "metadata.namespace isn't the name of a namespace"),
    ],
)
def test_no_name_leads_elsewhere(server: Server, metadata: dict[str, Any], expected: str) -> None:
    result = diff(given=workload("Sandbox", **metadata))
    assert result.exit_code == 2
    assert expected in result.stderr
    assert server.calls == []


def test_others_are_passed_over_and_errors_leave_the_rest(server: Server) -> None:
    server.error = Refused("no")
    result = diff(given=[namespace(), workload("Sandbox")])
    assert result.exit_code == 2
    assert result.stderr == (
        "note: objects of other kinds were passed over: 1\nError: standard input: Workload web: no\n"
    )


@pytest.mark.parametrize(("args", "expected"), [((), "mine"), (("-n", "theirs"), "theirs")])
def test_the_namespace_is_the_option_s_or_the_kubeconfig_s(
    server: Server, args: tuple[str, ...], expected: str
) -> None:
    given = workload("Container")
    del given["metadata"]["namespace"]
    diff(*args, given=given)
    assert {where for where, _, _ in server.calls} == {expected}


def test_colours_respect_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert verb.coloured("+a") == "\x1b[32m+a\x1b[0m"
    assert verb.coloured(" a") == " a"
    monkeypatch.setenv("NO_COLOR", "1")
    assert verb.coloured("+a") == "+a"
