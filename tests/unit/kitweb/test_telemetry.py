"""Logs that cannot be forged and hold no content; traces through headers (row 59, promise P17)."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from kit.settings import LogFormat, ServiceSettings
from kit.telemetry import (
    Quieten,
    Trace,
    Tracing,
    configure_logging,
    continued,
    current_trace,
    extract,
    inject,
    new_trace,
    parse_traceparent,
    traced,
)
from kit.telemetry.logs import REPEATS_A_MINUTE, VALUE_LIMIT

pytestmark = pytest.mark.unit

NASTY = "a\r\n2026 [info] forged\x1b[31m%s{x}\u2028\u202e\x00\ud800"


@dataclass
class Record:
    headers: tuple[tuple[str, bytes], ...]


@pytest.fixture(params=[LogFormat.JSON, LogFormat.CONSOLE])
def lines(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging(ServiceSettings(log_format=request.param), stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_one_event_is_one_line_whatever_it_holds(lines: io.StringIO) -> None:
    _keep_from_pytest()
    structlog.get_logger().info("chat.archived", shop=NASTY, parts=[NASTY], more={NASTY: NASTY})
    logging.getLogger("library").error("failed for %s", NASTY)
    shown = lines.getvalue()
    assert shown.count("\n") == 2
    for character in ("\r", "\x1b[31m%s", "\x00", "\u2028", "\u202e", "\ud800"):
        assert character not in shown
    shown.encode()


def test_a_long_value_is_cut(lines: io.StringIO) -> None:
    structlog.get_logger().info("large", value="x" * 1_000_000, many=list(range(1_000_000)))
    assert len(lines.getvalue()) < VALUE_LIMIT + 1_000


def test_secrets_and_content_are_blanked(lines: io.StringIO) -> None:
    structlog.get_logger().warning(
        "odd", password="canary1", refresh_token="canary2", text="canary3", buyer_phone="canary4",
        inner={"authorization": "canary5", "kept": "visible"}, rows=3,
    )  # fmt: skip
    shown = lines.getvalue()
    assert "canary" not in shown
    assert "visible" in shown


def insert_twice(value: str) -> None:
    """Fail as PostgreSQL does: the values stand in the later lines."""
    raise ValueError(f"duplicate key\nDETAIL: Key (phone)=({value}) exists")


def test_an_exception_is_one_line_without_the_values_of_later_lines(lines: io.StringIO) -> None:
    try:
        insert_twice("canary")
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed too")
    shown = lines.getvalue()
    assert shown.count("\n") == 2
    assert shown.count("ValueError: duplicate key") == 2
    assert "canary" not in shown
    assert "test_telemetry.py:" in shown


def test_a_line_carries_its_trace() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure_logging(ServiceSettings(log_format=LogFormat.JSON), stream)
    with traced(new_trace()) as step:
        structlog.get_logger().info("inside")
    structlog.get_logger().info("outside")
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()
    inside, outside = (json.loads(line) for line in stream.getvalue().splitlines())
    assert inside["trace_id"] == step.trace_id
    assert "trace_id" not in outside


def test_a_library_repeats_itself_a_few_times_a_minute() -> None:
    now = 0.0
    quieten = Quieten(lambda: now)

    def passed(message: str) -> int:
        record = logging.LogRecord("aiokafka", logging.ERROR, "", 1, message, (), None)
        return sum(quieten.filter(record) for _ in range(100))

    assert passed("broker away") == REPEATS_A_MINUTE
    assert passed("another matter") == REPEATS_A_MINUTE
    now = 60.0
    assert passed("broker away") == REPEATS_A_MINUTE


def test_a_trace_travels_in_record_headers() -> None:
    assert inject((("ce_id", b"1"),)) == (("ce_id", b"1"),)
    with traced(new_trace()) as step:
        headers = inject((("ce_id", b"1"),))
        assert inject(headers) == headers
    assert current_trace() is None
    assert extract(Record(headers)) == step
    with continued(Record(headers)) as below:
        assert below.trace_id == step.trace_id
        assert below.span_id != step.span_id
        assert current_trace() == below


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n",
    ],
)
def test_a_broken_traceparent_is_none(text: str) -> None:
    assert parse_traceparent(text) is None
    assert extract(Record((("traceparent", text.encode()),))) is None


def test_a_traceparent_comes_back() -> None:
    step = Trace("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
    assert parse_traceparent(step.traceparent()) == step


def test_spans_are_appended_to_a_file(tmp_path: Path) -> None:
    tracing = Tracing("orders", str(tmp_path / "spans.jsonl"))
    assert isinstance(tracing.provider, TracerProvider)
    with tracing.provider.get_tracer("test").start_as_current_span("work"):
        pass
    tracing.close()
    (line,) = (tmp_path / "spans.jsonl").read_text().splitlines()
    assert json.loads(line)["name"] == "work"


def test_without_a_file_there_is_no_tracing() -> None:
    tracing = Tracing("orders", "")
    assert tracing.provider is None
    tracing.close()


def _keep_from_pytest() -> None:
    """Let pytest not capture the log: a lone surrogate in its report ends a parallel run."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if type(handler).__module__ == "_pytest.logging":
            root.removeHandler(handler)
