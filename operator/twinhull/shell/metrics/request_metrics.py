"""The metrics of requests: all requests under client-go's name, and writes by verb, resource and result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from twinhull.shell.errors import ApiError
from twinhull.shell.metrics import catalogue


class RequestMetrics:
    """Counts requests to the API server."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = catalogue.REQUESTS.counter(registry)
        self._writes = catalogue.WRITES.counter(registry)

    def answered(self, method: str, host: str, code: int | None) -> None:
        """Count a request by the code of its answer; None if no answer came."""
        self._requests.labels("<error>" if code is None else code, method, host).inc()

    @contextmanager
    def writing(self, verb: str, resource: str) -> Iterator[None]:
        """A context around a write. It counts the write's result: ok, or the name of the ApiError."""
        result = "ok"
        try:
            yield
        except ApiError as error:
            result = type(error).__name__
            raise
        finally:
            self._writes.labels(verb, resource, result).inc()
