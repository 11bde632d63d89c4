"""The credentials for the API server: of the Pod's ServiceAccount, or of a kubeconfig."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TypeAlias

import kopf
from kubernetes.config import ConfigException
from yaml import YAMLError

#: Where the API server is, and who this process is there.
Credentials: TypeAlias = kopf.ConnectionInfo
#: Gives credentials. Raises LoginError when there are none.
Login: TypeAlias = Callable[[], Credentials]
#: There are no credentials; its text says what to do about that.
LoginError = kopf.LoginError


def login() -> Credentials:
    """Credentials of the Pod's ServiceAccount, or else of the kubeconfig, by the kubernetes library.

    Credential plugins run here, so this can take a while. Raises LoginError, with what to do about it, when
    there are none.
    """
    logger = logging.getLogger("twinhull.login")
    try:
        credentials = kopf.login_via_client(logger=logger, settings=kopf.OperatorSettings())
    except (LoginError, ConfigException, YAMLError, OSError) as error:
        raise LoginError(_no_credentials(error.__context__ or error)) from error
    if credentials is None:
        raise LoginError(_no_credentials("there is no kubernetes library"))
    return credentials


def _no_credentials(why: object) -> str:
    where = os.environ.get("KUBECONFIG") or "~/.kube/config"
    return (
        f"no credentials for an API server were found: this isn't a Pod with a ServiceAccount, and the "
        f"kubeconfig {where} can't be used ({why}). Set KUBECONFIG to the kubeconfig of a cluster"
    )
