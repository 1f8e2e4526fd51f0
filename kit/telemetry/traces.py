"""A trace that follows a request through headers and records, and spans written to a file.

Knows the W3C `traceparent` and OpenTelemetry's spans; must not know what any event means.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TextIO

from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

TRACEPARENT: Final = "traceparent"

OTLP_TIMEOUT_S: Final = 2.0
"""A collector has so long to take a batch, and the last one at the end of the process."""

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Trace(NamedTuple):
    """A place in a trace: 32 hex digits for the whole journey, 16 for this step of it."""

    trace_id: str
    span_id: str
    sampled: bool = False

    def traceparent(self) -> str:
        """Return the W3C header value."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


class Carrier(Protocol):
    """Anything with record headers."""

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


_trace: ContextVar[Trace | None] = ContextVar("peakdesk_trace", default=None)


def new_trace(parent: Trace | None = None) -> Trace:
    """Return a step below `parent`, or the first step of a new trace.

    Trace ids decide nothing, so they are the one random value that is no argument.
    """
    if parent is None:
        return Trace(os.urandom(16).hex(), os.urandom(8).hex())
    return Trace(parent.trace_id, os.urandom(8).hex(), parent.sampled)


def parse_traceparent(text: str) -> Trace | None:
    """Read a `traceparent`; anything malformed or all zero is None, as W3C asks."""
    found = _TRACEPARENT.fullmatch(text)
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return Trace(found[1], found[2], bool(int(found[3], 16) & 1))


def current_trace() -> Trace | None:
    """Return the step that this task works in."""
    return _trace.get()


@contextmanager
def traced(trace: Trace) -> Iterator[Trace]:
    """Work in that step; log lines inside carry its ids."""
    mark = _trace.set(trace)
    try:
        yield trace
    finally:
        _trace.reset(mark)


def inject(headers: Sequence[tuple[str, bytes]] = ()) -> tuple[tuple[str, bytes], ...]:
    """Return record headers with the current `traceparent`; unchanged where there is no trace."""
    kept = tuple(headers)
    step = _trace.get()
    if step is None or any(name == TRACEPARENT for name, _ in kept):
        return kept
    return (*kept, (TRACEPARENT, step.traceparent().encode()))


def extract(record: Carrier) -> Trace | None:
    """Return the step in which a record was produced."""
    for name, value in record.headers:
        if name == TRACEPARENT:
            return parse_traceparent(value.decode("ascii", "replace"))
    return None


@contextmanager
def continued(record: Carrier) -> Iterator[Trace]:
    """Handle a record as a step below the one that produced it."""
    with traced(new_trace(extract(record))) as step:
        yield step


class Tracing:
    """Writes spans to a file as JSON lines, and sends them to a collector over OTLP.

    Without either it makes none and costs nothing. The provider is handed to FastAPI, which
    measures each request with it. Spans wait in memory, 2,048 at most; a collector that is away
    loses spans and delays nobody.
    """

    def __init__(self, service: str, path: str, *, otlp_endpoint: str = "") -> None:
        self.provider: TracerProvider | None = None
        self._file: TextIO | None = None
        if not path and not otlp_endpoint:
            return
        self.provider = TracerProvider(resource=Resource.create({"service.name": service}))
        if path:
            self._file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115 - see close()
            self._export(ConsoleSpanExporter(out=self._file, formatter=_span_line))
        if otlp_endpoint:
            self._export(_otlp(otlp_endpoint))

    def _export(self, exporter: SpanExporter) -> None:
        assert self.provider is not None
        self.provider.add_span_processor(BatchSpanProcessor(exporter))

    def close(self) -> None:
        """Flush what is buffered and close the file."""
        if self.provider is not None:
            self.provider.shutdown()
        if self._file is not None:
            self._file.close()


def server_step(traceparent: str) -> Trace:
    """Return the step of an incoming request: FastAPI's span if it made one, else one of ours."""
    context = otel.get_current_span().get_span_context()
    if context.is_valid:
        return Trace(f"{context.trace_id:032x}", f"{context.span_id:016x}", sampled=True)
    return new_trace(parse_traceparent(traceparent))


def _otlp(endpoint: str) -> SpanExporter:
    # Only who exports pays for what it brings along: protobuf and an HTTP client of its own.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=endpoint, timeout=OTLP_TIMEOUT_S)


def _span_line(span: ReadableSpan) -> str:
    return str(span.to_json(indent=None)) + "\n"
