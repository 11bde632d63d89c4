"""The API server away for a while: the operator lives, and catches up after."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.controlplane import Cluster
from tests.e2e.operator.subject import EXIT, Subject, template
from tests.operator_process import OperatorProcess
from tests.request_proxy import Request, RequestProxy

pytestmark = pytest.mark.simulated


@pytest.fixture
def web(proxy: RequestProxy, cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[Subject]:
    """A Workload whose operator comes by way of the proxy."""
    operator = OperatorProcess.start(proxy.kubeconfig, tmp_path / "operator.log")
    yield Subject(cluster, namespace, alive=operator.check)
    proxy.outage = None
    operator.stop()


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_an_api_server_that_answers_nothing_but_errors_is_outlived(
    web: Subject, proxy: RequestProxy, code: int
) -> None:
    web.apply()
    web.becomes("Ready")
    old = web.hull()["metadata"]

    proxy.outage = code
    proxy.cut_streams()
    proxy.forget()
    web.cluster.api.delete("Pod", old["name"], web.namespace)
    web.named("meanwhile").apply()
    web.eventually(lambda: len(proxy.refused) >= 10, "it was refused ten times")
    proxy.outage = None

    web.named("meanwhile").becomes("Ready")
    web.eventually(lambda: web.hull()["metadata"]["uid"] != old["uid"], "the Pod is back")
    web.becomes("Ready")


def test_an_answer_that_is_lost_is_asked_for_again(web: Subject, proxy: RequestProxy) -> None:
    lost: list[str] = []

    def lose_first(request: object) -> bool:
        if str(request).endswith("/pods") and not lost:
            lost.append(str(request))
            return False
        return True

    proxy.after = lambda request: not request.is_write or lose_first(request)
    web.apply()
    web.becomes("Ready")
    assert len(lost) == 1
    assert len(web.belongings()["Pod"]) == 1


def test_a_run_whose_end_cannot_be_written_is_not_repeated(web: Subject, proxy: RequestProxy) -> None:
    web.apply("Container", template(restartPolicy="Never"))
    web.becomes("Ready")
    pod = web.hull()["metadata"]["name"]
    ends: list[Request] = []

    def is_no_end(request: Request) -> bool:
        is_status = request.method == "PATCH" and request.path.endswith("/workloads/web/status")
        if is_status and b'"exit"' in request.body:
            ends.append(request)
        return not is_status

    proxy.before = is_no_end
    web.annotate("Pod", pod, **{EXIT: "0"})
    web.eventually(lambda: ends, "the operator tries to write the end")
    web.cluster.api.delete("Pod", pod, web.namespace)
    web.eventually(lambda: web.belongings() == {}, "the Pod is tidied away")
    proxy.before = lambda _: True

    assert web.becomes("Completed")["status"]["exit"]["code"] == 0
    assert web.belongings() == {}


def test_a_workload_that_is_made_again_meanwhile_inherits_no_loss(web: Subject, proxy: RequestProxy) -> None:
    web.apply()
    former = web.becomes("Ready")["metadata"]["uid"]

    proxy.outage = 503
    proxy.cut_streams()
    web.delete()
    web.is_gone()
    web.apply()
    proxy.outage = None

    workload = web.becomes("Ready")
    assert workload["metadata"]["uid"] != former
    assert "backOff" not in workload["status"]
