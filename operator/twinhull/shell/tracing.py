"""Traces by OpenTelemetry: a span for each pass over a Workload, and in it one for each request.

Nothing is traced, and next to nothing done, until `export` is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import trace

import twinhull

_tracer = trace.get_tracer("twinhull", twinhull.__version__)


class CannotTrace(Exception):
    """Traces were asked for, and the packages for them aren't installed."""


def export() -> Callable[[], None]:
    """Send spans by OTLP over HTTP from now on; what sends the last ones and ends that.

    Where to, how many and by which names is said by OpenTelemetry's own environment variables, such as
    OTEL_EXPORTER_OTLP_ENDPOINT (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
    Raises CannotTrace.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise CannotTrace("traces need more packages: pip install 'twinhull[traces]'") from error
    os.environ.setdefault("OTEL_SERVICE_NAME", "twinhull")
    provider = TracerProvider(resource=Resource.create({"service.version": twinhull.__version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown


@contextmanager
def reconciling(namespace: str, name: str) -> Iterator[None]:
    """The span of a pass."""
    about = {"k8s.namespace.name": namespace, "twinhull.workload": name}
    with _tracer.start_as_current_span("reconcile", attributes=about):
        yield


@contextmanager
def requesting(method: str, path: str) -> Iterator[None]:
    """The span of a request to the API server; an error that it ends in is a part of it."""
    about = {"http.request.method": method, "url.path": path}
    with _tracer.start_as_current_span(method, kind=trace.SpanKind.CLIENT, attributes=about):
        yield


def answered(code: int) -> None:
    """Notes the answer to the request at hand."""
    trace.get_current_span().set_attribute("http.response.status_code", code)
