"""Spans reach a collector over OTLP, and one that is away holds nobody up."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from typing_extensions import override

from kit.settings import ServiceSettings, SettingsRefused, load
from kit.telemetry.traces import Tracing

pytestmark = pytest.mark.integration

PATH = "/v1/traces"
FAR_BELOW_A_STOP_S = 10.0
"""A service that ends waits for its spans; the platform gives it three times as long."""


@contextmanager
def collector(status: int = 200) -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Run a collector; yield its address and what it was sent."""
    got: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == PATH
            got.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PATH}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make_spans(tracing: Tracing, count: int) -> None:
    assert tracing.provider is not None
    tracer = tracing.provider.get_tracer("test")
    for number in range(count):
        with tracer.start_as_current_span(f"work {number}"):
            pass


def test_the_collector_has_every_span_when_the_process_ends() -> None:
    with collector() as (address, got):
        tracing = Tracing("orders", "", otlp_endpoint=address)
        make_spans(tracing, 3)
        tracing.close()

        resources = [one for request in got for one in request.resource_spans]
        names = [span.name for one in resources for s in one.scope_spans for span in s.spans]
        said = {a.key: a.value.string_value for one in resources for a in one.resource.attributes}

    assert sorted(names) == ["work 0", "work 1", "work 2"]
    assert said["service.name"] == "orders"


@pytest.mark.parametrize("status", [None, 503])
def test_a_collector_that_is_away_or_refuses_holds_up_neither_work_nor_the_end(
    status: int | None,
) -> None:
    with collector(status or 200) as (address, _):
        gone = "http://127.0.0.1:9/v1/traces" if status is None else address
        tracing = Tracing("orders", "", otlp_endpoint=gone)
        begun = time.perf_counter()
        make_spans(tracing, 600)
        worked = time.perf_counter() - begun
        tracing.close()
        ended = time.perf_counter() - begun

    assert worked < FAR_BELOW_A_STOP_S
    assert ended < FAR_BELOW_A_STOP_S


def test_an_endpoint_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsRefused, match="PEAKDESK_OTLP_ENDPOINT"):
        load(ServiceSettings, otlp_endpoint="collector:4318")
