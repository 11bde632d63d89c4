"""What a standby keeps, and what a leader begins with."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime

from tests.unit.core.objects import companion, hull, workload
from twinhull.api.base import Raw
from twinhull.core.defaults import OperatorDefaults
from twinhull.hulls.hull import DISK_LABEL, WORKLOAD_LABEL
from twinhull.shell import kinds
from twinhull.shell.control_loop import ControlLoop
from twinhull.shell.kinds import Kind
from twinhull.shell.metrics import Metrics
from twinhull.shell.queue import Queue
from twinhull.shell.settings import Settings
from twinhull.shell.store import Key
from twinhull.shell.tasks import Tasks

from .apiserver import ApiServer, FakeCluster


class _Cluster(FakeCluster):
    def places(self, kind: Kind) -> tuple[str | None, ...]:  # noqa: ARG002
        return (None,)


class _Idle(Tasks):
    """Begins no task."""

    def __init__(self) -> None:
        pass

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        work.close()


def _standby() -> ControlLoop:
    cluster = _Cluster(ApiServer(lambda: datetime.now(UTC)))
    return ControlLoop(Settings(OperatorDefaults()), cluster, cluster, Metrics(), lambda: True)


def _take(loop: ControlLoop, kind: Kind, obj: Raw, change: str = "ADDED", version: int = 1) -> None:
    metadata = {"namespace": "shop", "uid": f"uid-{obj['metadata']['name']}", **obj["metadata"]}
    loop._changes.take(kind, change, {**obj, "metadata": metadata | {"resourceVersion": str(version)}})  # noqa: SLF001


def _asked_for(queue: Queue) -> list[Key]:
    return sorted(iter(queue._waiting.take, None))  # noqa: SLF001


def test_a_standby_keeps_no_key_of_what_comes_and_goes() -> None:
    loop = _standby()
    for number in range(100):
        of = {"name": "map", "uid": f"u{number}", "labels": {WORKLOAD_LABEL: f"of-{number}"}}
        request = {"metadata": {"name": f"request-{number}", "uid": f"r{number}"}, "spec": {}}
        for kind, obj in ((kinds.CONFIG_MAP, {"metadata": of}), (kinds.ACCESS_REQUEST, request)):
            _take(loop, kind, obj, version=2 * number + 1)
            _take(loop, kind, obj, "DELETED", version=2 * number + 2)
    for queue in (loop._queue, loop._access_queue):  # noqa: SLF001
        assert not queue._wanted  # noqa: SLF001
        assert len(queue) == 0
    assert not loop._metrics.workqueue._waiting  # noqa: SLF001


def test_a_leader_begins_with_all_workloads_requests_and_disks_that_are_left() -> None:
    loop = _standby()
    _take(loop, kinds.WORKLOAD, workload({}, metadata={"name": "web", "uid": "uid-web"}))
    _take(loop, kinds.POD, hull("Pod", "web-1"))
    _take(loop, kinds.SERVICE, companion("Service", "web"))
    _take(loop, kinds.DATA_VOLUME, {"metadata": {"name": "gone-root", "labels": {DISK_LABEL: "gone"}}})
    _take(loop, kinds.ACCESS_REQUEST, {"metadata": {"name": "request"}, "spec": {}})
    loop.work(_Idle())
    assert _asked_for(loop._queue) == [("shop", "gone"), ("shop", "web")]  # noqa: SLF001
    assert _asked_for(loop._access_queue) == [("shop", "request")]  # noqa: SLF001
    _take(loop, kinds.WORKLOAD, workload({}, metadata={"name": "db", "uid": "uid-db"}))
    assert _asked_for(loop._queue) == [("shop", "db")]  # noqa: SLF001
