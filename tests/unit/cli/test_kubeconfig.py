"""`twinhull preflight` with a kubeconfig that doesn't work: it says what is wrong, where, and what to do."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner, Result
from kubernetes.config import kube_config

from tests.controlplane import certificates
from tests.controlplane.certificates import Authority, KeyPair
from tests.controlplane.polling import PATIENCE
from twinhull.cli import completion, main


def kubeconfig(server: str = "https://127.0.0.1:1", context: str = "work", **cluster: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "one", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "me", "user": {"token": "x"}}],
        "contexts": [{"name": "work", "context": {"cluster": "one", "user": "me"}}],
        "current-context": context,
    }


def preflight(path: Path) -> Result:
    result = CliRunner().invoke(main, ["preflight"], env={"KUBECONFIG": str(path)})
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert str(path) in result.stderr
    return result


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    place = tmp_path / "kubeconfig"
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(place))  # read when it is imported
    return place


def test_a_missing_file(path: Path) -> None:
    assert "can't be used (there is no such file). Set KUBECONFIG" in preflight(path).stderr


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: [b", "isn't YAML: while parsing a flow sequence"),
        (b"\xff\xfe\x00", "isn't YAML: 'utf-8' codec can't decode"),
        (b"", "is empty"),
        (b"hello", "is no kubeconfig: it is no YAML mapping"),
        (b"contexts: 3", "is no kubeconfig: contexts is no list of mappings"),
        (b"users: [3]", "is no kubeconfig: users is no list of mappings"),
    ],
)
def test_a_file_that_is_no_kubeconfig(path: Path, content: bytes, problem: str) -> None:
    path.write_bytes(content)
    assert f"can't be used: {path} {problem}" in preflight(path).stderr


@pytest.mark.parametrize(
    ("context", "problem"),
    [("gone", "its current-context gone isn't there"), ("", "it has no current-context")],
)
def test_an_unknown_context(path: Path, context: str, problem: str) -> None:
    path.write_text(yaml.safe_dump(kubeconfig(context=context)), encoding="utf-8")
    remedy = "choose one of work by `kubectl config use-context`"
    assert f"can't be used: {problem}: {remedy}. Correct it" in preflight(path).stderr


def test_a_cluster_and_a_certificate_that_are_not_there(path: Path) -> None:
    without = kubeconfig() | {"clusters": []}
    path.write_text(yaml.safe_dump(without), encoding="utf-8")
    assert "Expected object with name one" in preflight(path).stderr
    without = kubeconfig(**{"certificate-authority": "/nowhere/ca.crt"})
    path.write_text(yaml.safe_dump(without), encoding="utf-8")
    assert "File does not exist: /nowhere/ca.crt" in preflight(path).stderr


def test_a_server_that_can_not_be_reached(path: Path) -> None:
    path.write_text(yaml.safe_dump(kubeconfig()), encoding="utf-8")
    message = preflight(path).stderr
    assert "doesn't answer: 127.0.0.1:1: connection refused. See whether it runs" in message
    assert "whether `kubectl version` reaches it" in message


@contextlib.asynccontextmanager
async def unauthorized(pair: KeyPair) -> AsyncIterator[str]:
    """A server that accepts nobody's credentials. Its URL."""

    async def refuse(_: web.Request) -> web.Response:
        status = {"kind": "Status", "code": 401, "reason": "Unauthorized", "message": "Unauthorized"}
        return web.json_response(status, status=401)

    app = web.Application()
    app.router.add_get("/{any:.*}", refuse)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def answered(path: Path, authority: Authority) -> str:
    """What the command says of a server with a certificate of that authority."""

    def read(content: dict[str, Any]) -> str:
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return preflight(path).stderr

    async def ask() -> str:
        async with unauthorized(authority.server("server", "server", ["127.0.0.1"])) as url:
            trusted = kubeconfig(url, **{"certificate-authority": str(authority.files.certificate)})
            return await asyncio.to_thread(read, trusted)

    return asyncio.run(ask())


def test_an_expired_certificate_of_the_server(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(path.parent, "cluster")
    monkeypatch.setattr(certificates, "_LIFETIME", dt.timedelta(minutes=-1))
    message = answered(path, authority)
    assert "doesn't answer: GET /version: Cannot connect to host 127.0.0.1" in message
    assert "certificate has expired" in message
    assert "correct the server's address or its certificate in the kubeconfig" in message


def test_credentials_that_have_expired(path: Path) -> None:
    message = answered(path, Authority(path.parent, "cluster"))
    assert f"the API server doesn't accept the credentials in the kubeconfig {path}: " in message
    assert "The token or client certificate may have expired: get new ones" in message


def test_preflight_takes_a_kubeconfig_and_a_context(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(yaml.safe_dump(kubeconfig("https://127.0.0.1:2")), encoding="utf-8")
    words = ["preflight", "--kubeconfig", str(other)]
    result = CliRunner().invoke(main, words, env={"KUBECONFIG": str(path)})
    assert (result.exit_code, "127.0.0.1:2: connection refused" in result.stderr) == (1, True)
    result = CliRunner().invoke(main, [*words, "--context", "nosuch"], env={"KUBECONFIG": str(path)})
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: the kubeconfig {other} has no context nosuch; it has: work. Choose one by --context\n",
    )


@pytest.mark.slow
def test_a_shell_completes_the_contexts_of_the_kubeconfig(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_text(yaml.safe_dump(kubeconfig()), encoding="utf-8")
    code = "from twinhull.cli import clusternames; clusternames.main()"
    words = [sys.executable, "-c", code, "Context", "", "", str(path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "work\n"
    command = main.get_command(click.Context(main), "list")
    assert command is not None
    (option,) = (one for one in command.params if one.name == "context")
    context = click.Context(command)
    context.params = {"kubeconfig": str(path)}
    monkeypatch.setattr(completion, "_WAIT", PATIENCE)
    assert [one.value for one in option.shell_complete(context, "w")] == ["work"]
