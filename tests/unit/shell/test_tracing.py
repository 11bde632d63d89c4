"""Traces: which passes end in an error, who says what sends them, and how long the last ones take."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.controlplane.ports import LOOPBACK
from twinhull import __version__
from twinhull.shell.errors import Conflict, Unreachable
from twinhull.shell.store import Key

from .simulation import Simulation, run

_EXPORT = """
from opentelemetry import trace
from twinhull.shell import tracing

end = tracing.exporter()()
"""
_NAMES = """
said = trace.get_tracer_provider().resource.attributes
print(said["service.name"], said["service.version"])
"""
_END = """
import time
with tracing.reconciling("workload", "shop", "web"):
    pass
began = time.monotonic()
end()
print(time.monotonic() - began)
"""


class _Ended(Exception):
    """A pass has."""


def passed(monkeypatch: pytest.MonkeyPatch, failing: type[Exception] | None) -> ReadableSpan:
    """The span of a pass whose first write fails like that."""
    kept, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    world = Simulation({})
    world.cluster.accident = (failing, False) if failing else None

    def ended(_: Key, __: float) -> None:
        raise _Ended

    monkeypatch.setattr(world.queue, "done", ended)
    with pytest.raises(_Ended):
        run(world.reconciler.work())
    return kept.get_finished_spans()[0]


@pytest.mark.parametrize("failing", [Unreachable, ValueError])
def test_a_pass_that_fails_is_a_span_in_error(
    monkeypatch: pytest.MonkeyPatch, failing: type[Exception]
) -> None:
    span = passed(monkeypatch, failing)
    assert span.name == "reconcile"
    assert span.status.status_code is StatusCode.ERROR
    assert str(span.status.description).startswith(f"{failing.__name__}: ")
    assert [event.name for event in span.events] == ["exception"]


@pytest.mark.parametrize("failing", [None, Conflict])
def test_a_pass_that_is_only_outrun_is_none(
    monkeypatch: pytest.MonkeyPatch, failing: type[Exception] | None
) -> None:
    span = passed(monkeypatch, failing)
    assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())


def export(then: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a process says that sends to a collector that takes all and says nothing.

    It is one of its own, since a process has one exporter for good.
    """
    with socket.create_server((LOOPBACK, 0)) as silent:
        address = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{LOOPBACK}:{silent.getsockname()[1]}"}
        return subprocess.run(
            [sys.executable, "-c", _EXPORT + then],
            env=os.environ | address | environment,
            capture_output=True,
            text=True,
            check=True,
        )


@pytest.mark.slow
def test_a_silent_collector_does_not_hold_up_the_end() -> None:
    ended = export(_END)
    assert "the last traces are lost: the collector takes more than 2 s" in ended.stderr
    assert float(ended.stdout) < 25, "the exporter's own patience would be 30 s"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, f"twinhull {__version__}"),
        ({"OTEL_SERVICE_NAME": "mine"}, f"mine {__version__}"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=ours,service.version=9"}, "ours 9"),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=ours", "OTEL_SERVICE_NAME": "mine"},
            f"mine {__version__}",
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": "team=a"}, f"twinhull {__version__}"),
    ],
)
def test_the_environment_names_the_service(environment: dict[str, str], expected: str) -> None:
    assert export(_NAMES, **environment).stdout.startswith(expected)
