"""Traces by OpenTelemetry: a span for each pass, and in it one for each request.

Until somebody calls the function that `exporter` returns, nothing is traced, and this costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace

import twinhull


class CannotTrace(Exception):
    """Traces were asked for, but the packages for them aren't installed."""


def exporter() -> Callable[[], Callable[[], None]]:
    """A function that starts to send spans, and returns the function that ends it. Raises CannotTrace."""
    try:
        from twinhull.shell.otlp import export  # noqa: PLC0415  its packages may not be there
    except ImportError as error:
        raise CannotTrace("traces need more packages: pip install 'twinhull[traces]'") from error
    return export


def reconciling(what: str, namespace: str, name: str) -> AbstractContextManager[object]:
    """The span of a pass over an object. `what` is its kind in one word, such as workload or policy."""
    within = {"k8s.namespace.name": namespace} if namespace else {}
    return _span("reconcile", {**within, f"twinhull.{what}": name})


def requesting(method: str, path: str) -> AbstractContextManager[object]:
    """The span of a request to the API server. If the request ends with an error, the span records it."""
    about = {"http.request.method": method, "url.path": path}
    return _span(method, about, trace.SpanKind.CLIENT)


def _span(
    name: str, about: dict[str, str], kind: trace.SpanKind = trace.SpanKind.INTERNAL
) -> AbstractContextManager[object]:
    """A span; none while nothing is traced, since OpenTelemetry takes 12 us for a span that goes nowhere."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider):
        return nullcontext()
    tracer = provider.get_tracer("twinhull", twinhull.__version__)
    return tracer.start_as_current_span(name, kind=kind, attributes=about)


def failed(error: Exception) -> None:
    """Record an error that is handled here in the present span."""
    span = trace.get_current_span()
    span.record_exception(error)
    span.set_status(trace.StatusCode.ERROR, f"{type(error).__name__}: {error}")


def answered(code: int) -> None:
    """Record the status code of the answer in the present span."""
    trace.get_current_span().set_attribute("http.response.status_code", code)
