"""`twinhull explain NAME`: Workloads of a cluster. tests/e2e/verbs/test_explain.py asks a real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.unit.cli import test_explain as explained
from tests.unit.cli.test_explain import UNTRUSTED, built, workload
from tests.unit.cli.watchapi import WatchApi
from tests.unit.reach.virtapi import beside
from twinhull.api.base import Raw
from twinhull.cli import main
from twinhull.shell.cluster import Cluster
from twinhull.shell.errors import Refused
from twinhull.shell.kinds import Kind

PLUGINS = "client.authentication.k8s.io/v1"
LIVE = {"uid": "1", "generation": 2, "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"}
CONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "a",
    "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "x"}}],
    "contexts": [
        {"name": name, "context": {"cluster": "c", "user": "u", "namespace": space}}
        for name, space in (("a", "shop"), ("b", "other"))
    ],
}


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """Stands for a cluster with a Workload web in each namespace. Gives which Workloads are asked for."""
    seen: list[tuple[str, str]] = []

    async def getting(_: Cluster, kind: Kind, namespace: str, name: str) -> Raw | None:
        if kind.name == "Namespace":
            return {"metadata": {"name": name, "labels": {"tier": "untrusted"} if name == "shop" else {}}}
        seen.append((namespace, name))
        if name != "web":
            return None
        live = workload(namespace=namespace)
        return {**live, "metadata": {**live["metadata"], **LIVE}, "status": {"conditions": []}}

    async def listing(_: Cluster, kind: Kind) -> tuple[list[Raw], str] | None:
        listed = {"IsolationPolicy": [UNTRUSTED], "Workload": [workload()]}
        return listed.get(kind.name, [{"metadata": {"name": "gvisor"}}]), "1"

    monkeypatch.setattr(Cluster, "get", getting)
    monkeypatch.setattr(Cluster, "list", listing)
    (tmp_path / "config").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return seen


def explain(*args: str, given: Raw | None = None) -> Result:
    return CliRunner().invoke(main, ["explain", *args], input=yaml.safe_dump(given) if given else "")


@pytest.mark.parametrize("name", ["web", "workload/web", "workloads/web", "twl/web"])
def test_a_workload_of_the_cluster_is_explained_by_its_name(name: str, reads: list[tuple[str, str]]) -> None:
    result = explain(name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("Workload shop/web: Sandbox (RaisedByPolicy)\n")
    assert reads == [("shop", "web")]


def test_the_cluster_and_the_namespace_are_those_of_the_options(reads: list[tuple[str, str]]) -> None:
    assert explain("web", "--context", "b").stdout.startswith(
        "Workload other/web: Container (OperatorDefault)"
    )
    assert explain("web", "-n", "lab").stdout.startswith("Workload lab/web: Container (OperatorDefault)")
    assert reads == [("other", "web"), ("lab", "web")]


def test_files_and_names_are_explained_together(reads: list[tuple[str, str]]) -> None:
    found = explain("-", "web", "-o", "json", given=workload(namespace="elsewhere"))
    assert [one["workload"] for one in json.loads(found.stdout)] == ["elsewhere/web", "shop/web"]
    assert reads == [("shop", "web")]


def test_a_file_of_that_name_is_the_file(reads: list[tuple[str, str]], tmp_path: Path) -> None:
    (tmp_path / "web").write_text(yaml.safe_dump(workload(name="of-file")), encoding="utf-8")
    assert explain("web").stdout.startswith("Workload shop/of-file: ")
    assert reads == []
    assert explain("workload/web").stdout.startswith("Workload shop/web: ")
    assert reads == [("shop", "web")]


def test_a_workload_that_is_not_there_is_named_with_the_one_that_is_meant(
    reads: list[tuple[str, str]],
) -> None:
    result = explain("wbe")
    assert (result.exit_code, reads) == (1, [("shop", "wbe")])
    assert result.stderr == "Error: there is no Workload wbe in namespace shop. Did you mean web?\n"


DEVICES: Raw = {"gpus": [{"name": "g", "deviceName": "vendor.example/gpu"}]}
HOOK: Raw = {"annotations": {"hooks.kubevirt.io/hookSidecars": "[]"}}


@pytest.mark.parametrize("kind", ["VirtualMachineInstancetype", "VirtualMachinePreference"])
@pytest.mark.parametrize(
    ("brought", "policy", "refused"),
    [
        (DEVICES, {"minimum": "VirtualMachine"}, "has gpus, which are the node's devices"),
        (HOOK, {"minimum": "VirtualMachine"}, "has the annotation hooks.kubevirt.io/hookSidecars"),
        (HOOK, {"machines": {"guestImages": []}}, "has the annotation hooks.kubevirt.io/hookSidecars"),
        (DEVICES, {"machines": {"guestImages": []}}, ""),
        ({}, {"minimum": "VirtualMachine"}, ""),
        (None, {"minimum": "VirtualMachine"}, ""),
    ],
)
@pytest.mark.usefixtures("reads")
def test_what_the_machine_is_built_with_in_its_namespace_counts(
    monkeypatch: pytest.MonkeyPatch, kind: str, brought: Raw | None, policy: Raw, refused: str
) -> None:
    field = "instancetype" if kind.endswith("type") else "preference"
    given = built()
    given["spec"]["virtualMachine"] = {field: {"name": "small", "kind": kind}}
    part = None if brought is None else {"metadata": {"name": "small"}, "spec": brought}
    others = Cluster.get

    async def getting(self: Cluster, of: Kind, namespace: str, name: str) -> Raw | None:
        if of.name == kind:
            assert (namespace, name) == ("shop", "small")
            return part
        return await others(self, of, namespace, name)

    async def listing(_: Cluster, of: Kind) -> tuple[list[Raw], str] | None:
        return [explained.policy("p", **policy)] if of.name == "IsolationPolicy" else [], "1"

    monkeypatch.setattr(Cluster, "get", getting)
    monkeypatch.setattr(Cluster, "list", listing)
    result = explain("-", given=given)
    assert result.exit_code == bool(refused), result.output
    assert refused in result.stdout
    assert "isn't checked" not in result.stderr


@pytest.mark.usefixtures("reads")
def test_what_the_user_may_not_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    others = Cluster.get

    async def getting(self: Cluster, of: Kind, namespace: str, name: str) -> Raw | None:
        if of.name == "VirtualMachineInstancetype":
            raise Refused("forbidden")
        return await others(self, of, namespace, name)

    monkeypatch.setattr(Cluster, "get", getting)
    result = explain("-", given=built())
    assert result.exit_code == 0, result.output
    assert "VirtualMachineInstancetype small of its namespace isn't checked" in result.stderr


def test_a_file_that_is_not_there_is_no_name(reads: list[tuple[str, str]]) -> None:
    for missing in (["web.yaml"], ["deploy/web"], ["-f", "web"]):
        result = explain(*missing)
        assert (result.exit_code, "No such file or directory" in result.stderr) == (1, True)
    assert reads == []


def test_a_namespace_is_that_of_files_which_name_none(reads: list[tuple[str, str]]) -> None:
    given = workload()
    del given["metadata"]["namespace"]
    assert explain("-", given=given).stdout.startswith("Workload shop/web: Sandbox")
    assert explain("-", "--context", "b", given=given).stdout.startswith("Workload other/web: Container")
    assert explain("-", "-n", "lab", given=given).stdout.startswith("Workload lab/web: Container")
    assert reads == []


@pytest.mark.parametrize(
    "words", [["-"], ["web"], ["-", "web"], ["-", "web", "-n", "shop"], ["-", "web", "--policies", "rules"]]
)
def test_a_credential_plugin_runs_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str]
) -> None:
    api = WatchApi()
    given = workload()
    api.put("workloads", "web", **{key: value for key, value in given.items() if key != "metadata"})
    credential = {"apiVersion": PLUGINS, "kind": "ExecCredential", "status": {"token": "x"}}
    script = f"echo >> {tmp_path}/ran; echo '{json.dumps(credential)}'"
    plugin = {"apiVersion": PLUGINS, "interactiveMode": "Never", "command": "sh", "args": ["-c", script]}
    with beside(api):
        config = json.loads(api.kubeconfig(tmp_path).read_text(encoding="utf-8"))
        config["users"] = [{"name": "u", "user": {"exec": plugin}}]
        (tmp_path / "config").write_text(json.dumps(config), encoding="utf-8")
        (tmp_path / "rules").mkdir()
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        monkeypatch.chdir(tmp_path)
        del given["metadata"]["namespace"]
        result = explain(*words, given=given)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("/web: ") == len({"-", "web"} & set(words))
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "\n"


@pytest.mark.parametrize("output", ["text", "json"])
def test_what_a_tenant_wrote_does_not_speak_to_the_terminal(
    reads: list[tuple[str, str]], output: str
) -> None:
    given = workload(namespace="other")
    given["spec"]["isolationPolicy"] = "Sandbox"
    given["spec"]["sandbox"] = {"runtimeClassName": "gv\x1b[31m\x9b2J\u202eneerg"}
    result = explain("-", "-o", output, given=given)
    assert "neerg" in result.stdout
    assert not [one for one in result.output if not one.isprintable() and one != "\n"]
    assert reads == []
