"""Keeps the boards of this monitor's shops published, and says how far they are current (H20).

Knows whose board is due; must not know what a board shows.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.monitor import BOARD_SHARES, BoardsCurrent, board_share
from contracts.people import PLATFORM, ShopId
from kit.bus.ports import Producer, message_of
from kit.clock import Clock
from kit.ids import Ids
from kit.leases import Leases
from services.monitor.boards import repository
from services.monitor.boards.domain import MARK_MS, RENEWED_AT_ONCE, TRY_MS, Pace, pushed
from services.monitor.boards.service import Boards

REVISION_DAYS: Final = 2
"""Days before today whose changes count: every time zone's today is among them."""


class Publisher:
    """Publishes the boards of the shops in those shares whose lease this monitor holds."""

    def __init__(
        self,
        boards: Boards,
        leases: Leases,
        producer: Producer,
        *,
        clock: Clock,
        ids: Ids,
        interval_ms: int,
    ) -> None:
        self._boards = boards
        self._leases = leases
        self._producer = producer
        self._clock = clock
        self._ids = ids
        self._pace = Pace(interval_ms)
        self._shares: dict[ShopId, int] = {}
        self._tried_ms = 0
        self._marked_ms = 0

    async def publish_due(self) -> int:
        """Publish every board that changed, or shows time passing; return how many.

        Of those that only a new day or a new holder changes `RENEWED_AT_ONCE`, the others at the
        next looks: until then their shares are not said to be current.
        """
        held = await self._held()
        looked_ms = self._clock.now_ms()
        is_marked = bool(held) and looked_ms - self._marked_ms >= MARK_MS
        since = (self._clock.now() - timedelta(days=REVISION_DAYS)).date()
        async with self._leases.read_across("which boards changed") as connection:
            revisions = await repository.revisions(connection, since)
            through = await repository.folded_through(connection) if is_marked else None
        turns = self._pace.due(
            revisions,
            self._boards.today,
            is_ours=lambda shop_id: self._share(shop_id) in held,
            now_ms=looked_ms,
        )
        # One share after another, so that the first are soon current.
        renewed = sorted(turns.renewed, key=self._share)
        for shop_id in (*turns.changed, *renewed[:RENEWED_AT_ONCE]):
            await self._publish(shop_id, revisions[shop_id])
        if is_marked:
            late = {self._share(shop_id) for shop_id in renewed[RENEWED_AT_ONCE:]}
            through_ms = looked_ms if through is None else min(looked_ms, through)
            await self._mark(held - late, through_ms)
            self._marked_ms = looked_ms
        return len(turns.changed) + min(len(renewed), RENEWED_AT_ONCE)

    async def _held(self) -> frozenset[int]:
        """Return the shares that are ours; what nobody holds is ours from now on."""
        if self._clock.now_ms() - self._tried_ms >= TRY_MS:
            self._tried_ms = self._clock.now_ms()
            for share in range(BOARD_SHARES):
                await self._leases.take(_lease(share))
        return frozenset(share for share in range(BOARD_SHARES) if self._leases.held(_lease(share)))

    def _share(self, shop_id: ShopId) -> int:
        share = self._shares.get(shop_id)
        if share is None:
            share = self._shares[shop_id] = board_share(shop_id)
        return share

    async def _publish(self, shop_id: ShopId, revision: int) -> None:
        day = self._boards.today(shop_id)  # before it is read: one that turns meanwhile is due
        board = pushed(await self._boards.snapshot(shop_id))
        await self._producer.send(message_of(board))
        moving = board.waiting > 0 or board.delayed_ms > 0
        self._pace.published(shop_id, revision, day, at_ms=self._clock.now_ms(), is_moving=moving)

    async def _mark(self, shares: Collection[int], through_ms: int) -> None:
        """Say that whoever looks at a board of these sees what was folded by then."""
        if shares:
            mark = BoardsCurrent(
                id=self._ids.new(),
                time=self._clock.now(),
                shop_id=PLATFORM,
                shares=tuple(sorted(shares)),
                of=BOARD_SHARES,
                through=datetime.fromtimestamp(through_ms / 1000, UTC),
            )
            await self._producer.send(message_of(mark))


def _lease(share: int) -> str:
    return f"boards/{share}"
