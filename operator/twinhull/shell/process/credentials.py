"""The credentials for the API server: of the Pod's ServiceAccount, or of a kubeconfig."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import kopf
import yaml
from kubernetes.config import ConfigException
from yaml import YAMLError

#: Where the API server is, and who this process is there.
Credentials: TypeAlias = kopf.ConnectionInfo
#: Gives credentials. Raises LoginError when there are none.
Login: TypeAlias = Callable[[], Credentials]
#: There are no credentials; its text says what to do about that.
LoginError = kopf.LoginError


#: What the kubernetes library raises for a kubeconfig that it can't use: its own error, the YAML parser's,
#: and Python's where a field has another type than it should.
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

    Credential plugins run here, so this can take a while. Raises LoginError, with what to do about it, when
    there are none.
    """
    logger = logging.getLogger("twinhull.login")
    try:
        credentials = kopf.login_via_client(logger=logger, settings=kopf.OperatorSettings())
    except _UNUSABLE as error:
        reason = error.__context__ if isinstance(error, LoginError) else error  # kopf's own has no text
        raise LoginError(_no_credentials(_problem() or reason)) from error
    if credentials is None:
        raise LoginError(_no_credentials("there is no kubernetes library"))
    return credentials


def place() -> str:
    """Where the kubeconfig is: what KUBECONFIG says, or the default of kubectl."""
    return os.environ.get("KUBECONFIG") or "~/.kube/config"


def _no_credentials(why: object) -> str:
    return (
        f"no credentials for an API server were found: this isn't a Pod with a ServiceAccount, and the "
        f"kubeconfig {place()} can't be used ({why}). Set KUBECONFIG to the kubeconfig of a cluster"
    )


def _problem() -> str:
    """What is wrong with the files of the kubeconfig, "" if the library has to say it. Files that aren't
    there don't matter if there is another: they are merged.
    """
    paths = [Path(path).expanduser() for path in place().split(os.pathsep) if path]
    present = [path for path in paths if path.exists()]
    if not present:
        return "there is no such file"
    problems = (_problem_of(path) for path in present)
    return next(filter(None, problems), "") or _unknown_context(present)


def _problem_of(path: Path) -> str:
    """What is wrong with a file, "" if it is a mapping with lists where a kubeconfig has them."""
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
    """Says that the current context isn't there, if so. The first file that names one decides."""
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]
    current = next((content["current-context"] for content in contents if content.get("current-context")), "")
    names = [str(entry.get("name")) for content in contents for entry in content.get("contexts") or []]
    if current in names:
        return ""
    problem = f"its current-context {current} isn't there" if current else "it has no current-context"
    if not names:
        return f"{problem}, nor has it any other context"
    return f"{problem}: choose one of {', '.join(names)} by `kubectl config use-context`"
