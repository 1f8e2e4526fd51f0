"""How many pictures somebody may send: each costs a process, and a place for as long as it is kept.

Counted in this process.
"""

from typing import Final

from contracts.people import Role
from kit.clock import Clock
from kit.web.auth import Principal
from kit.web.limits import KeyedBuckets

WINDOW_S: Final = 600.0
BUYER_MOST: Final = 20.0
"""Pictures of a buyer in ten minutes; then 429 with `Retry-After`."""

STAFF_MOST: Final = 120.0
"""The same of a member of staff, who serves several buyers at once."""

DAY_S: Final = 86_400.0
SHOP_BYTES: Final = 2.0 * 1024**3
"""Bytes of pictures that a shop may keep in a day, as they were made anew."""


class PictureLimits:
    """Counts pictures by who sends them, and bytes by shop."""

    def __init__(self, clock: Clock) -> None:
        self._buyers = KeyedBuckets(BUYER_MOST / WINDOW_S, BUYER_MOST, clock=clock)
        self._staff = KeyedBuckets(STAFF_MOST / WINDOW_S, STAFF_MOST, clock=clock)
        self._shops = KeyedBuckets(SHOP_BYTES / DAY_S, SHOP_BYTES, clock=clock)

    def send(self, principal: Principal) -> None:
        """Count a picture before it is opened. Raises `TooMany`."""
        buckets = self._buyers if principal.role == Role.BUYER else self._staff
        buckets.spend(principal.subject)

    def keep(self, shop_id: str, octets: int) -> None:
        """Count what is to be kept. Raises `TooMany`."""
        self._shops.spend(shop_id, octets)
