"""What a process tells of itself: logs and traces. Metrics are in `kit.metrics`."""

from kit.telemetry.logs import Quieten, configure_logging
from kit.telemetry.traces import (
    TRACEPARENT,
    Carrier,
    Trace,
    Tracing,
    continued,
    current_trace,
    extract,
    inject,
    new_trace,
    parse_traceparent,
    server_step,
    traced,
)

__all__ = [
    "TRACEPARENT",
    "Carrier",
    "Quieten",
    "Trace",
    "Tracing",
    "configure_logging",
    "continued",
    "current_trace",
    "extract",
    "inject",
    "new_trace",
    "parse_traceparent",
    "server_step",
    "traced",
]
