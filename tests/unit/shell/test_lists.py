"""Lists by pages that memory has room for, and watches, over HTTP."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from tests.unit.shell import http_apiserver
from tests.unit.shell.http_apiserver import HttpApiServer
from twinhull.api.base import Raw
from twinhull.api.reading import UNREAD
from twinhull.shell import kinds, list_pages, transport
from twinhull.shell.errors import Gone, NotFound, Unreachable
from twinhull.shell.scope import Scope

WORKLOADS = kinds.WORKLOAD.path()
DEEP = '{"x":' * 2_000 + "1" + "}" * 2_000


def obj(name: str, spec: str = "{}", version: int = 1) -> str:
    metadata = {"name": name, "namespace": "shop", "uid": f"u-{name}", "resourceVersion": str(version)}
    return f'{{"metadata":{json.dumps(metadata)},"spec":{spec}}}'


def names(objects: list[Raw]) -> list[str]:
    return [found["metadata"]["name"] for found in objects]


def test_one_object_that_cannot_be_read_is_one_of_the_list() -> None:
    async def check() -> None:
        api = HttpApiServer()
        api.serve(WORKLOADS, obj("a"), obj("b", DEEP), obj("c"))
        async with http_apiserver.client(api) as client:
            listed = await client.list(kinds.WORKLOAD)
            assert listed is not None
            assert names(listed[0]) == ["a", "b", "c"]
            assert [UNREAD in found for found in listed[0]] == [False, True, False]

    http_apiserver.run(check)


@pytest.mark.parametrize("namespaces", [(), ("shop", "bank")])
def test_a_list_without_a_version_is_read(namespaces: tuple[str, ...]) -> None:
    """Such as metrics-server gives: {"kind":"PodMetricsList","metadata":{},"items":[…]}."""

    async def check() -> None:
        api = HttpApiServer()
        api.versioned = False
        for path in [kinds.POD.path(one) for one in namespaces] or [kinds.POD.path()]:
            api.serve(path, '{"metadata":{"name":"web"},"containers":[]}')
        async with http_apiserver.client(api, Scope(namespaces)) as client:
            listed = await client.list(kinds.POD)
            assert listed is not None
            assert names(listed[0]) == ["web"] * (len(namespaces) or 1)
            assert listed[1] == "0"

    http_apiserver.run(check)


def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_pages, "PAGE_BYTES", 4_000)

    async def check() -> None:
        api = HttpApiServer()
        large = [obj(f"large{number}", json.dumps({"x": "x" * 10_000})) for number in range(3)]
        small = [obj(f"small{number}") for number in range(200)]
        api.serve(WORKLOADS, *small, *large, *small)
        async with http_apiserver.client(api) as client:
            listed = await client.list(kinds.WORKLOAD)
        assert listed is not None
        assert len(listed[0]) == 403
        limits = [int(query["limit"]) for _, query, _ in api.lists]
        assert (limits[0], min(limits)) == (500, 1)
        assert limits[-1] > 1, "it goes back to larger ones"

    http_apiserver.run(check)


@pytest.mark.slow
def test_a_list_takes_the_memory_of_its_largest_objects_and_not_of_all() -> None:
    async def check() -> None:
        api = HttpApiServer()
        dense = "[" + ",".join(["[]"] * 40_000) + "]"
        api.serve(WORKLOADS, *[obj(f"w{number}", dense) for number in range(60)])
        async with http_apiserver.client(api) as client:
            seen: list[str] = []
            tracemalloc.start()
            await client.read_all(kinds.WORKLOAD, lambda batch: seen.extend(names(batch)))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert len(seen) == 60
        assert peak < 60 << 20, "all would take 150 MB"

    http_apiserver.run(check)


def test_an_object_without_end_is_not_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (list_pages, transport):
        monkeypatch.setattr(module, "LARGEST", 100_000)
    monkeypatch.setattr(list_pages, "PAGE_BYTES", 10_000)

    async def check() -> None:
        api = HttpApiServer()
        events = api.serve(WORKLOADS, obj("a", json.dumps("x" * 200_000)))
        async with http_apiserver.client(api) as client:
            with pytest.raises(Unreachable, match="more than 100,000 bytes"):
                await client.list(kinds.WORKLOAD)
            events.put_nowait(
                json.dumps({"type": "ADDED", "object": json.loads(obj("b", '"' + "x" * 300_000 + '"'))})
            )
            events.put_nowait(f'{{"type":"ADDED","object":{obj("c")}}}')
            events.put_nowait("")
            seen = [found async for _, found in client.watch(kinds.WORKLOAD, "1", None)]
        assert names(seen) == ["c"]

    http_apiserver.run(check)


def test_of_some_kinds_no_more_is_asked_for_than_metadata() -> None:
    async def check() -> None:
        api = HttpApiServer()
        for kind in (kinds.NAMESPACE, kinds.WORKLOAD):
            api.serve(kind.path()).put_nowait("")
        async with http_apiserver.client(api) as client:
            for kind in (kinds.NAMESPACE, kinds.WORKLOAD):
                await client.list(kind)
                assert [event async for event in client.watch(kind, "1", None)] == []
        bare = "application/json;as=PartialObjectMetadata{};v=v1;g=meta.k8s.io"
        assert [form for _, _, form in api.lists] == [bare.format("List"), "*/*"]
        assert [form for _, _, form in api.watches] == [bare.format(""), "*/*"]

    http_apiserver.run(check)


def test_a_watch_says_why_it_ends() -> None:
    async def check() -> None:
        api = HttpApiServer()
        events = api.serve(WORKLOADS)
        events.put_nowait('{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}')
        async with http_apiserver.client(api) as client:
            with pytest.raises(Gone, match="too old"):
                _ = [event async for event in client.watch(kinds.WORKLOAD, "1", None)]
            with pytest.raises(NotFound):
                _ = [event async for event in client.watch(kinds.VIRTUAL_MACHINE, "1", None)]
            with pytest.raises(NotFound):
                await client.latest(kinds.VIRTUAL_MACHINE, None)
            assert await client.latest(kinds.WORKLOAD, None) == "100"

    http_apiserver.run(check)


def test_objects_of_namespaces_are_asked_for_there() -> None:
    async def check() -> None:
        api = HttpApiServer()
        async with http_apiserver.client(api, Scope(("a", "b"))) as client:
            assert client.places(kinds.WORKLOAD) == ("a", "b")
            assert client.places(kinds.RUNTIME_CLASS) == (None,)

    http_apiserver.run(check)
