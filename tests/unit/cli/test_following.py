"""Following objects over HTTP: by a list and a watch, whatever becomes of it."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress

import aiohttp
import pytest

from tests.controlplane.polling import PATIENCE
from tests.unit.cli.watchapi import PATHS, WatchApi
from twinhull.api.base import Raw
from twinhull.cli import following, reconnecting
from twinhull.cli.following import Change, Follower, identity
from twinhull.cli.reconnecting import Outages, Pauses
from twinhull.cli.workloadstates import WorkloadStates
from twinhull.shell import cluster as client
from twinhull.shell.cluster import Cluster
from twinhull.shell.connection import Connection
from twinhull.shell.errors import Refused, ServerError
from twinhull.shell.kinds import WORKLOAD
from twinhull.shell.kopf_process.credentials import Credentials
from twinhull.shell.scope import Scope


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "_LONGEST_WAIT", 0.05)
    monkeypatch.setattr(following, "_ASKS", 0.01)


class Followed:
    """What is told of the Workloads of an API server."""

    def __init__(self, api: WatchApi, cluster: Cluster) -> None:
        self.api, self.cluster = api, cluster
        #: The name of each that was told, and its version; with a - before it if it is gone.
        self.seen: list[tuple[str, str]] = []
        #: What was told of the connection.
        self.notes: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self, name: str = "") -> asyncio.Task[None]:
        """Follow all Workloads, or one."""
        follower = Follower(self.cluster, WORKLOAD, "shop", Outages(self.notes.append), name)
        return self._begin(self._note(follower))

    def begin_states(self, *names: str) -> asyncio.Task[None]:
        """Follow Workloads by their names."""
        return self._begin(self._note_states(WorkloadStates(self.cluster, "shop", self.notes.append), names))

    def _begin(self, work: Awaitable[None]) -> asyncio.Task[None]:
        self._tasks.append(asyncio.ensure_future(work))
        return self._tasks[-1]

    async def _note(self, follower: Follower) -> None:
        async with aclosing(follower.changes()) as given:
            async for changes in given:
                self.seen += [_said(change) for change in changes]

    async def _note_states(self, states: WorkloadStates, names: tuple[str, ...]) -> None:
        async with aclosing(states.of(names)) as given:
            async for name, obj in given:
                self.seen.append((name, _version(obj) if obj else ""))

    async def until(self, check: Callable[[], object]) -> None:
        """Wait until something is so."""
        while not check():
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.01)

    async def end(self) -> None:
        """Follow nothing any more."""
        for task in self._tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _version(obj: Raw) -> str:
    return str(obj["metadata"]["resourceVersion"])


def _said(change: Change) -> tuple[str, str]:
    assert (change.obj["apiVersion"], change.obj["kind"]) == ("twinhull.dev/v1alpha1", "Workload")
    return change.obj["metadata"]["name"], ("-" if change.gone else "") + _version(change.obj)


def run(check: Callable[[Followed, WatchApi], Awaitable[None]]) -> list[str]:
    """Run a check. What was told of the connection."""

    async def checked() -> list[str]:
        async with asyncio.timeout(PATIENCE), _followed(WatchApi()) as followed:
            await check(followed, followed.api)
            return followed.notes

    return asyncio.run(checked())


@asynccontextmanager
async def _followed(api: WatchApi) -> AsyncIterator[Followed]:
    runner = await api.start()
    connection = Connection(lambda: Credentials(server=api.url))
    followed = Followed(api, Cluster(connection, scope=Scope(namespaces=("shop",))))
    try:
        yield followed
    finally:
        await followed.end()
        await connection.close()
        await runner.cleanup()


def test_what_there_is_comes_first_and_then_each_change() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        web, db = api.put("workloads", "web"), api.put("workloads", "db")
        followed.begin()
        await followed.until(lambda: len(followed.seen) == 2)
        changed = api.put("workloads", "web")
        api.delete("workloads", "db")
        await followed.until(lambda: len(followed.seen) == 4)
        assert followed.seen == [("web", web), ("db", db), ("web", changed), ("db", "-104")]
        assert (api.reads, api.watches) == ([PATHS["workloads"]], [("", db)])

    assert run(check) == []


def test_one_is_followed_by_its_name_alone() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        web = api.put("workloads", "web")
        followed.begin("web")
        await followed.until(lambda: api.open)
        api.put("workloads", "db")
        changed = api.put("workloads", "web")
        api.delete("workloads", "web")
        await followed.until(lambda: len(followed.seen) == 3)
        assert followed.seen == [("web", web), ("web", changed), ("web", "-104")]
        assert (api.reads, api.watches) == ([f"{PATHS['workloads']}/web"], [("metadata.name=web", web)])

    assert run(check) == []


def test_a_watch_that_the_api_server_ends_is_gone_on_from_where_it_was() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        web = api.put("workloads", "web")
        followed.begin()
        await followed.until(lambda: api.open)
        api.end_watches()
        await followed.until(lambda: len(api.watches) == 2)
        changed = api.put("workloads", "web")
        await followed.until(lambda: len(followed.seen) == 2)
        assert followed.seen == [("web", web), ("web", changed)]
        assert api.reads == [PATHS["workloads"]], "nothing is listed anew"

    assert run(check) == []


@pytest.fixture
def brief_ends(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """One for each time that is waited longer for what has ended soon."""
    waited: list[float] = []

    def delays() -> Iterator[float]:
        for number in itertools.count():
            waited.append(number)
            yield 0

    monkeypatch.setattr(reconnecting, "reconnect_delays", delays)
    return waited


def test_a_watch_that_always_ends_at_once_is_begun_again_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch, brief_ends: list[float]
) -> None:
    monkeypatch.setattr(reconnecting, "_A_WHILE", math.inf)

    async def check(followed: Followed, api: WatchApi) -> None:
        api.put("workloads", "web")
        followed.begin()
        for number in range(4):
            await followed.until(lambda: api.open)
            assert brief_ends == list(range(number))
            api.end_watches()
            while len(api.watches) < number + 2:  # noqa: ASYNC110  a test polls
                await asyncio.sleep(0.01)

    assert run(check) == []


def test_a_version_that_is_always_too_old_is_read_anew_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch, brief_ends: list[float]
) -> None:
    monkeypatch.setattr(reconnecting, "_A_WHILE", math.inf)

    async def check(followed: Followed, api: WatchApi) -> None:
        api.put("workloads", "web")
        api.refuses_watches = 410
        followed.begin()
        await followed.until(lambda: len(api.reads) > 3)
        assert brief_ends[:3] == [0, 1, 2]

    assert run(check) == []


def test_what_ends_soon_waits_longer_each_time_until_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "_LONGEST_WAIT", 3)
    pauses = Pauses()
    first, second, third = (pauses.after(0.9) for _ in range(3))
    assert 0.8 <= first < second < third == 3
    assert pauses.after(1) == 0.1
    assert pauses.after(0) < 1.3


def lost_and_back(notes: list[str]) -> bool:
    first, *others = notes
    begin = "The connection to the API server was lost, and is tried again until it is back: "
    assert first.startswith(begin)
    return others == ["The connection to the API server is back"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", "web"])
def test_an_outage_is_told_and_waited_out_and_what_did_not_change_is_not_repeated(name: str) -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        api.put("workloads", "web")
        followed.begin(name)
        await followed.until(lambda: api.open)
        api.is_down = True
        await followed.until(lambda: followed.notes and api.failed > 3)
        assert len(followed.notes) == 1, "it is told once"
        api.is_down = False
        await followed.until(lambda: api.open)
        assert len(followed.seen) == 1
        changed = api.put("workloads", "web")
        await followed.until(lambda: len(followed.seen) == 2)
        assert followed.seen[1] == ("web", changed)

    assert lost_and_back(run(check))


def test_what_became_of_objects_during_an_outage_is_noticed() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        versions = {name: api.put("workloads", name) for name in ("same", "changed", "gone", "anew")}
        followed.begin()
        await followed.until(lambda: api.open)
        api.is_down = True
        await followed.until(lambda: followed.notes)
        seen = len(followed.seen)
        changed = api.put("workloads", "changed")
        api.delete("workloads", "gone")
        api.delete("workloads", "anew")
        anew, new = api.put("workloads", "anew", "of another"), api.put("workloads", "new")
        api.forget()
        api.is_down = False
        await followed.until(lambda: api.open)
        assert sorted(followed.seen[seen:]) == [
            ("anew", f"-{versions['anew']}"),
            ("anew", anew),
            ("changed", changed),
            ("gone", f"-{versions['gone']}"),
            ("new", new),
        ]
        order = followed.seen[seen:]
        assert order.index(("anew", f"-{versions['anew']}")) < order.index(("anew", anew))

    assert lost_and_back(run(check))


def test_no_more_is_kept_of_objects_than_is_asked_for() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        gone = api.put("workloads", "gone", spec={"template": {}})
        changed = api.put("workloads", "changed", spec={"template": {}})
        objs: list[Raw] = []
        follower = Follower(followed.cluster, WORKLOAD, "shop", Outages(lambda _: None), kept=identity)

        async def note() -> None:
            async with aclosing(follower.changes()) as given:
                async for changes in given:
                    objs.extend(change.obj for change in changes)

        following = asyncio.ensure_future(note())
        await followed.until(lambda: api.open)
        api.delete("workloads", "gone")
        api.forget()
        api.end_watches()
        await followed.until(lambda: len(objs) == 3)
        following.cancel()
        assert [obj["metadata"]["resourceVersion"] for obj in objs] == [gone, changed, gone]
        assert ["spec" in obj for obj in objs] == [True, True, False]

    run(check)


def test_a_version_that_is_too_old_is_no_outage() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        web = api.put("workloads", "web")
        api.put("workloads", "db")
        followed.begin()
        await followed.until(lambda: api.open)
        changed = api.put("workloads", "web")
        await followed.until(lambda: ("web", changed) in followed.seen)
        api.refuses_watches = 410
        api.end_watches()
        await followed.until(lambda: api.failed)
        api.delete("workloads", "db")
        api.refuses_watches = 0
        await followed.until(lambda: len(followed.seen) == 4)
        assert followed.seen == [("web", web), ("db", "102"), ("web", changed), ("db", "-102")]

    assert run(check) == []


@pytest.mark.slow
def test_a_watch_in_which_nothing_happens_is_no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_WATCH_TIMEOUT", aiohttp.ClientTimeout(total=None, sock_read=2))

    async def check(followed: Followed, api: WatchApi) -> None:
        web = api.put("workloads", "web")
        followed.begin()
        await followed.until(lambda: len(api.watches) == 3)
        assert followed.seen == [("web", web)]

    assert run(check) == []


def test_who_may_not_watch_asks_again_and_again() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        web = api.put("workloads", "web")
        api.refuses_watches = 403
        followed.begin()
        await followed.until(lambda: len(api.reads) > 2)
        changed = api.put("workloads", "web")
        await followed.until(lambda: len(followed.seen) > 1)
        api.delete("workloads", "web")
        await followed.until(lambda: len(followed.seen) > 2)
        assert followed.seen == [("web", web), ("web", changed), ("web", f"-{changed}")]

    assert run(check) == []


@pytest.mark.parametrize(("code", "error"), [(403, Refused), (503, ServerError)])
def test_who_has_never_had_an_answer_is_told_why(code: int, error: type[Exception]) -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        api.refuses = code
        with pytest.raises(error):
            await followed.begin()

    assert run(check) == []


def test_an_api_server_that_is_back_may_refuse_a_few_times() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        api.put("workloads", "web")
        following = followed.begin()
        await followed.until(lambda: api.open)
        api.is_down = True
        await followed.until(lambda: followed.notes)
        api.refuses, api.is_down, api.failed = 403, False, 0
        await followed.until(lambda: api.failed)
        api.refuses = 0
        await followed.until(lambda: len(followed.notes) == 2)
        await followed.until(lambda: api.open)
        api.is_down = True
        await followed.until(lambda: len(followed.notes) == 3)
        api.refuses, api.is_down = 403, False
        with pytest.raises(Refused):
            await following

    assert len(run(check)) == 3


def test_states_are_of_the_names_that_are_given() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        web = api.put("workloads", "web")
        followed.begin_states("web", "absent")
        await followed.until(lambda: len(followed.seen) >= 2 and api.open)
        assert set(followed.seen) == {("web", web), ("absent", "")}
        api.delete("workloads", "web")
        await followed.until(lambda: ("web", "") in followed.seen)
        came = api.put("workloads", "absent")
        await followed.until(lambda: ("absent", came) in followed.seen)

    assert run(check) == []


def test_an_outage_that_concerns_several_is_told_once() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        for name in ("web", "db"):
            api.put("workloads", name)
        followed.begin_states("web", "db")
        await followed.until(lambda: len(api.open) == 2)
        api.is_down = True
        await followed.until(lambda: api.failed > 5)
        api.is_down = False
        await followed.until(lambda: len(api.open) == 2 and len(followed.notes) > 1)
        assert len(followed.seen) == 2

    assert lost_and_back(run(check))


def test_states_are_waited_for_from_the_very_beginning() -> None:
    async def check(followed: Followed, api: WatchApi) -> None:
        web = api.put("workloads", "web")
        api.refuses = 503
        followed.begin_states("web")
        await followed.until(lambda: followed.notes and api.failed > 2)
        api.refuses = 0
        await followed.until(lambda: followed.seen)
        assert followed.seen == [("web", web)]

    assert lost_and_back(run(check))


def test_many_have_one_watch_which_tells_of_no_others() -> None:
    names = [f"web{number}" for number in range(12)]

    async def check(followed: Followed, api: WatchApi) -> None:
        versions = {name: api.put("workloads", name) for name in names}
        listed = api.put("workloads", "other")
        followed.begin_states(*names, "absent")
        await followed.until(lambda: api.open)
        api.put("workloads", "other")
        changed = api.put("workloads", "web3")
        await followed.until(lambda: ("web3", changed) in followed.seen)
        assert sorted(followed.seen) == sorted([*versions.items(), ("absent", ""), ("web3", changed)])
        assert api.watches == [("", listed)]

    assert run(check) == []
