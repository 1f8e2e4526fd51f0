"""Tokens that were withdrawn before their end, as a compacted topic says (H13, H41).

Knows keys and versions; which entries are about a token, and what one means for it, whoever
registers it says.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

import structlog

from kit.bus.ports import Record
from kit.errors import Verdict
from kit.web.tokens import Principal

log = structlog.get_logger()

WAIT_S: Final = 10.0
"""A service waits so long for the topic before it begins; without a broker it begins blind."""


class Entry(Protocol):
    """What is known of one person, or of one session."""

    @property
    def key(self) -> str:
        """The record's key: what it is about."""

    @property
    def version(self) -> int:
        """The newest version counts, whatever comes last."""

    def withdraws(self, *, role: str, shop_id: str, issued_at: datetime) -> bool:
        """Tell whether a token with these claims is worth nothing any more."""


class Revocations:
    """The newest entry of every key. Who is not listed is believed: his token is signed.

    `decode` answers None for entries of other things, and may raise a `Verdict` for what it cannot
    read. `keys` are those of the entries that are about a token.
    """

    def __init__(
        self,
        decode: Callable[[Record], Entry | None],
        keys: Callable[[Principal], Sequence[str]],
    ) -> None:
        self._decode = decode
        self._keys = keys
        self._newest: dict[str, Entry] = {}

    async def __call__(self, records: Sequence[Record]) -> None:
        """Take entries over, in any order and however often they come."""
        for record in records:
            if record.value is None:
                self._newest.pop((record.key or b"").decode(errors="replace"), None)
                continue
            try:
                entry = self._decode(record)
            except Verdict as unread:
                log.warning("revocations.skipped", offset=record.offset, reason=unread.reason)
                continue
            if entry is None:
                continue
            known = self._newest.get(entry.key)
            if known is None or entry.version > known.version:
                self._newest[entry.key] = entry

    def revoked(self, principal: Principal) -> bool:
        """Tell whether the bearer of a good token was sent away, or is somebody else by now."""
        found = (self._newest.get(key) for key in self._keys(principal))
        return any(
            entry.withdraws(
                role=principal.role, shop_id=principal.shop_id, issued_at=principal.issued_at
            )
            for entry in found
            if entry is not None
        )


class Sight:
    """A role that lets the service begin once the topic was read, or after `WAIT_S` without.

    `blind` is told 1 while the service cannot see, then 0.
    """

    def __init__(self, read: asyncio.Event, blind: Callable[[float], None]) -> None:
        self._read = read
        self._blind = blind
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Wait a while for the topic."""
        self._blind(1)
        try:
            async with asyncio.timeout(WAIT_S):
                await self._read.wait()
        except TimeoutError:
            log.warning("revocations.blind", waited_s=WAIT_S)
        else:
            self._blind(0)

    async def run(self) -> None:
        """See as soon as the topic was read, then wait for the end."""
        reading, over = (asyncio.create_task(one.wait()) for one in (self._read, self._over))
        await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
        if self._read.is_set():
            self._blind(0)
        await over
        reading.cancel()

    async def stop(self) -> None:
        """End."""
        self._over.set()
