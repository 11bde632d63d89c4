"""Whom the API server takes a person for: what a kubeconfig says of a context, and of its namespace."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from kubernetes.config import kube_config

from twinhull.shell.kopf_process.credentials import LoginError, login_of_person


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for variable in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", "/nowhere")  # nothing is read by default
    place = tmp_path / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "one", "cluster": {"server": "https://one.example:6443"}},
            {"name": "two", "cluster": {"server": "https://two.example", "proxy-url": "http://proxy:3128"}},
        ],
        "users": [{"name": "ann", "user": {"token": "secret"}}, {"name": "bob", "user": {}}],
        "contexts": [
            {"name": "shop", "context": {"cluster": "one", "user": "ann", "namespace": "shop"}},
            {"name": "bank", "context": {"cluster": "two", "user": "bob"}},
        ],
        "current-context": "shop",
    }
    place.write_text(yaml.safe_dump(content))
    return str(place)


def test_the_current_context_says_the_namespace(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://of.the.environment")
    found = login_of_person(kubeconfig)
    assert (found.server, found.default_namespace) == ("https://one.example:6443", "shop")
    assert (found.scheme, found.token, found.proxy_url) == ("Bearer", "secret", None)
    assert found.trust_env, "aiohttp takes the environment's proxies, but for those that NO_PROXY names"


def test_another_context_can_be_asked_for(kubeconfig: str) -> None:
    found = login_of_person(kubeconfig, "bank")
    assert (found.server, found.default_namespace) == ("https://two.example", None)
    assert (found.token, found.proxy_url) == (None, "http://proxy:3128")


def test_the_environment_names_the_file(kubeconfig: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"/nowhere/else:{kubeconfig}")
    assert login_of_person().default_namespace == "shop"


def test_an_unknown_context_is_refused_with_those_that_there_are(kubeconfig: str) -> None:
    with pytest.raises(LoginError, match=r"has no context shup; it has: bank, shop. Choose one"):
        login_of_person(kubeconfig, "shup")


@pytest.mark.usefixtures("kubeconfig")
def test_a_missing_file_is_said_so() -> None:
    with pytest.raises(
        LoginError, match=r"the kubeconfig /nowhere/x can't be used \(there is no such file\)"
    ):
        login_of_person("/nowhere/x")


def test_a_file_that_is_broken_is_not_said_to_be_missing(kubeconfig: str) -> None:
    Path(kubeconfig).write_text("a: [b")
    with pytest.raises(LoginError, match=r"^the kubeconfig .* can't be used: .* isn't YAML.*Correct it, or"):
        login_of_person(kubeconfig)
