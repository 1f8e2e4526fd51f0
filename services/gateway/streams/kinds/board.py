"""A shop's board and alerts as a stream: the newest board, then patches that replace it.

Knows who may watch; must not know what a board shows.
"""

from functools import partial
from typing import Final, NamedTuple

from typing_extensions import override

import contracts
from contracts.base import Event, rfc3339
from contracts.monitor import Alert, BoardPublished
from contracts.people import ShopId, may_watch
from contracts.topics import ALERTS, BOARD
from kit.bus.ports import Record
from kit.errors import Unavailable
from services.gateway.channels import Hearers
from services.gateway.frames import server
from services.gateway.frames.names import BoardName
from services.gateway.frames.refusals import Forbid
from services.gateway.history import HistoryClient
from services.gateway.hub import Hub, SocketSession, StreamKind, Subscription
from services.gateway.limits import FairTurns
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import Stream, event_body

_TYPE: Final = BoardPublished.type.encode()


class NewBoard(NamedTuple):
    """A shop's board as it was published; it replaces the one before."""

    shop_id: ShopId
    d: bytes


class BoardSubscription(Subscription):
    """A shop's board and alerts on one socket; `live` is set by the first snapshot."""

    __slots__ = ("live", "shop")

    def __init__(self, socket: SocketSession, shop: ShopId, kind: StreamKind) -> None:
        super().__init__(socket, str(BoardName(shop)), kind)
        self.shop = shop
        self.live = False


class BoardStream(Stream[BoardName, NewBoard | Event]):
    """Every shop's board that is watched here."""

    names = BoardName

    def __init__(self, hub: Hub, joins: Joins, *, history: HistoryClient, turns: FairTurns) -> None:
        self._hub = hub
        self._joins = joins
        self._history = history
        self._turns = turns
        self._boards: dict[ShopId, bytes] = {}
        self.watchers: dict[ShopId, list[BoardSubscription]] = {}

    @override
    def subscribe(
        self, socket: SocketSession, name: BoardName, *, frame_id: str | None, position: object
    ) -> None:
        """Join, or share the join that is under way; a live board is shown anew."""
        del position  # a board is whole
        shop = name.shop_id
        person = socket.person
        if not may_watch(person.role, person.shop_id, shop):
            self._joins.refuse(socket, frame_id, Forbid())
            return
        board = _board_of(socket, name) or self._watch(socket, shop)
        joining = bool(board.owed)
        board.owed = (*board.owed, frame_id)
        if not joining:
            work, failed = self._join(board), partial(self._failed, board)
            self._joins.spawn(self._joins.run(board, work, failed=failed))

    @override
    def unsubscribe(self, socket: SocketSession, name: BoardName) -> None:
        """Leave the board, if it is watched."""
        board = _board_of(socket, name)
        if board is not None:
            self._joins.end(board)

    @override
    def leave(self, subscription: Subscription) -> None:
        """Let a socket watch no more."""
        assert isinstance(subscription, BoardSubscription)
        watchers = self.watchers[subscription.shop]
        watchers.remove(subscription)
        if not watchers:
            del self.watchers[subscription.shop]

    @override
    def deliver(self, told: NewBoard | Event) -> None:
        """Keep a board and send it to who watches the shop; an alert goes to them as it is."""
        s = str(BoardName(told.shop_id))
        watchers = self.watchers.get(told.shop_id, ())
        if isinstance(told, NewBoard):
            self._boards[told.shop_id] = told.d
            if watchers:
                frame = server.patch(s, told.d)
                for watcher in watchers:
                    watcher.socket.patch(s, frame)
        elif watchers:
            frame = server.event(s, event_body(told))
            for watcher in watchers:
                watcher.socket.lossy(frame)

    @override
    def hears(self) -> Hearers:
        """Return that boards and alerts are what is watched."""
        return {BOARD: self._board, ALERTS: self._alert}

    def _board(self, record: Record) -> None:
        if record.header("ce_type") != _TYPE:
            return  # totals and tiles are another kind's
        event = contracts.decode(record)
        if isinstance(event, BoardPublished) and record.value is not None:
            # The body alone does not say when it was published, which its waits are counted from.
            time = b'{"time":"%b",' % rfc3339(event.time).encode()
            self.deliver(NewBoard(event.shop_id, time + record.value[1:]))

    def _alert(self, record: Record) -> None:
        event = contracts.decode(record)
        if isinstance(event, Alert):
            self.deliver(event)

    def _watch(self, socket: SocketSession, shop: ShopId) -> BoardSubscription:
        """Send the shop's board and alerts to this socket from now on."""
        board = BoardSubscription(socket, shop, self)
        self._hub.attach(board)
        self.watchers.setdefault(shop, []).append(board)
        return board

    async def _join(self, board: BoardSubscription) -> None:
        socket, s = board.socket, board.s
        shown = self._boards.get(board.shop)
        if shown is None:
            fetched = await self._fetched(board)
            board.check()
            shown = self._boards.get(board.shop, fetched)  # one that came meanwhile is newer
        for frame_id in board.take_owed():
            socket.answer(server.ok(frame_id, {"s": s}))
        socket.answer(server.snap(s, shown))
        board.live = True

    async def _fetched(self, board: BoardSubscription) -> bytes:
        async with self._turns.of(board.socket.person.subject):
            board.check()  # who left while he waited costs nobody a question
            try:
                return await self._history.board(board.shop)
            except Unavailable:
                return b"null"  # the next published board comes as a patch

    def _failed(self, board: BoardSubscription, _: Exception) -> None:
        """Go on as before: live, or not at all."""
        if not board.live:
            self._hub.detach(board)


def _board_of(socket: SocketSession, name: BoardName) -> BoardSubscription | None:
    found = socket.subscriptions.get(str(name))
    return found if isinstance(found, BoardSubscription) else None
