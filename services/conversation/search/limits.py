"""How often a person may look for words: each search may cost a quarter of a second."""

from typing import Final

from kit.clock import Clock
from kit.web.auth import Principal
from kit.web.limits import KeyedBuckets

RATE: Final = 1.0
BURST: Final = 10.0
"""Searches of a person, a second and at once; then 429 with `Retry-After`."""


class SearchLimits:
    """Counts searches by who asks."""

    def __init__(self, clock: Clock) -> None:
        self._people = KeyedBuckets(RATE, BURST, clock=clock)

    def spend(self, principal: Principal) -> None:
        """Count a search before it is begun. Raises `TooMany`."""
        self._people.spend(principal.subject)
