"""Every metric of the platform: its name, unit and meaning, in one place.

Knows no part that measures; each part gets a `Metrics` and uses what it needs. Labels have few
values by construction: topics, groups, route templates and outcomes, never ids, shops or paths.
"""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_REQUEST_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CHAT_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_TIMER_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 600.0, 3600.0)
_ROWS: Final = (1, 5, 10, 25, 50, 100, 200, 500)


class Metrics:
    """The metrics of one service, in a registry of their own: several fit into one process."""

    def __init__(self, *, process: bool = False) -> None:
        """Register everything; `process` adds memory, CPU and garbage collection of the process."""
        self.registry = CollectorRegistry()
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        self._http()
        self._bus()
        self._outbox()
        self._timers()
        self._gateway()

    def render(self) -> bytes:
        """Return everything in the Prometheus text format."""
        return generate_latest(self.registry)

    def _http(self) -> None:
        self.http_seconds = self._histogram(
            "peakdesk_http_request_seconds",
            "Seconds from a request's headers to the end of its answer, by route template",
            ("method", "route", "status"),
            buckets=_REQUEST_S,
        )
        self.http_active = self._gauge(
            "peakdesk_http_requests_active", "Requests being answered at this moment"
        )

    def _bus(self) -> None:
        self.consumed = self._counter(
            "peakdesk_consumed_records_total",
            "Records handled, by what became of them: done, retried, dead",
            ("group", "topic", "outcome"),
        )
        self.revocations_blind = self._gauge(
            "peakdesk_revocations_blind",
            "1 while withdrawn tokens are believed, because the directory was not read yet",
        )
        self.unknown_events = self._counter(
            "peakdesk_unknown_events_total",
            "Records passed over because their type is of a newer release",
            ("group", "topic"),
        )
        self.consumer_lag = self._gauge(
            "peakdesk_consumer_lag_records",
            "Records between a group's position and the end of the topic",
            ("group", "topic"),
        )
        self.consumer_resting = self._gauge(
            "peakdesk_consumer_resting",
            "1 while a group rests after too many dead letters in a row, else 0",
            ("group",),
        )
        self.consumer_rests = self._counter(
            "peakdesk_consumer_rests_total",
            "Rests of a group, those included that follow a trial which brought nothing",
            ("group",),
        )
        self.batch_rows = self._histogram(
            "peakdesk_consumer_batch_records",
            "Records handed to a batch handler at once",
            ("group",),
            buckets=_ROWS,
        )
        self.handle_seconds = self._histogram(
            "peakdesk_consumer_handle_seconds",
            "Seconds a handler took for one record or one batch",
            ("group",),
            buckets=_REQUEST_S,
        )
        self.dead_letters = self._counter(
            "peakdesk_dead_letters_total", "Records set aside with their reason", ("group", "topic")
        )

    def _outbox(self) -> None:
        self.outbox_oldest = self._gauge(
            "peakdesk_outbox_oldest_seconds",
            "Age of the oldest event that is committed and not yet published; alert above 10",
        )
        self.outbox_rows = self._gauge(
            "peakdesk_outbox_rows", "Events that are committed and not yet published"
        )
        self.outbox_held = self._gauge(
            "peakdesk_outbox_held_keys",
            "Keys whose events wait behind one that cannot be published; alert above 0",
        )
        self.outbox_published = self._counter(
            "peakdesk_outbox_published_total", "Events published by this process's relays"
        )

    def _timers(self) -> None:
        self.timer_late = self._histogram(
            "peakdesk_timer_late_seconds",
            "Seconds from a timer's due time to the end of the transaction that fired it",
            ("kind",),
            buckets=_TIMER_S,
        )
        self.timers_oldest = self._gauge(
            "peakdesk_timers_oldest_seconds",
            "How late the oldest timer was that the last sweep found due; alert above 30",
        )
        self.timers_put_off = self._counter(
            "peakdesk_timers_put_off_total",
            "Timers whose use case failed, to be fired again later",
            ("kind",),
        )

    def _gateway(self) -> None:
        self.sockets = self._gauge("peakdesk_sockets_open", "Open sockets, by role", ("role",))
        self.socket_closes = self._counter(
            "peakdesk_socket_closes_total", "Sockets closed by us, by close code", ("code",)
        )
        self.frames_in = self._counter(
            "peakdesk_frames_in_total",
            "Frames received, by type (unknown types count as one)",
            ("t",),
        )
        self.frames_refused = self._counter(
            "peakdesk_frames_refused_total", "Frames answered `err`, by slug", ("slug",)
        )
        self.sends_shed = self._counter(
            "peakdesk_sends_shed_total",
            "Sends refused before they were looked at, because those before them wait too long",
        )
        self.send_seconds = self._histogram(
            "peakdesk_send_ack_seconds",
            "Seconds from a `send` frame to its `ok`",
            (),
            buckets=_CHAT_S,
        )
        self.fanned_out = self._counter(
            "peakdesk_fanned_out_total", "Events offered to sockets of this gateway"
        )

    def _counter(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, meaning, labels, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, labels: tuple[str, ...], *, buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(name, meaning, labels, buckets=buckets, registry=self.registry)
