"""The export of spans by OTLP over HTTP to a collector. It needs the packages of the extra `traces`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from threading import Thread

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import twinhull

logger = logging.getLogger(__name__)

#: How many seconds the last spans may delay the end of the process. A Pod has 30 for all of it.
_LAST = 2.0


def export() -> Callable[[], None]:
    """Send spans from now on. Returns a function that sends the last ones and ends that.

    OpenTelemetry's own environment variables, such as OTEL_EXPORTER_OTLP_ENDPOINT, decide where spans go, how
    many, and under which names (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
    """
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return partial(_end, provider)


def _resource() -> Resource:
    """The resource that sends the spans. Attributes from the environment come before ours, while the SDK
    would do it the other way round.
    """
    detected = OTELResourceDetector().detect().attributes
    return Resource.create({"service.name": "twinhull", "service.version": twinhull.__version__, **detected})


def _end(provider: TracerProvider) -> None:
    """Shut the provider down, but wait only a moment. It can't be given a time-out, and would take up to 30
    s.
    """
    ending = Thread(target=provider.shutdown, daemon=True)
    ending.start()
    ending.join(_LAST)
    if ending.is_alive():
        logger.warning("the last traces are lost: the collector takes more than %g s", _LAST)
