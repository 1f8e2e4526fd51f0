"""A limit on what aiokafka logs: while a broker is away it says the same several times a second."""

import logging
import time
from collections.abc import Callable
from typing import Final

from typing_extensions import override

PERIOD_S: Final = 30.0
PER_PERIOD: Final = 3
"""The same text (before its arguments) passes this often in a period; the rest is counted."""

TEXTS: Final = 256
"""Texts remembered; then all are forgotten and the count starts again."""


class Sparing(logging.Filter):
    """Passes the first few of each message in a period; the next one tells how many were held."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        if len(self._seen) > TEXTS:
            self._seen.clear()
        what = (record.name, str(record.msg))
        now = self._monotonic()
        since, count = self._seen.get(what, (now, 0))
        if now - since >= PERIOD_S:
            held, since, count = count - PER_PERIOD, now, 0
            if held > 0:
                record.msg = f"{record.msg} [{held} more like this were held back]"
        self._seen[what] = since, count + 1
        return count < PER_PERIOD


def spare_the_log() -> None:
    """Put the limit on aiokafka's loggers; calling it again changes nothing.

    A filter works on the logger it is set on, not on those below it: so each is named.
    """
    sparing = Sparing()
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, Sparing) for known in logger.filters):
            logger.addFilter(sparing)


_LOGGERS: Final = (
    "aiokafka",
    "aiokafka.client",
    "aiokafka.cluster",
    "aiokafka.conn",
    "aiokafka.consumer.consumer",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
    "aiokafka.producer.producer",
    "aiokafka.producer.sender",
)
