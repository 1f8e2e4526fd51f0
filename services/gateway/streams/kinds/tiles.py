"""A shop's board in parts, as a stream: totals, then each agent's tile, then what changes (F14).

Of a shop that nobody watches here nothing is kept. Knows who may watch; must not know what a board
shows.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

import contracts
from contracts.base import rfc3339
from contracts.monitor import Alert, BoardAgent, BoardTotals
from contracts.people import ShopId, may_watch
from contracts.topics import ALERTS, BOARD
from kit.bus.ports import Record
from kit.errors import Unavailable
from services.gateway.channels import Hearers
from services.gateway.frames import server
from services.gateway.frames.names import TilesName
from services.gateway.frames.refusals import Forbid
from services.gateway.history import HistoryClient
from services.gateway.hub import Hub, SocketSession, StreamKind, Subscription
from services.gateway.limits import FairTurns
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import Stream, event_body

_TYPES: Final = {BoardTotals.type.encode(), BoardAgent.type.encode()}


class Told(NamedTuple):
    """Something for everybody who watches a shop.

    `key` names an agent, empty: the totals; an alert is no patch and has None. `d` None: the agent
    has no tile any more.
    """

    shop_id: ShopId
    key: bytes | None
    d: bytes | None
    frame: bytes


class Whole(Struct, frozen=True):
    """A shop's board as the monitor answers it."""

    totals: Raw
    agents: list[Raw]


class _Agent(Struct, frozen=True):
    agent_id: str


class Shown:
    """What is known of a shop that is watched. `is_whole`: no tile is missing."""

    __slots__ = ("is_whole", "tiles", "totals")

    def __init__(self) -> None:
        self.totals: bytes | None = None
        self.tiles: dict[bytes, bytes | None] = {}
        self.is_whole = False

    def fill(self, answered: bytes) -> None:
        """Take over what the monitor answers, unless it was told since."""
        whole = _whole(answered)
        if self.totals is None:
            self.totals = bytes(whole.totals)
        for tile in whole.agents:
            self.tiles.setdefault(_agent(tile).agent_id.encode(), bytes(tile))
        self.is_whole = True

    def frames(self, s: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield a frame for each tile, with its key."""
        for key, d in self.tiles.items():
            if d is not None:
                yield key, server.patch(s, d, key=key)


class TilesSubscription(Subscription):
    """A shop's board in parts on one socket; `live` is set by the first snapshot."""

    __slots__ = ("live", "shop")

    def __init__(self, socket: SocketSession, shop: ShopId, kind: StreamKind) -> None:
        super().__init__(socket, str(TilesName(shop)), kind)
        self.shop = shop
        self.live = False


class TilesStream(Stream[TilesName, Told]):
    """Every shop's board that is watched here in parts."""

    names = TilesName

    def __init__(self, hub: Hub, joins: Joins, *, history: HistoryClient, turns: FairTurns) -> None:
        self._hub = hub
        self._joins = joins
        self._history = history
        self._turns = turns
        self.shown: dict[ShopId, Shown] = {}
        self.watchers: dict[ShopId, list[TilesSubscription]] = {}

    @override
    def subscribe(
        self, socket: SocketSession, name: TilesName, *, frame_id: str | None, position: object
    ) -> None:
        """Join, or share the join that is under way; a live board is shown anew."""
        del position  # totals and tiles are whole
        shop, person = name.shop_id, socket.person
        if not may_watch(person.role, person.shop_id, shop):
            self._joins.refuse(socket, frame_id, Forbid())
            return
        watched = _watched(socket, name) or self._watch(socket, shop)
        joining = bool(watched.owed)
        watched.owed = (*watched.owed, frame_id)
        if not joining:
            work, failed = self._join(watched), partial(self._failed, watched)
            self._joins.spawn(self._joins.run(watched, work, failed=failed))

    @override
    def unsubscribe(self, socket: SocketSession, name: TilesName) -> None:
        """Leave the board, if it is watched."""
        watched = _watched(socket, name)
        if watched is not None:
            self._joins.end(watched)

    @override
    def leave(self, subscription: Subscription) -> None:
        """Let a socket watch no more; with the last one the shop's board is forgotten."""
        assert isinstance(subscription, TilesSubscription)
        shop = subscription.shop
        self.watchers[shop].remove(subscription)
        if not self.watchers[shop]:
            del self.watchers[shop], self.shown[shop]

    @override
    def deliver(self, told: Told) -> None:
        """Keep what the board says now, and send it to who watches; an alert is kept nowhere."""
        live = [one for one in self.watchers.get(told.shop_id, ()) if one.live]
        if told.key is None:
            for watcher in live:
                watcher.socket.lossy(told.frame)
            return
        shown = self.shown[told.shop_id]
        if told.key:
            shown.tiles[told.key] = told.d
        else:
            shown.totals = told.d
        for watcher in live:
            watcher.socket.patch(watcher.s, told.frame, key=told.key)

    @override
    def hears(self) -> Hearers:
        """Return that boards and alerts are what is watched."""
        return {BOARD: self._board, ALERTS: self._alert}

    def _board(self, record: Record) -> None:
        shop = ShopId(record.key.decode()) if record.key else None
        # Most of a large platform's boards are watched elsewhere, or nowhere.
        if shop not in self.watchers or record.header("ce_type") not in _TYPES:
            return
        event, s = contracts.decode(record), str(TilesName(shop))
        assert record.value is not None
        if isinstance(event, BoardTotals):
            # The body alone does not say when it was published.
            d = b'{"time":"%b",' % rfc3339(event.time).encode() + record.value[1:]
            self.deliver(Told(event.shop_id, b"", d, server.patch(s, d)))
        elif isinstance(event, BoardAgent):
            key, d = event.agent_id.encode(), record.value
            frame = server.patch(s, d, key=key)
            self.deliver(Told(event.shop_id, key, None if event.removed else d, frame))

    def _alert(self, record: Record) -> None:
        event = contracts.decode(record)
        if isinstance(event, Alert) and event.shop_id in self.watchers:
            frame = server.event(str(TilesName(event.shop_id)), event_body(event))
            self.deliver(Told(event.shop_id, None, None, frame))

    def _watch(self, socket: SocketSession, shop: ShopId) -> TilesSubscription:
        """Keep the shop's board from now on, and send it to this socket."""
        watched = TilesSubscription(socket, shop, self)
        self._hub.attach(watched)
        self.watchers.setdefault(shop, []).append(watched)
        self.shown.setdefault(shop, Shown())
        return watched

    async def _join(self, watched: TilesSubscription) -> None:
        socket, s = watched.socket, watched.s
        if not self.shown[watched.shop].is_whole:
            await self._fetch(watched)
            watched.check()
        shown = self.shown[watched.shop]
        for frame_id in watched.take_owed():
            socket.answer(server.ok(frame_id, {"s": s}))
        if shown.is_whole and shown.totals is not None:
            socket.answer(server.snap(s, shown.totals))
            for key, frame in shown.frames(s):
                socket.patch(s, frame, key=key)
        else:
            socket.answer(server.snap(s, b"null"))  # the client asks again
        watched.live = True

    async def _fetch(self, watched: TilesSubscription) -> None:
        """Ask the monitor; one of before does not know the question, and one may be away."""
        async with self._turns.of(watched.socket.person.subject):
            watched.check()  # who left while he waited costs nobody a question
            try:
                answered = await self._history.tiles(watched.shop)
            except Unavailable:
                return
            watched.check()
        if answered is not None:
            self.shown[watched.shop].fill(answered)

    def _failed(self, watched: TilesSubscription, _: Exception) -> None:
        """Go on as before: live, or not at all."""
        if not watched.live:
            self._hub.detach(watched)


_whole: Final = msgspec.json.Decoder(Whole).decode
_agent: Final = msgspec.json.Decoder(_Agent).decode


def _watched(socket: SocketSession, name: TilesName) -> TilesSubscription | None:
    found = socket.subscriptions.get(str(name))
    return found if isinstance(found, TilesSubscription) else None
