"""The Lease, in a thread of its own, against an API server in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.controlplane.polling import PATIENCE
from twinhull.api.base import Raw
from twinhull.shell import lease as module
from twinhull.shell.errors import Conflict, NotFound, Unreachable
from twinhull.shell.kinds import LEASE, Kind
from twinhull.shell.lease import Lease, LeaseLost
from twinhull.shell.lease_terms import Terms
from twinhull.shell.loopthread import LoopThread

from .apiserver import ApiServer, FakeCluster

NAME = ("twinhull", "twinhull")


class Leases(FakeCluster):
    """One Lease, and how often it was written."""

    def __init__(self) -> None:
        super().__init__(ApiServer(lambda: datetime.now(UTC)))
        self.renewed = 0
        self.cut_off = False

    async def get(self, kind: Kind, namespace: str, name: str) -> Raw | None:
        found = self._server.objects[kind.name].get((namespace, name))
        return None if found is None else dict(found)

    async def create(self, kind: Kind, namespace: str, obj: Raw) -> Raw:
        assert (kind, namespace) == (LEASE, NAME[0])
        return self._keep(obj)

    async def patch(self, kind: Kind, namespace: str, name: str, patch: Raw, subresource: str = "") -> Raw:
        assert not subresource
        if self.cut_off:
            raise Unreachable("no route to host")
        if (namespace, name) not in self._server.objects[kind.name]:
            raise NotFound("there is no such Lease")
        self.renewed += 1
        lease = self._server.objects[kind.name][namespace, name]
        version = patch.get("metadata", {}).get("resourceVersion")
        if version not in {None, lease["metadata"]["resourceVersion"]}:
            raise Conflict("it has changed")
        return self._keep({**lease, "spec": {**lease["spec"], **patch["spec"]}})

    def _keep(self, lease: Raw) -> Raw:
        self._server.version += 1
        kept = {**lease, "metadata": {**lease["metadata"], "resourceVersion": str(self._server.version)}}
        self._server.objects["Lease"][NAME] = kept
        return kept

    def remove(self) -> None:
        """Somebody deletes it."""
        del self._server.objects["Lease"][NAME]

    @property
    def holder(self) -> str:
        return str(self._server.objects["Lease"][NAME]["spec"]["holderIdentity"])


def _lease(cluster: Leases, seconds: float, stuck: Callable[[], bool] = lambda: False) -> Lease:
    return Lease(cluster, Terms(*NAME, "me", seconds), stuck)


@pytest.mark.slow
def test_it_is_renewed_while_the_loop_of_the_work_is_held() -> None:
    async def work() -> None:
        cluster, thread, held = Leases(), LoopThread("lease"), asyncio.Event()
        lease, loop = _lease(cluster, 12.0), asyncio.get_running_loop()
        thread.start()
        holding = asyncio.create_task(thread.run(lease.hold(lambda: loop.call_soon_threadsafe(held.set))))
        await held.wait()
        began, renewed = module._now(), cluster.renewed  # noqa: SLF001
        while cluster.renewed < renewed + 8:  # longer than the Lease lasts
            assert module._now() < began + PATIENCE  # noqa: SLF001
        assert module._now() > began + 12.0  # noqa: SLF001
        assert lease.is_held()
        await thread.run(lease.release())
        assert not lease.is_held()
        assert cluster.holder == ""
        holding.cancel()
        await thread.stop()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))


@pytest.mark.slow
@pytest.mark.parametrize("why", ["stuck", "cut off"])
def test_it_is_lost_when_it_is_not_renewed_and_never_held_again(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the work is stuck another is to have it, and whoever wakes up is to write nothing."""
    now = module._now()  # noqa: SLF001
    monkeypatch.setattr(module, "_now", lambda: now)

    async def work() -> None:
        nonlocal now
        cluster, held, stuck = Leases(), asyncio.Event(), False
        lease = _lease(cluster, 3.0, lambda: stuck)
        holding = asyncio.create_task(lease.hold(held.set))
        await held.wait()
        assert lease.is_held()
        stuck, cluster.cut_off = why == "stuck", why == "cut off"
        now += 3.0
        with pytest.raises(LeaseLost, match="it was not renewed in time"):
            await holding
        stuck = cluster.cut_off = False
        assert not lease.is_held()
        assert await lease._try()  # noqa: SLF001  it could be had: whoever lost it ends all the same
        assert not lease.is_held()

    asyncio.run(asyncio.wait_for(work(), PATIENCE))


def test_a_renewal_that_comes_back_after_the_release_holds_nothing() -> None:
    async def work() -> None:
        cluster = Leases()
        lease = _lease(cluster, 15.0)
        assert await lease._try()  # noqa: SLF001
        assert lease.is_held()
        renewal = asyncio.create_task(lease._try())  # noqa: SLF001
        await lease.release()
        await renewal
        assert not lease.is_held()

    asyncio.run(work())


@pytest.mark.parametrize("taken_by", ["", "other"])
def test_a_release_after_a_renewal_whose_answer_was_not_seen_gives_it_back(taken_by: str) -> None:
    """A renewal may be cancelled once the API server has it."""

    async def work() -> None:
        cluster = Leases()
        lease = _lease(cluster, 15.0)
        assert await lease._try()  # noqa: SLF001
        spec = {"renewTime": "later", **({"holderIdentity": taken_by} if taken_by else {})}
        await cluster.patch(LEASE, *NAME, {"spec": spec})
        await lease.release()
        assert cluster.holder == taken_by

    asyncio.run(work())


@pytest.mark.parametrize("lives", [False, True], ids=["holder is gone", "holder lives"])
def test_one_that_was_deleted_is_left_to_its_holder_for_as_long_as_it_lasted(
    monkeypatch: pytest.MonkeyPatch, *, lives: bool
) -> None:
    now = module._now()  # noqa: SLF001
    monkeypatch.setattr(module, "_now", lambda: now)

    async def work() -> None:
        nonlocal now
        cluster = Leases()
        other, mine = Lease(cluster, Terms(*NAME, "other", 15.0)), _lease(cluster, 15.0)
        assert await other._try()  # noqa: SLF001
        assert not await mine._try()  # noqa: SLF001
        cluster.remove()
        for _ in range(5 if lives else 20):
            now += 0.7
            assert not await mine._try()  # noqa: SLF001
            assert not (other.is_held() and mine.is_held())
        if lives:
            assert await other._try(), "it makes it anew, as its own"  # noqa: SLF001
            assert cluster.holder == "other"
            now += 9.0
            assert other.is_held()
        now += 2.4
        assert await mine._try() != lives  # noqa: SLF001
        assert not (other.is_held() and mine.is_held())

    asyncio.run(work())


def test_a_holder_whose_time_is_over_makes_none_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = module._now()  # noqa: SLF001
    monkeypatch.setattr(module, "_now", lambda: now)

    async def work() -> None:
        nonlocal now
        cluster = Leases()
        lease = _lease(cluster, 15.0)
        assert await lease._try()  # noqa: SLF001
        cluster.remove()
        now += 10.5
        assert not await lease._try()  # noqa: SLF001
        assert not lease.is_held()

    asyncio.run(work())
