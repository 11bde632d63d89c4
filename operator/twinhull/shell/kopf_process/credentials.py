"""The credentials for the API server, from the Pod's ServiceAccount or a kubeconfig."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import kopf
import yaml
from kubernetes import config as kubernetes_config
from kubernetes.client import Configuration
from kubernetes.config import ConfigException
from yaml import YAMLError

#: Where the API server is, and who this process is there.
Credentials: TypeAlias = kopf.ConnectionInfo
#: A function that returns credentials. It raises LoginError if there are none.
Login: TypeAlias = Callable[[], Credentials]
#: There are no credentials. The message says what to do.
LoginError = kopf.LoginError


#: The errors that the kubernetes library raises for an unusable kubeconfig: its own, those of the YAML
#: parser, and Python's if a field has the wrong type.
_UNUSABLE = (
    LoginError,
    ConfigException,
    YAMLError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
)


def login() -> Credentials:
    """Credentials of the Pod's ServiceAccount, or else of the kubeconfig, by the kubernetes library.

    Credential plugins run here, so this can take a while. If there are no credentials, it raises LoginError,
    whose message says what to do.
    """
    logger = logging.getLogger("twinhull.login")
    try:
        credentials = kopf.login_via_client(logger=logger, settings=kopf.OperatorSettings())
    except _UNUSABLE as error:
        reason = error.__context__ if isinstance(error, LoginError) else error  # kopf's own has no text
        raise LoginError(_no_credentials(_problem(place()) or reason)) from error
    if credentials is None:
        raise LoginError(_no_credentials("there is no kubernetes library"))
    return credentials


def login_of_person(kubeconfig: str = "", context: str = "") -> Credentials:
    """Credentials of a context of a kubeconfig, by default the current one, with its namespace. Without any
    kubeconfig, those of the Pod's ServiceAccount, as kubectl does it.

    Credential plugins run here, so this can take a while. If there are no credentials, it raises LoginError,
    whose message says what to do.
    """
    where = place(kubeconfig)
    if not _present(where) and not kubeconfig and "KUBERNETES_SERVICE_HOST" in os.environ:
        return login()
    read = Configuration()
    # aiohttp handles the proxies of the environment, with NO_PROXY. This proxy must be the kubeconfig's only.
    read.proxy = None
    files = os.pathsep.join(str(path) for path in _present(where)) or where
    try:
        listed, active = kubernetes_config.list_kube_config_contexts(files)  # type: ignore[no-untyped-call]
        contexts = {one["name"]: one for one in listed}
        chosen = contexts.get(context) if context else active
        if chosen:
            kubernetes_config.load_kube_config(  # type: ignore[no-untyped-call]
                files, chosen["name"], read, persist_config=False
            )
    except _UNUSABLE as error:
        raise LoginError(_unusable(where, error)) from error
    if not chosen:
        names = ", ".join(sorted(contexts)) or "none"
        raise LoginError(
            f"the kubeconfig {where} has no context {context}; it has: {names}. Choose one by --context"
        )
    return _credentials(read, (chosen.get("context") or {}).get("namespace"))


def place(kubeconfig: str = "") -> str:
    """The path of the kubeconfig: the given one, that of KUBECONFIG, or kubectl's default."""
    return kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"


def _credentials(read: Configuration, namespace: str | None) -> Credentials:
    """Credentials for our own client, from the configuration that the kubernetes library has read."""
    scheme, _, token = (read.get_api_key_with_prefix("BearerToken") or "").rpartition(" ")
    return Credentials(
        server=read.host,
        ca_path=read.ssl_ca_cert,
        insecure=not read.verify_ssl,
        username=read.username or None,
        password=read.password or None,
        scheme=scheme or None,
        token=token or None,
        certificate_path=read.cert_file,
        private_key_path=read.key_file,
        default_namespace=namespace,
        proxy_url=read.proxy,
        trust_env=True,
    )


def _no_credentials(why: object) -> str:
    return _nothing_in(place(), why, "this isn't a Pod with a ServiceAccount, and the kubeconfig")


def _unusable(where: str, error: Exception) -> str:
    """A message that says what is wrong with a kubeconfig, and what to do."""
    problem = _problem(where) or error
    if not _present(where):
        return _nothing_in(where, problem)
    return (
        f"the kubeconfig {where} can't be used: {problem}. Correct it, or name another one by --kubeconfig "
        "or KUBECONFIG"
    )


def _nothing_in(where: str, why: object, begin: str = "the kubeconfig") -> str:
    return (
        f"no credentials for an API server were found: {begin} {where} can't be used ({why}). "
        "Set KUBECONFIG to the kubeconfig of a cluster"
    )


def _present(where: str) -> list[Path]:
    """Those files of the kubeconfig that exist. If one does, the missing ones don't matter: the files are
    merged.
    """
    paths = [Path(path).expanduser() for path in where.split(os.pathsep) if path]
    return [path for path in paths if path.exists()]


def _problem(where: str) -> str:
    """What is wrong with the files of the kubeconfig. Empty if only the library knows."""
    present = _present(where)
    if not present:
        return "there is no such file"
    problems = (_problem_of(path) for path in present)
    return next(filter(None, problems), "") or _unknown_context(present)


def _problem_of(path: Path) -> str:
    """What is wrong with a file. Empty if it is a mapping, with lists where a kubeconfig has them."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        return f"{path} can't be read: {error.strerror}"
    except (YAMLError, UnicodeDecodeError) as error:
        return f"{path} isn't YAML: {' '.join(str(error).split())}"
    if not isinstance(content, dict):
        return f"{path} is {'empty' if content is None else 'no kubeconfig: it is no YAML mapping'}"
    for field in ("clusters", "contexts", "users"):
        entries = content.get(field) or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            return f"{path} is no kubeconfig: {field} is no list of mappings"
    return ""


def _unknown_context(paths: list[Path]) -> str:
    """A message if the current context doesn't exist, else empty. It is that of the first file that names
    one.
    """
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    current = next((content["current-context"] for content in contents if content.get("current-context")), "")
    names = [str(entry.get("name")) for content in contents for entry in content.get("contexts") or []]
    if current in names:
        return ""
    problem = f"its current-context {current} isn't there" if current else "it has no current-context"
    if not names:
        return f"{problem}, and it has no other context"
    return f"{problem}: choose one of {', '.join(names)} by `kubectl config use-context`"
