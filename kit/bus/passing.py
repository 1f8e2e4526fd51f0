"""Records that a release does not know: counted, and each type named once.

Knows headers, never types.
"""

from typing import Final

import structlog

from kit.bus.ports import Record
from kit.metrics import Metrics

log = structlog.get_logger()

NAMED_LIMIT: Final = 64
"""Types that a group names in the log; who writes more of them makes no more lines."""

_SHOWN_CHARS: Final = 100


class Unknown:
    """What one group passed over."""

    def __init__(self, group: str, metrics: Metrics) -> None:
        self._group = group
        self._metrics = metrics
        self._named: set[bytes] = set()

    def pass_over(self, record: Record) -> None:
        """Count a record, and name its type the first time."""
        self._metrics.unknown_events.labels(self._group, record.topic).inc()
        kind = record.header("ce_type") or b""
        if kind in self._named or len(self._named) >= NAMED_LIMIT:
            return
        self._named.add(kind)
        shown = kind[:_SHOWN_CHARS].decode(errors="replace")
        log.warning("bus.unknown_type", group=self._group, topic=record.topic, type=shown)
