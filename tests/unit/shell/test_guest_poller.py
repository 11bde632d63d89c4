"""Asking guests, over real TLS on the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.controlplane.certificates import Authority
from tests.controlplane.polling import PATIENCE
from twinhull.api.base import API_VERSION, Raw
from twinhull.hulls import authority
from twinhull.hulls.manifest import DIGEST_ANNOTATION, MANIFEST_FILE, digest
from twinhull.hulls.report import Report
from twinhull.shell import guest_poller, guest_requests, kinds
from twinhull.shell.errors import Unreachable
from twinhull.shell.guest_poller import GuestPoller
from twinhull.shell.kinds import Kind
from twinhull.shell.namespace_memory import NamespaceMemory
from twinhull.shell.queue import Queue
from twinhull.shell.store import Key, Store

SECRET = b"s" * 32
RUNNING = {"version": "1.0", "error": "", "final": False, "pod": {"status": {"phase": "Running"}}}
ENDED: Raw = {"version": "1.0", "error": "", "final": True, "pod": {"status": {"phase": "Succeeded"}}}


class Guest:
    """The guest's side of the contract: TLS 1.3, its own certificate, clients of one authority only."""

    def __init__(self, folder: Path, workload_uid: str = "w1") -> None:
        self.says: object = RUNNING
        self.polls = 0
        self.given: list[str] = []
        self.takes = True
        self.stopped = 0
        self.stops = True
        self.hosts: str | None = None
        self._folder = folder
        self._workload_uid = workload_uid

    @contextlib.asynccontextmanager
    async def serve(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/v1/status", self._status)
        app.router.add_put("/v1/manifest", self._manifest)
        app.router.add_post("/v1/stop", self._stop)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._context())
        await site.start()
        monkeypatch.setattr(guest_requests, "API_PORT", runner.addresses[0][1])
        try:
            yield
        finally:
            await runner.cleanup()

    def _context(self) -> ssl.SSLContext:
        pair = Authority(self._folder, "guest").server("guest", "guest", ["localhost"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(pair.certificate, pair.key)
        context.load_verify_locations(cadata=authority.certificate(SECRET, self._workload_uid))
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    async def _status(self, request: web.Request) -> web.Response:
        self.hosts = request.headers.get("Twinhull-Host-IPs")
        self.polls += 1
        text = self.says if isinstance(self.says, str) else json.dumps(self.says)
        return web.Response(text=text, content_type="application/json")

    async def _manifest(self, request: web.Request) -> web.Response:
        self.given.append(await request.text())
        if not self.takes:
            return web.Response(status=409, text="probe.port differs:\nreplace the machine\n")
        self.says = RUNNING | {"manifest": digest(self.given[-1])}
        return web.Response(status=204)

    async def _stop(self, _: web.Request) -> web.Response:
        self.stopped += 1
        if not self.stops:
            return web.Response(status=503, text="not yet\n")
        self.says = RUNNING | {"stop": "asked"}
        return web.Response(status=202)


class Launchers:
    """The launcher Pods that the API server has of the machine, and how often they were listed."""

    def __init__(self, *addresses: str, **status: object) -> None:
        self.addresses = addresses
        self.status = status
        self.listed = 0
        self.fails = False

    async def list(self, kind: Kind, workload: Key | None = None) -> tuple[list[Raw], str]:
        assert (kind.label_selector, workload) == ("kubevirt.io/created-by=vmi1", ("shop", "web"))
        self.listed += 1
        if self.fails:
            raise Unreachable("no answer")
        pods: list[Raw] = [
            {"status": {"podIPs": [{"ip": address}], **self.status}} for address in self.addresses
        ]
        return [*pods, {"status": {}}], "1"


def machine(version: int = 1, manifest: str | None = None, **status: object) -> tuple[Raw, Raw]:
    """A Workload's VM, which notes that it runs by a manifest of that text, and its running instance."""
    metadata = {
        "name": "web-1",
        "namespace": "shop",
        "labels": {"twinhull.dev/workload": "web"},
        "resourceVersion": str(version),
    }
    owner = {"apiVersion": "twinhull.dev/v1alpha1", "kind": "Workload", "uid": "w1", "controller": True}
    running = {"phase": "Running", "interfaces": [{"ipAddress": "127.0.0.1"}], **status}
    annotations = {} if manifest is None else {DIGEST_ANNOTATION: digest(manifest)}
    spec = {"template": {"metadata": {"annotations": annotations}}}
    return (
        {"metadata": {**metadata, "uid": "vm1", "ownerReferences": [owner]}, "spec": spec},
        {"metadata": {**metadata, "uid": "vmi1"}, "status": running},
    )


def carried(text: str) -> Raw:
    """The ConfigMap with a machine's manifest, and a note beside it, which anybody could write."""
    metadata: Raw = {"name": "web-1", "namespace": "shop", "labels": {"twinhull.dev/workload": "web"}}
    annotations = {DIGEST_ANNOTATION: digest(text)}
    owner = {"apiVersion": API_VERSION, "kind": "Workload", "uid": "w1", "controller": True}
    metadata |= {"uid": "cm1", "resourceVersion": "1", "annotations": annotations, "ownerReferences": [owner]}
    return {"metadata": metadata, "data": {MANIFEST_FILE: text}}


def store_with(vm: Raw, vmi: Raw, manifest: Raw | None = None) -> Store:
    store = Store()
    if manifest:
        store.put(kinds.CONFIG_MAP, manifest)
    store.put(kinds.VIRTUAL_MACHINE, vm)
    store.put(kinds.VIRTUAL_MACHINE_INSTANCE, vmi)
    return store


@pytest.fixture
def guest(tmp_path: Path) -> Guest:
    return Guest(tmp_path)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_poller, "_LOOK_EVERY", 0.005)
    monkeypatch.setattr(guest_poller, "_ASK_UNREADY_EVERY", 0.01)
    monkeypatch.setattr(guest_poller, "_ASK_AFTER_NEWS", 0.01)


async def until(check: Callable[[], object]) -> None:
    while not check():  # noqa: ASYNC110  it waits for what others do
        await asyncio.sleep(0.005)


async def looks(asker: GuestPoller) -> None:
    """Wait until the poller has looked five times more for guests that are due, and those have answered."""
    looked, ask_all = 0, asker._ask_all  # noqa: SLF001

    def counted(session: aiohttp.ClientSession) -> None:
        nonlocal looked
        looked += 1
        ask_all(session)

    asker._ask_all = counted  # type: ignore[method-assign]  # noqa: SLF001
    await until(lambda: looked >= 5 and not asker._asking)  # noqa: SLF001


def run(  # noqa: PLR0913  one parameter a part
    guest: Guest,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    check: Callable[[GuestPoller, Queue], Awaitable[None]],
    *,
    may_write: bool = True,
    launchers: Launchers | None = None,
) -> None:
    async def whole() -> None:
        queue = Queue()
        asker = GuestPoller(store, queue, SECRET, launchers or Launchers("127.0.0.1"), lambda: may_write)
        async with guest.serve(monkeypatch):
            task = asyncio.create_task(asker.run())
            try:
                await asyncio.wait_for(check(asker, queue), PATIENCE)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(whole())


def test_what_a_guest_says_is_kept_and_its_workload_looked_at(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(asker: GuestPoller, queue: Queue) -> None:
        assert await queue.get() == ("shop", "web")
        assert asker.reports == {"vmi1": Report({"phase": "Running"})}
        queue.done(("shop", "web"))
        polls = guest.polls
        await until(lambda: guest.polls > polls + 1)
        assert len(queue) == 0, "the same words again are no news"
        guest.says = ENDED
        assert await queue.get() == ("shop", "web")
        assert asker.reports["vmi1"].final

    run(guest, store_with(*machine()), monkeypatch, check)


@pytest.mark.parametrize(
    ("status", "header"),
    [
        ({"hostIP": "10.0.0.7", "hostIPs": [{"ip": "10.0.0.7"}, {"ip": "fd00::7"}]}, "10.0.0.7,fd00::7"),
        ({"hostIP": "10.0.0.7"}, None),
        ({"hostIPs": None}, None),
    ],
)
def test_a_guest_is_told_its_nodes_addresses(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, status: dict[str, object], header: str | None
) -> None:
    async def check(_: GuestPoller, queue: Queue) -> None:
        await queue.get()
        assert guest.hosts == header

    run(guest, store_with(*machine()), monkeypatch, check, launchers=Launchers("127.0.0.1", **status))


def config_map(manifest: str) -> Raw:
    """The machine's manifest."""
    metadata = {"name": "web-1", "namespace": "shop", "resourceVersion": "1", "uid": "cm1"}
    return {"metadata": metadata, "data": {"manifest.json": manifest}}


@pytest.mark.parametrize(
    ("manifest", "header"),
    [
        ('{"fieldRef": {"fieldPath": "status.hostIP"}}', "10.0.0.7"),
        ('{"fieldRef": {"fieldPath": "status.hostIPs"}}', "10.0.0.7"),
        ('{"fieldRef": {"fieldPath": "status.podIP"}}', None),
        ("", None),
    ],
)
@pytest.mark.parametrize("comes", ["first", "last"])
def test_a_guest_is_told_its_nodes_addresses_only_if_its_containers_ask(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, manifest: str, header: str | None, comes: str
) -> None:
    async def check(_: GuestPoller, queue: Queue) -> None:
        await queue.get()
        assert guest.hosts == header

    store = Store()
    vm, vmi = machine()
    objects = [(kinds.VIRTUAL_MACHINE, vm), (kinds.VIRTUAL_MACHINE_INSTANCE, vmi)]
    objects.insert(0 if comes == "first" else 2, (kinds.CONFIG_MAP, config_map(manifest)))
    for kind, obj in objects:
        store.put(kind, obj)
    launchers = Launchers("127.0.0.1", hostIPs=[{"ip": "10.0.0.7"}])
    run(guest, store, monkeypatch, check, launchers=launchers)


def test_guest_that_has_said_its_last_word_is_left_alone(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.says = ENDED

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await queue.get()
        await looks(asker)
        assert guest.polls == 1
        assert asker.reports["vmi1"].final

    run(guest, store_with(*machine()), monkeypatch, check)


@pytest.mark.slow
@pytest.mark.parametrize(
    "nonsense", ["not JSON", "[]", "{}", "x" * 300_000, '{"pod": {"status": 3}}', "[" * 200_000]
)
def test_nonsense_is_no_news(guest: Guest, monkeypatch: pytest.MonkeyPatch, nonsense: str) -> None:
    guest.says = nonsense

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert (asker.reports, len(queue)) == ({}, 0)
        guest.says = RUNNING
        await queue.get()

    run(guest, store_with(*machine()), monkeypatch, check)


def test_another_pods_guest_at_its_address_is_not_it(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    guest.says = {**RUNNING, "pod": {"metadata": {"name": "web-2"}, "status": {"phase": "Running"}}}

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert (asker.reports, len(queue)) == ({}, 0)

    run(guest, store_with(*machine()), monkeypatch, check)


def test_guest_of_another_workload_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Guest(tmp_path, workload_uid="w2")

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await until(lambda: asker._attempts and asker._attempts["vmi1"].silent > 1)  # noqa: SLF001
        assert (other.polls, asker.reports, len(queue)) == (0, {}, 0)

    run(other, store_with(*machine()), monkeypatch, check)


@pytest.mark.parametrize("status", [{"phase": "Scheduled"}, {"interfaces": []}, {"interfaces": [{}]}])
def test_machine_without_an_address_is_not_asked(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, status: Raw
) -> None:
    async def check(asker: GuestPoller, _: Queue) -> None:
        await looks(asker)
        assert (guest.polls, asker.reports) == (0, {})

    run(guest, store_with(*machine(**status)), monkeypatch, check)


def test_instance_that_is_gone_is_forgotten(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_with(*machine())

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await queue.get()
        store.remove(kinds.VIRTUAL_MACHINE_INSTANCE, ("shop", "web-1"), "vmi1")
        await until(lambda: asker.reports == {})

    run(guest, store, monkeypatch, check)


def test_start_waits_for_those_that_are_there(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(asker: GuestPoller, _: Queue) -> None:
        await asker.settle(PATIENCE)
        assert asker.reports == {"vmi1": Report({"phase": "Running"})}

    run(guest, store_with(*machine()), monkeypatch, check)


def test_guest_that_does_not_answer_is_asked_ever_less_often_until_there_is_news_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = Guest(tmp_path)
    silent.says = "nonsense"
    store = store_with(*machine())

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await until(lambda: silent.polls >= 3)
        monkeypatch.setattr(guest_poller, "_ASK_UNREADY_EVERY", 60)
        await looks(asker)
        polls = silent.polls
        silent.says = RUNNING
        store.put(kinds.VIRTUAL_MACHINE_INSTANCE, machine(version=2)[1])
        await queue.get()
        assert (silent.polls, asker.reports["vmi1"].phase) == (polls + 1, "Running")

    run(silent, store, monkeypatch, check)


@pytest.mark.slow
def test_last_word_of_a_guest_that_fell_silent_is_out_of_date(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(asker: GuestPoller, queue: Queue) -> None:
        assert await queue.get() == ("shop", "web")
        queue.done(("shop", "web"))
        guest.says = "nonsense"
        assert await queue.get() == ("shop", "web")
        assert asker.reports == {}

    run(guest, store_with(*machine()), monkeypatch, check)


def test_a_guest_that_stays_on_after_its_end_is_asked_twice_in_that_time_however_long_it_was_silent() -> None:
    source = Path("guest/agent/internal/agent/podend.go").read_text(encoding="utf-8")
    (stays,) = re.findall(r"statusStays = (\d+) \* time\.Second", source)
    asking = guest_poller._TIMEOUT.total or 0  # noqa: SLF001
    for every in (guest_poller._ASK_READY_EVERY, guest_poller._ASK_SILENT_EVERY):  # noqa: SLF001
        assert every + asking + guest_poller._ASK_SILENT_EVERY <= int(stays)  # noqa: SLF001


def test_a_guest_is_given_the_manifest_that_it_lacks(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    guest.says = RUNNING | {"manifest": digest("old")}

    async def check(asker: GuestPoller, _: Queue) -> None:
        await until(lambda: asker.reports and asker.reports["vmi1"].manifest == digest("new"))
        polls = guest.polls
        await until(lambda: guest.polls > polls + 1)
        assert guest.given == ["new"], "once, since it says that it has it"

    run(guest, store_with(*machine(manifest="new"), carried("new")), monkeypatch, check)


def test_a_guest_that_refused_what_was_on_its_disk_is_given_the_manifest_of_its_machine(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.says = RUNNING | {"manifest": "", "lacking": True, "pod": {}}

    async def check(asker: GuestPoller, _: Queue) -> None:
        await until(lambda: asker.reports and asker.reports["vmi1"].manifest == digest("new"))
        assert guest.given == ["new"]

    run(guest, store_with(*machine(manifest="new"), carried("new")), monkeypatch, check)


def test_what_a_guest_can_not_take_is_told_in_its_words(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.says, guest.takes = RUNNING | {"manifest": digest("old")}, False

    async def check(asker: GuestPoller, _: Queue) -> None:
        await until(lambda: asker.reports)
        report = asker.reports["vmi1"]
        assert (report.manifest, report.refused) == (digest("old"), "probe.port differs: replace the machine")

    run(guest, store_with(*machine(manifest="new"), carried("new")), monkeypatch, check)


@pytest.mark.parametrize("says", [{}, {"manifest": ""}, {"manifest": digest("new")}])
def test_a_guest_that_lacks_nothing_or_is_too_old_is_given_nothing(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, says: Raw
) -> None:
    guest.says = RUNNING | says

    async def check(_: GuestPoller, __: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert guest.given == []

    run(guest, store_with(*machine(manifest="new"), carried("new")), monkeypatch, check)


def accompanied(manifest: Raw) -> Raw:
    return manifest | {"data": {**manifest["data"], "other": ""}}


@pytest.mark.parametrize("noted", ["new", None])
@pytest.mark.parametrize("manifest", [carried("forged"), accompanied(carried("new")), None])
@pytest.mark.parametrize("says", [{"manifest": digest("old")}, {"lacking": True}])
def test_what_the_machine_does_not_note_is_given_to_nobody(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, noted: str | None, manifest: Raw | None, says: Raw
) -> None:
    guest.says = RUNNING | says

    async def check(_: GuestPoller, __: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert guest.given == []

    run(guest, store_with(*machine(manifest=noted), manifest), monkeypatch, check)


@pytest.mark.parametrize("says", [{"manifest": digest("old")}, {"lacking": True}])
def test_a_manifest_for_which_there_is_no_room_is_given_to_nobody(
    guest: Guest, monkeypatch: pytest.MonkeyPatch, says: Raw
) -> None:
    """It is known by its digest, and nothing of it is held that could be given."""
    guest.says = RUNNING | says
    store = Store(0)
    store.put(kinds.CONFIG_MAP, carried("new"))
    store._room = NamespaceMemory(1 << 20)  # noqa: SLF001
    for kind, obj in zip(
        (kinds.VIRTUAL_MACHINE, kinds.VIRTUAL_MACHINE_INSTANCE), machine(manifest="new"), strict=True
    ):
        store.put(kind, obj)

    async def check(asker: GuestPoller, _: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert guest.given == []
        assert asker.reports["vmi1"].refused == ""

    run(guest, store, monkeypatch, check)


def test_only_an_address_of_the_launcher_is_asked(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    launchers = Launchers("10.0.0.9", "fd00::9")

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await until(lambda: launchers.listed > 2)
        assert (guest.polls, asker.reports) == (0, {})
        launchers.fails = True
        listed = launchers.listed
        await until(lambda: launchers.listed > listed)
        launchers.fails, launchers.addresses = False, ("10.0.0.9", "127.0.0.1")  # it is migrated
        await queue.get()
        polls, listed = guest.polls, launchers.listed
        await until(lambda: guest.polls > polls + 2)
        assert launchers.listed == listed, "once for each address"

    run(guest, store_with(*machine()), monkeypatch, check, launchers=launchers)


@pytest.mark.parametrize(
    "ip", ["localhost", "127.0.0.1:1/v1?", "127.0.0.1#", "@127.0.0.1", "::1]:1/[", "127.1", "0x7f000001"]
)
def test_what_is_no_address_is_not_asked(guest: Guest, monkeypatch: pytest.MonkeyPatch, ip: str) -> None:
    launchers = Launchers("127.0.0.1", "::1")

    async def check(asker: GuestPoller, _: Queue) -> None:
        await looks(asker)
        assert (guest.polls, launchers.listed, asker.reports) == (0, 0, {})

    run(guest, store_with(*machine(interfaces=[{"ipAddress": ip}])), monkeypatch, check, launchers=launchers)


def ending(vm: Raw) -> Raw:
    """A VirtualMachine on which it is noted that it is to end."""
    note = {"annotations": {"twinhull.dev/ending": "2026-01-01T00:00:00.000+00:00 vmi1"}}
    return vm | {"metadata": vm["metadata"] | note | {"resourceVersion": "7"}}


def test_a_guest_whose_machine_is_to_end_is_asked_to_end_its_pod_and_how_far_it_is(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.says = RUNNING | {"stop": "none"}
    vm, vmi = machine()
    store = store_with(vm, vmi)

    async def check(asker: GuestPoller, queue: Queue) -> None:
        await queue.get()
        queue.done(("shop", "web"))
        assert (guest.stopped, asker.reports["vmi1"].stop) == (0, "none")
        monkeypatch.setattr(guest_poller, "_ASK_UNREADY_EVERY", 60)
        store.put(kinds.VIRTUAL_MACHINE, ending(vm))
        await queue.get()
        queue.done(("shop", "web"))
        assert (guest.stopped, asker.reports["vmi1"].stop) == (1, "asked")
        guest.says = RUNNING | {"stop": "done"}
        await queue.get()
        assert (guest.stopped, asker.reports["vmi1"].stop) == (1, "done")

    run(guest, store, monkeypatch, check)


def test_one_that_can_not_take_it_yet_is_asked_again(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    guest.says, guest.stops = RUNNING | {"stop": "none"}, False
    vm, vmi = machine()

    async def check(asker: GuestPoller, _: Queue) -> None:
        await until(lambda: guest.stopped > 2)
        assert asker.reports["vmi1"].stop == "none"
        guest.stops = True
        await until(lambda: asker.reports["vmi1"].stop == "asked")

    run(guest, store_with(ending(vm), vmi), monkeypatch, check)


@pytest.mark.parametrize(
    ("says", "may_write"),
    [({}, True), ({"stop": "asked"}, True), ({"stop": "done"}, True), ({"stop": "none"}, False)],
)
def test_one_that_is_too_old_or_was_asked_is_not_asked_nor_is_any_by_who_does_not_lead(
    guest: Guest,
    monkeypatch: pytest.MonkeyPatch,
    says: Raw,
    may_write: bool,  # noqa: FBT001
) -> None:
    guest.says = RUNNING | says
    vm, vmi = machine()

    async def check(_: GuestPoller, __: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert guest.stopped == 0

    run(guest, store_with(ending(vm), vmi), monkeypatch, check, may_write=may_write)


def test_one_that_ends_is_given_no_manifest(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    guest.says = RUNNING | {"manifest": digest("old"), "stop": "asked"}
    vm, vmi = machine(manifest="new")

    async def check(_: GuestPoller, __: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert guest.given == []

    run(guest, store_with(ending(vm), vmi, carried("new")), monkeypatch, check)


def test_one_that_was_silent_before_it_is_to_end_is_asked_at_once(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest.says = "nonsense"
    vm, vmi = machine()
    store = store_with(vm, vmi)
    monkeypatch.setattr(guest_poller, "_ASK_SILENT_EVERY", 0.01)

    async def check(asker: GuestPoller, _: Queue) -> None:
        await until(lambda: guest.polls > 12)
        for name, seconds in {
            "_ASK_SILENT_EVERY": 60,
            "_ASK_SILENT_AFTER_NEWS": 60,
            "_ASK_AFTER_NEWS": 0.1,
        }.items():
            monkeypatch.setattr(guest_poller, name, seconds)
        await looks(asker)  # what is on its way is answered
        guest.says = RUNNING | {"stop": "none"}
        store.put(kinds.VIRTUAL_MACHINE, ending(vm))
        await until(lambda: guest.stopped)
        await until(lambda: asker.reports)

    run(guest, store, monkeypatch, check)


def test_a_note_of_another_instance_asks_nobody(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    guest.says = RUNNING | {"stop": "none"}
    vm, vmi = machine()
    former = ending(vm)
    former["metadata"]["annotations"]["twinhull.dev/ending"] = "2026-01-01T00:00:00.000+00:00 vmi0"

    async def check(_: GuestPoller, __: Queue) -> None:
        await until(lambda: guest.polls > 2)
        assert guest.stopped == 0

    run(guest, store_with(former, vmi), monkeypatch, check)
