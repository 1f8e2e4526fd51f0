"""Identifiers: time-ordered ones for new things, derived ones for things that must not exist twice.

Knows nothing of what is named; every id is the text of a UUID.
"""

import os
import re
from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import Final, Protocol, TypeAlias

from kit.clock import Clock

Randomness: TypeAlias = Callable[[int], bytes]
"""Given a number of bytes, answers that many random ones."""

_COUNTER_LIMIT = 1 << 12
"""Ids in one millisecond before the generator borrows the next millisecond."""

_UUID7: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
).fullmatch


class Ids(Protocol):
    """A source of new ids."""

    def new(self) -> str:
        """Return an id that was never given before."""


class Uuid7Ids:
    """UUIDv7 (RFC 9562, method 1): ids of one process sort in the order in which they were made."""

    def __init__(self, clock: Clock, randomness: Randomness = os.urandom) -> None:
        self._clock = clock
        self._randomness = randomness
        self._last_ms = 0
        self._counter = 0

    def new(self) -> str:
        now_ms = self._clock.now_ms()
        if now_ms > self._last_ms:
            self._last_ms, self._counter = now_ms, 0
        else:
            self._counter += 1
            if self._counter == _COUNTER_LIMIT:
                self._last_ms, self._counter = self._last_ms + 1, 0
        return _uuid7_text(self._last_ms, self._counter, self._randomness(8))


class SequenceIds:
    """Ids that count up: for tests that want to read them."""

    def __init__(self, start: int = 1) -> None:
        self._next = start

    def new(self) -> str:
        number, self._next = self._next, self._next + 1
        return f"00000000-0000-7000-8000-{number:012x}"


def uuid7(clock: Clock, randomness: Randomness = os.urandom) -> str:
    """Return one UUIDv7; ids of the same millisecond sort at random. For many, use `Uuid7Ids`."""
    noise = randomness(10)
    return _uuid7_text(clock.now_ms(), int.from_bytes(noise[8:]) & 0xFFF, noise[:8])


def uuid7_floor(at: datetime) -> str:
    """Return what no UUIDv7 made at that moment or later is below: a bound for rows by their age.

    `at` carries a zone; before 1970 no UUIDv7 was made.
    """
    return _uuid7_text(max(0, round(at.timestamp() * 1000)), 0, bytes(8))


def is_uuid7(text: str) -> bool:
    """Tell whether this is a UUIDv7 in lower case, as PeakDesk writes them."""
    return _UUID7(text) is not None


def derived_id(*parts: str) -> str:
    """Return the same id for the same parts, as a UUIDv8 (blake2b, 128 bits).

    Parts are length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
    """
    encoded = [part.encode() for part in parts]
    framed = b"".join([len(part).to_bytes(4) + part for part in encoded])
    digits = blake2b(framed, digest_size=16).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return _uuid_text(f"{digits[:12]}8{digits[13:16]}{variant}{digits[17:]}")


def dated_id(date: str, *parts: str) -> str:
    """Return `derived_id` of the parts, behind the first 32 bits of `date`, a UUIDv7.

    They are its time, to 66 s: in an index such ids stand beside those of the same minute.
    """
    return date[:8] + derived_id(*parts)[8:]


def _uuid7_text(ms: int, counter: int, noise: bytes) -> str:
    tail = bytearray(noise)
    tail[0] = 0x80 | tail[0] & 0x3F
    return _uuid_text(f"{ms:012x}7{counter:03x}{tail.hex()}")


def _uuid_text(digits: str) -> str:
    """Join 32 hex digits; `str(uuid.UUID(...))` costs three times as much on the chat path."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
