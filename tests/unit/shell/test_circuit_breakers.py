"""A kind whose writes hang: they take few workers, and once they time out one asks for all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.controlplane.polling import PATIENCE
from twinhull.api.base import Raw
from twinhull.shell import write_lanes
from twinhull.shell.circuit_breakers import CircuitBreakers, Write
from twinhull.shell.errors import ApiError, CircuitOpen, NotLeading, Refused, ServerError, TimedOut
from twinhull.shell.executor import Executor
from twinhull.shell.kinds import Kind
from twinhull.shell.loopturns import LoopTurns
from twinhull.shell.observe import Knowledge
from twinhull.shell.queue import Queue
from twinhull.shell.refusals import Refusals
from twinhull.shell.store import Key, key_of
from twinhull.shell.workload_controller import WorkloadController

from .simulation import DEFAULTS, Simulation, _workload

_WORKERS = 16
HUNG = TimedOut('failed calling webhook "virt-api": context deadline exceeded')


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Hanging:
    """An API server in which the writes of one kind wait until they are `answered`."""

    def __init__(self, workloads: list[tuple[Key, str]], hung: str) -> None:
        self.world, self.clock, self.hung = Simulation({"state": "Stopped"}), Clock(), hung
        self.answered: asyncio.Future[ApiError | None] = asyncio.get_running_loop().create_future()
        self.under_way, self.most, self.tried = 0, 0, Counter[str]()
        for (namespace, name), isolation in workloads:
            namespaces = self.world.server.objects["Namespace"]
            if ("", namespace) not in namespaces:
                self.world.server.create({"kind": "Namespace", "metadata": {"name": namespace, "labels": {}}})
            made = _workload({"isolationPolicy": isolation})
            made["metadata"] |= {"name": name, "namespace": namespace}
            self.world.server.create(made)
        self.world.relist()
        self.world.cluster.before_write = lambda *_: None  # its invariants are of one Workload
        self.world.server.on_change = lambda: None
        self._create = self.world.cluster.create
        self.world.cluster.create = self.create  # type: ignore[method-assign]
        self.queue, self.refusals = Queue(workers=_WORKERS), Refusals()
        refusals = self.refusals
        # On a busy machine passes take long, and keys would rest.
        self.queue._rest = lambda *_: 0.0  # type: ignore[method-assign]  # noqa: SLF001
        known = Knowledge(self.world.store, self.world.policies, refusals, {})
        lifetimes = self.world.metrics.lifetimes
        controller = WorkloadController(known, DEFAULTS, self.world.decisions, lifetimes, self.clock)
        parts = self.world.cluster, self.world.store, refusals, self.queue.add, _WORKERS, self.clock
        self.world.executor = self.executor = Executor(*parts)
        self.reconciler = self.world.make_reconciler(controller, self.queue, LoopTurns())
        for key, _ in workloads:
            self.queue.add(key)

    async def create(self, kind: Kind, namespace: str, obj: Raw) -> Raw:
        """Hangs, or is answered at once."""
        self.tried[f"{kind.name} {obj['metadata']['name']}"] += 1
        if kind.name == self.hung:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            try:
                error = await asyncio.shield(self.answered)
            finally:
                self.under_way -= 1
            if error is not None:
                raise error
        return await self._create(kind, namespace, obj)

    def answer(self, error: ApiError | None) -> None:
        """All that waits is answered so, and what comes after at once, too."""
        self.answered.set_result(error)

    def hang(self) -> None:
        """What comes from now on waits again."""
        self.answered = asyncio.get_running_loop().create_future()

    def number_of(self, kind: str) -> int:
        """How many objects there are of a kind."""
        return len(self.world.server.all(kind))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The operator works."""
        workers = [asyncio.create_task(self.reconciler.work()) for _ in range(_WORKERS)]
        yield
        for worker in workers:
            worker.cancel()
        self.queue.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  what is waited for has no event
            await asyncio.sleep(0.005)


def works(test: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await test()

    asyncio.run(run())


def machines(count: int, *namespaces: str) -> list[tuple[Key, str]]:
    return [((namespaces[n % len(namespaces)], f"vm-{n}"), "VirtualMachine") for n in range(count)]


PODS = [(("shop", f"pod-{n}"), "Container") for n in range(20)]


@pytest.mark.slow
@pytest.mark.parametrize("namespaces", [("shop",), ("shop", "other", "third")])
@pytest.mark.parametrize("hung", ["VirtualMachine", "ConfigMap"])
def test_pods_dont_wait_for_machines(namespaces: tuple[str, ...], hung: str) -> None:
    async def test() -> None:
        world = Hanging([*machines(60, *namespaces), *PODS], hung)
        async with world.at_work():
            await until(lambda: world.number_of("Pod") == len(PODS))
            assert world.most <= _WORKERS // 4
            assert world.number_of("VirtualMachine") == 0
            world.answer(None)
            await until(lambda: world.number_of("VirtualMachine") == 60)

    works(test)


@pytest.mark.slow
def test_once_it_has_timed_out_one_asks_for_all() -> None:
    async def test() -> None:
        world = Hanging(machines(60, "shop"), "VirtualMachine")
        async with world.at_work():
            await until(lambda: world.under_way == 3)  # all places of the kind
            world.answer(HUNG)
            await until(lambda: not len(world.queue) and informed(world) == 60)
            tried = sum(count for what, count in world.tried.items() if what.startswith("VirtualMachine"))
            assert tried <= _WORKERS // 4, "those that were under way"
            for _ in range(5):
                world.hang()
                world.clock.move(61)
                for key, _isolation in machines(60, "shop"):
                    world.queue.add(key)
                await until(lambda: world.under_way > 0 and not len(world.queue))
                assert world.under_way == 1
                world.answer(HUNG)
                await until(lambda: world.under_way == 0 and not len(world.queue))
            world.hang()
            world.answer(None)
            world.clock.move(301)  # however many stood before it
            world.queue.add(("shop", "vm-7"))
            await until(lambda: world.number_of("VirtualMachine") == 60)

    works(test)


def informed(world: Hanging) -> int:
    """How many Workloads know why they wait."""
    found = [workload["metadata"] for workload in world.world.server.all("Workload")]
    pages = (world.refusals.of(key_of({"metadata": one}), (one["uid"], 1)) for one in found)
    return sum(any("deadline exceeded" in refusal.message for refusal in page.values()) for page in pages)


class Breakers:
    """Circuits, and who was woken."""

    def __init__(self) -> None:
        self.clock, self.woken = Clock(), list[tuple[str, list[str]]]()
        self.circuits = CircuitBreakers(
            _WORKERS, self.clock, lambda key, actions: self.woken.append((key[1], sorted(actions)))
        )

    async def write(
        self, name: str, error: Exception | None = None, *, namespace: str = "shop", deletes: bool = False
    ) -> None:
        """A write that ends so."""
        write = Write((namespace, name), "VirtualMachine", f"VirtualMachine/{name}", deletes)
        async with self.circuits.writing(write):
            if error is not None:
                raise error

    async def hang(self, namespace: str, answered: asyncio.Event) -> None:
        """A write that is under way until then."""
        write = Write((namespace, namespace), "VirtualMachine", f"VirtualMachine/{namespace}", deletes=False)
        async with self.circuits.writing(write):
            await answered.wait()


def test_while_it_times_out_nobody_asks_and_then_one() -> None:
    async def test() -> None:
        breakers = Breakers()
        with pytest.raises(TimedOut):
            await breakers.write("a", HUNG)
        with pytest.raises(CircuitOpen, match="context deadline exceeded") as b:
            await breakers.write("b")
        with pytest.raises(CircuitOpen) as c:
            await breakers.write("c")
        assert breakers.clock.now < b.value.until < c.value.until, "they come one after the other"
        breakers.clock.move(2)
        with pytest.raises(TimedOut):
            await breakers.write("b", HUNG)
        breakers.clock.move(3)
        with pytest.raises(CircuitOpen):  # twice as long as before
            await breakers.write("c")
        breakers.clock.move(1)
        await breakers.write("c")
        assert breakers.woken == [(name, [f"VirtualMachine/{name}"]) for name in "abc"]
        await breakers.write("a")

    works(test)


def test_a_write_that_waited_for_its_place_is_not_sent_once_another_has_timed_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(write_lanes, "_WAIT", 60)

    async def test() -> None:
        breakers, sent = Breakers(), list[str]()
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def write(name: str) -> None:
            async with breakers.circuits.writing(
                Write(("shop", name), "VirtualMachine", name, deletes=False)
            ):
                sent.append(name)
                await answered

        writes = [asyncio.create_task(write(name)) for name in "abcdefgh"]
        await asyncio.sleep(0)
        assert sent == ["a", "b", "c"], "the kind has three places, and the others wait a moment for one"
        answered.set_exception(HUNG)
        ended = await asyncio.gather(*writes, return_exceptions=True)
        assert sent == ["a", "b", "c"]
        assert [type(error) for error in ended] == [TimedOut] * 3 + [CircuitOpen] * 5
        assert not breakers.circuits._lanes._by_kind["VirtualMachine"].under_way  # noqa: SLF001

    works(test)


@pytest.mark.parametrize("answer", [ServerError("boom"), Refused("no"), None])
def test_any_answer_closes_it(answer: Exception | None) -> None:
    async def test() -> None:
        breakers = Breakers()
        with pytest.raises(TimedOut):
            await breakers.write("a", HUNG)
        breakers.clock.move(2)
        if answer is None:
            await breakers.write("b")
        else:
            with pytest.raises(type(answer)):
                await breakers.write("b", answer)
        await breakers.write("c")

    works(test)


def test_who_asks_and_is_never_sent_is_followed_by_another() -> None:
    async def test() -> None:
        breakers = Breakers()
        with pytest.raises(TimedOut):
            await breakers.write("a", HUNG)
        breakers.clock.move(2)
        with pytest.raises(NotLeading):
            await breakers.write("b", NotLeading("no"))
        await breakers.write("c")

    works(test)


def test_another_namespace_and_another_verb_ask_themselves() -> None:
    async def test() -> None:
        breakers = Breakers()
        with pytest.raises(TimedOut):
            await breakers.write("a", HUNG)
        await breakers.write("b", namespace="other")
        await breakers.write("a", deletes=True)
        with pytest.raises(CircuitOpen):
            await breakers.write("c")

    works(test)


def test_a_namespace_that_goes_on_hanging_keeps_no_other_waiting() -> None:
    """B timed out once; A hangs for an hour, and its one question at a time is always under way."""

    async def test() -> None:
        breakers, hung = Breakers(), asyncio.Event()
        for namespace in ("a", "b"):
            with pytest.raises(TimedOut):
                await breakers.write("w", HUNG, namespace=namespace)
        for _ in range(5):
            breakers.clock.move(61)
            with pytest.raises(TimedOut):
                await breakers.write("w", HUNG, namespace="a")
        with pytest.raises(CircuitOpen):
            await breakers.write("w", namespace="a")
        await breakers.write("w", namespace="b")
        await breakers.write("another", namespace="b")

        with pytest.raises(TimedOut):
            await breakers.write("w", HUNG, namespace="b")
        breakers.clock.move(61)
        probe = asyncio.create_task(breakers.hang("a", hung))
        await asyncio.sleep(0)
        await breakers.write("w", namespace="b")
        hung.set()
        await probe

    works(test)


def test_a_kind_that_hangs_everywhere_leaves_a_place_to_whom_it_doesnt_concern() -> None:
    async def test() -> None:
        breakers, hung = Breakers(), asyncio.Event()
        namespaces = [f"n{number}" for number in range(40)]
        for namespace in namespaces:
            with pytest.raises(TimedOut):
                await breakers.write(namespace, HUNG, namespace=namespace)
        breakers.clock.move(61)
        probes = [asyncio.create_task(breakers.hang(namespace, hung)) for namespace in namespaces]
        await asyncio.sleep(0)
        assert sum(not probe.done() for probe in probes) == 2, "of the three places that the kind has"
        await breakers.write("w", namespace="other")
        breakers.woken.clear()
        hung.set()
        refused = await asyncio.gather(*probes, return_exceptions=True)
        assert sum(isinstance(error, CircuitOpen) for error in refused) == 38
        assert breakers.woken == [
            ("n0", ["VirtualMachine/n0"]),
            ("n2", ["VirtualMachine/n2"]),
            ("n1", ["VirtualMachine/n1"]),
            ("n3", ["VirtualMachine/n3"]),
        ], "who had an answer, and who asks next"

    works(test)


def test_nothing_is_remembered_of_workloads_that_are_gone_nor_of_namespaces_that_are_answered() -> None:
    async def test() -> None:
        breakers = Breakers()
        for namespace in ("gone", "answered"):
            for name in "ab":
                with pytest.raises((TimedOut, CircuitOpen)):
                    await breakers.write(name, HUNG, namespace=namespace)
        breakers.circuits.forget(("gone", "a"))
        with pytest.raises(CircuitOpen):
            await breakers.write("b", namespace="gone")
        breakers.circuits.forget(("gone", "b"))
        breakers.clock.move(61)
        await breakers.write("a", namespace="answered")
        assert not breakers.circuits._circuits  # noqa: SLF001
        assert ("a", ["VirtualMachine/a"]) in breakers.woken

    works(test)


def test_an_executor_forgets_what_a_workload_that_is_gone_waited_for() -> None:
    async def test() -> None:
        world = Hanging(machines(2, "shop"), "VirtualMachine")
        executor = world.executor
        async with world.at_work():
            world.answer(HUNG)
            await until(lambda: not len(world.queue) and informed(world) == 2)
            for name in ("vm-0", "vm-1"):
                assert executor._circuits._circuits  # noqa: SLF001
                executor.forget(("shop", name))
            assert not executor._circuits._circuits  # noqa: SLF001

    works(test)


def test_of_a_workloads_many_former_actions_few_are_remembered() -> None:
    async def test() -> None:
        breakers = Breakers()
        for number in range(100):
            write = Write(("shop", "web"), "VirtualMachine", f"VirtualMachine/web-{number:02}", deletes=False)
            with pytest.raises((TimedOut, CircuitOpen)):
                async with breakers.circuits.writing(write):
                    raise HUNG
        breakers.clock.move(2)
        await breakers.write("web")
        assert breakers.woken == [("web", [f"VirtualMachine/web-{number}" for number in range(92, 100)])]

    works(test)
