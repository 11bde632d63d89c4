"""Kinds that the API server doesn't serve yet, or no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import Subject, condition
from tests.operator_process import OperatorProcess
from tests.request_proxy import RequestProxy
from twinhull.shell.kinds import WATCHED

pytestmark = pytest.mark.simulated

KUBEVIRT = frozenset(kind.path() for kind in WATCHED if "kubevirt.io" in kind.group)


def test_kinds_that_come_go_and_come_back_are_watched(
    proxy: RequestProxy, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    proxy.hidden = KUBEVIRT
    operator = OperatorProcess.start(proxy.kubeconfig, tmp_path / "operator.log")
    web = Subject(cluster, namespace, alive=operator.check)
    web.apply("VirtualMachine")
    web.becomes("KubeVirtMissing")
    proxy.hidden = frozenset()
    web.becomes("Ready")

    proxy.hidden = KUBEVIRT
    proxy.cut_streams()
    web.named("other").apply("Container")
    web.named("other").becomes("Ready")
    web.named("later").apply("VirtualMachine")
    web.eventually(lambda: condition(web.named("later").hull(), "Ready")[0] == "True", "its machine is ready")
    assert condition(web.named("later").get(), "Ready")[0] == "False", "nobody can tell the operator"
    proxy.hidden = frozenset()
    web.named("later").becomes("Ready")
    operator.stop()
