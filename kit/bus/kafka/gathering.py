"""How long the broker may hold a fetch back, by whether records come."""

from typing import Any, Final

from kit.bus.kafka.options import AT_ONCE, GATHER_BYTES

QUIET_MS: Final = 1000
"""Without a record for so long, a gathering consumer waits for the next one as others do: it would
ask ten times a second for nothing."""


class Gathering:
    """Lets the broker gather while records come, and bring the first after a silence at once.

    With `gather_ms` 0 nothing is gathered.
    """

    def __init__(self, gather_ms: int) -> None:
        self._gather_ms = gather_ms
        self._silent_ms = 0

    def polled(self, inner: Any, timeout_ms: int, *, found: bool) -> None:
        """Note what a poll brought, and tell aiokafka's consumer how to fetch from now on."""
        before, self._silent_ms = self._silent_ms, 0 if found else self._silent_ms + timeout_ms
        quiet = self._silent_ms >= QUIET_MS
        if not self._gather_ms or inner is None or quiet == (before >= QUIET_MS):
            return
        how = AT_ONCE if quiet else (GATHER_BYTES, self._gather_ms)
        # aiokafka 0.14 reads both numbers with each fetch, and has no public way to change them.
        inner._fetcher._fetch_min_bytes, inner._fetcher._fetch_max_wait_ms = how  # noqa: SLF001
