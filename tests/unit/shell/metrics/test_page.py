"""The page: in two formats, made rarely, and told though the work has no time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import cast

import pytest
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from prometheus_client.registry import Collector

from twinhull.shell.metrics import Metrics, Page
from twinhull.shell.metrics.cached_state import CachedState
from twinhull.shell.metrics.state_collector import StateCollector

_OPENMETRICS = "application/openmetrics-text"


class _Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class _State:
    """Counts how often it was taken, and takes its time for it."""

    def __init__(self, clock: _Clock, takes: float = 0.0) -> None:
        self.count = 0
        self._clock = clock
        self._takes = takes

    def describe(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("surveys", "How often.")

    def collect(self) -> Iterator[Metric]:
        self.count += 1
        self._clock.now += self._takes
        yield GaugeMetricFamily("surveys", "How often.", self.count)


async def _nothing() -> None:
    pass


async def _asked(page: Page, accept: str = "*/*") -> tuple[str, str]:
    answer = await page(make_mocked_request("GET", "/metrics", {"Accept": accept}))
    assert isinstance(answer.body, bytes)
    return answer.content_type, answer.body.decode()


def test_metrics_are_told_as_text_or_as_openmetrics() -> None:
    page = Page(Metrics().registry, _nothing)
    kind, text = asyncio.run(_asked(page))
    assert kind == "text/plain"
    names = {family.name for family in plain(text)}
    assert "twinhull_build_info" in names
    assert not [name for name in names if name.endswith("_created")]
    kind, text = asyncio.run(
        _asked(page, f"{_OPENMETRICS}; version=1.0.0; escaping=allow-utf-8,text/plain;q=0.5")
    )
    assert kind == _OPENMETRICS
    parsed = openmetrics(text)  # type: ignore[no-untyped-call]
    assert names == {family.name for family in parsed}


@pytest.mark.slow
def test_a_page_is_made_once_a_second_in_each_of_two_formats() -> None:
    clock, registry, made = _Clock(), CollectorRegistry(), 0

    class _Counted(Collector):
        def collect(self) -> Iterator[Metric]:
            nonlocal made
            made += 1
            yield GaugeMetricFamily("made", "How often.", made)

    registry.register(_Counted())
    made, page = 0, Page(registry, _nothing, clock)
    accepts = ["*/*", "text/plain", _OPENMETRICS, *(f"{_OPENMETRICS}; version={n}.0.0" for n in range(20))]

    async def ask() -> int:
        await asyncio.gather(*(_asked(page, accept) for accept in accepts * 5))
        return made

    async def pages() -> list[int]:
        first = await ask()
        clock.now += 0.9
        second = await ask()
        clock.now += 0.1
        return [first, second, await ask()]

    assert asyncio.run(pages()) == [2, 2, 4]


def test_a_page_does_not_wait_for_work_that_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinhull.shell.metrics.page._PATIENCE", 0.01)

    async def never() -> None:
        await asyncio.Event().wait()

    assert "twinhull_build_info" in asyncio.run(_asked(Page(Metrics().registry, never)))[1]


def _value(cached: CachedState) -> float | None:
    return next((metric.samples[0].value for metric in cached.collect()), None)


@pytest.mark.parametrize(("takes", "rests"), [(0.0, 1.0), (0.02, 1.0), (0.5, 10.0)])
def test_collecting_rests_for_long_after_it_took_long(takes: float, rests: float) -> None:
    clock = _Clock()
    state = _State(clock, takes)
    cached = CachedState(cast(StateCollector, state), clock, clock)
    assert _value(cached) is None, "none was taken yet"
    for _ in range(10):
        asyncio.run(cached.refresh())
    assert _value(cached) == state.count == 1
    clock.now += rests - 0.01
    asyncio.run(cached.refresh())
    assert state.count == 1
    clock.now += 0.02
    asyncio.run(cached.refresh())
    assert _value(cached) == state.count == 2


def test_old_gauges_are_not_told() -> None:
    clock = _Clock()
    cached = CachedState(cast(StateCollector, _State(clock)), clock)
    asyncio.run(cached.refresh())
    clock.now += 59
    assert _value(cached) == 1
    clock.now += 2
    assert _value(cached) is None
