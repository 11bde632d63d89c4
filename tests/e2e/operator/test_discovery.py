"""Kinds that the API server serves before it says so: kopf looks for them once, and is made to look again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import Subject, condition
from tests.operator_process import OperatorProcess
from tests.request_proxy import RequestProxy

pytestmark = pytest.mark.simulated


def test_a_kind_that_was_missed_is_watched(
    proxy: RequestProxy, cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    proxy.hidden = frozenset({"/apis/kubevirt.io/v1"})
    operator = OperatorProcess.start(proxy.kubeconfig, tmp_path / "operator.log")
    web = Subject(cluster, namespace, alive=operator.check)
    lists = "the operator has listed all twice, as at each start, and does so again in ten minutes only"
    listed = "/apis/kubevirt.io/v1/virtualmachines"
    web.eventually(lambda: [request.path for request in proxy.requests].count(listed) > 1, lists)
    web.apply("VirtualMachine")
    web.eventually(lambda: condition(web.hull(), "Ready")[0] == "True", "the machine is ready")
    assert condition(web.get(), "Ready")[0] == "False", "nobody has told the operator"
    proxy.hidden = frozenset()
    web.becomes("Ready")
    operator.stop()
