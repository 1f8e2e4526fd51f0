"""Keeps the boards of this monitor's shops published, and says how far they are current (H20).

Knows whose board is due; must not know what a board shows.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.base import Event
from contracts.monitor import BOARD_SHARES, BoardsCurrent, BoardTotals, board_share
from contracts.people import PLATFORM, ShopId
from kit.bus.ports import Producer, Stalled, message_of
from kit.clock import Clock
from kit.ids import Ids
from kit.leases import Leases
from services.monitor.boards import repository
from services.monitor.boards.domain import (
    CUT_PAUSE_MS,
    MARK_MS,
    REFRESH_MS,
    RENEWED_AT_ONCE,
    TRY_MS,
    WITHHELD_MS,
    Pace,
    pushed,
)
from services.monitor.boards.layout import Envelope, agent_of
from services.monitor.boards.service import Boards
from services.monitor.boards.tiles import Tile, Tiles

REVISION_DAYS: Final = 2
"""Days before today whose changes count: every time zone's today is among them."""

AT_ONCE: Final = 200
"""Tiles that are handed over together."""

ACKED_S: Final = 10.0
"""For so long they may be on their way; then they are told at the next look."""


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
        self._tiles = Tiles()
        self._cut_ms: dict[ShopId, int] = {}
        """When whole boards were published last of shops of which they show a part."""
        self._shares: dict[ShopId, int] = {}
        self._ours: frozenset[int] = frozenset()
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
            for shop_id, tiles in self._tiles.again(looked_ms):
                await self._tell(shop_id, tiles)
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
        held = {share for share in range(BOARD_SHARES) if self._leases.held(_lease(share))}
        if lost := self._ours - held:
            self._tiles.leave(lambda shop_id: self._share(shop_id) in lost)
        self._ours = frozenset(held)
        return self._ours

    def _share(self, shop_id: ShopId) -> int:
        share = self._shares.get(shop_id)
        if share is None:
            share = self._shares[shop_id] = board_share(shop_id)
        return share

    async def _publish(self, shop_id: ShopId, revision: int) -> None:
        day = self._boards.today(shop_id)  # before it is read: one that turns meanwhile is due
        look = await self._boards.look(shop_id)
        tiles, now_ms = look.tiles(), self._clock.now_ms()
        changed, is_withheld = self._tiles.due(shop_id, tiles, now_ms)
        # Totals last: who has them has the tiles that they count.
        await self._tell(shop_id, changed, totals=look.totals(tiles, self._envelope()))
        if now_ms - self._cut_ms.get(shop_id, 0) < CUT_PAUSE_MS:
            is_withheld = True
        else:
            board = pushed(look.board(self._envelope()))
            await self._producer.send(message_of(board))
            if board.agents_left_out:
                self._cut_ms[shop_id] = now_ms
            else:
                self._cut_ms.pop(shop_id, None)
        at_ms, again_ms = self._clock.now_ms(), None
        if is_withheld:
            again_ms = at_ms + WITHHELD_MS
        elif look.is_moving:
            again_ms = at_ms + REFRESH_MS
        self._pace.published(shop_id, revision, day, at_ms=at_ms, again_ms=again_ms)

    async def _tell(
        self, shop_id: ShopId, tiles: Sequence[Tile], *, totals: BoardTotals | None = None
    ) -> None:
        told: list[Event] = [agent_of(shop_id, tile, self._envelope()) for tile in tiles]
        if totals is not None:
            told.append(totals)
        await self._all(told)
        self._tiles.told(shop_id, tiles, self._clock.now_ms())

    async def _all(self, events: Sequence[Event]) -> None:
        """Have events in the log, in their order. Raises `Stalled`."""
        messages = [message_of(event) for event in events]
        for start in range(0, len(messages), AT_ONCE):
            acks = await self._producer.send_all(messages[start : start + AT_ONCE])
            _, unanswered = await asyncio.wait(acks, timeout=ACKED_S)
            if unanswered:
                raise Stalled(f"No ack within {ACKED_S:g} s.")
            for ack in acks:
                ack.result()

    def _envelope(self) -> Envelope:
        return Envelope(self._ids.new(), self._clock.now())

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
