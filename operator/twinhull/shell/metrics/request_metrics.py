"""What is counted of requests: all by client-go's name, and writes by what they were to change."""

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
        """A request was answered, or (None) it wasn't."""
        self._requests.labels("<error>" if code is None else code, method, host).inc()

    @contextmanager
    def writing(self, verb: str, resource: str) -> Iterator[None]:
        """While something is written. What comes of it is `ok`, or the name of the ApiError."""
        result = "ok"
        try:
            yield
        except ApiError as error:
            result = type(error).__name__
            raise
        finally:
            self._writes.labels(verb, resource, result).inc()
