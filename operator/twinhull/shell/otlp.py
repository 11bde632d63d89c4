"""Where spans go: by OTLP over HTTP to a collector. Needs the packages of the extra `traces`."""

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

#: How long the last spans may hold up the end of the process, in seconds; a Pod has 30 for all of it.
_LAST = 2.0


def export() -> Callable[[], None]:
    """Send spans from now on; what sends the last ones and ends that.

    Where to, how many and by which names is said by OpenTelemetry's own environment variables, such as
    OTEL_EXPORTER_OTLP_ENDPOINT (opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables).
    """
    provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return partial(_end, provider)


def _resource() -> Resource:
    """What sends the spans. The SDK would have what is said here come before the environment."""
    detected = OTELResourceDetector().detect().attributes
    return Resource.create({"service.name": "twinhull", "service.version": twinhull.__version__, **detected})


def _end(provider: TracerProvider) -> None:
    """Neither the exporter nor what feeds it can be told when to give up: it would be after 30 s."""
    ending = Thread(target=provider.shutdown, daemon=True)
    ending.start()
    ending.join(_LAST)
    if ending.is_alive():
        logger.warning("the last traces are lost: the collector takes more than %g s", _LAST)
