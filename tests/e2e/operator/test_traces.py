"""Traces of an operator that was asked for them, as an OpenTelemetry collector receives them."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.controlplane import Cluster
from tests.controlplane.ports import LOOPBACK
from tests.e2e.operator.subject import Subject
from tests.operator_process import OperatorProcess


@contextmanager
def collector(spans: list[Span]) -> Iterator[str]:
    """What receives spans by OTLP over HTTP; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            received = ExportTraceServiceRequest.FromString(body)
            for resource in received.resource_spans:
                assert ("service.name", "twinhull") in attributes(resource.resource)
                spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def attributes(of: object) -> set[tuple[str, str]]:
    """Its attributes that are texts."""
    return {(one.key, one.value.string_value) for one in getattr(of, "attributes")}  # noqa: B009


def test_a_pass_is_a_span_with_its_requests(
    cluster: Cluster, account: Path, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans: list[Span] = []
    with collector(spans) as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        operator = OperatorProcess.start(account, tmp_path / "operator.log", "--traces")
        web = Subject(cluster, namespace, alive=operator.check)
        web.apply()
        web.becomes("Ready")
        operator.stop()  # which sends the last ones
    passes = {
        span.span_id: span
        for span in spans
        if span.name == "reconcile" and {("twinhull.workload", "web")} <= attributes(span)
    }
    assert passes
    requests = [span for span in spans if span.parent_span_id in passes]
    assert {(span.name, dict(attributes(span))["url.path"]) for span in requests} >= {
        ("POST", f"/api/v1/namespaces/{namespace}/pods"),
        ("PATCH", f"/apis/twinhull.dev/v1alpha1/namespaces/{namespace}/workloads/web/status"),
    }
    assert all(span.kind == Span.SPAN_KIND_CLIENT for span in requests)
    assert {span.trace_id for span in requests} <= {span.trace_id for span in passes.values()}
