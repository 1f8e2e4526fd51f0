"""How far a shop's board is current, as a stream: the newest mark, then each that follows.

Apart from the board, whose patches are whole boards for whoever reads them. Knows who may watch;
must not know what a board shows, or when a mark is too old.
"""

from typing import Final

from typing_extensions import override

import contracts
from contracts.base import rfc3339
from contracts.monitor import BoardsCurrent, board_share
from contracts.people import ShopId, may_watch
from contracts.topics import BOARD
from kit.bus.ports import Record
from services.gateway.channels import Hearers
from services.gateway.frames import server
from services.gateway.frames.names import CurrentName
from services.gateway.frames.refusals import Forbid
from services.gateway.hub import Hub, SocketSession, StreamKind, Subscription
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import Stream

_TYPE: Final = BoardsCurrent.type.encode()


class CurrentSubscription(Subscription):
    """How far a shop's board is current, on one socket."""

    __slots__ = ("shop",)

    def __init__(self, socket: SocketSession, shop: ShopId, kind: StreamKind) -> None:
        super().__init__(socket, str(CurrentName(shop)), kind)
        self.shop = shop


class CurrentStream(Stream[CurrentName, BoardsCurrent]):
    """The marks of all shares, shown to who watches a shop of theirs."""

    names = CurrentName

    def __init__(self, hub: Hub, joins: Joins) -> None:
        self._hub = hub
        self._joins = joins
        self._of = 1
        self._shown: dict[int, bytes] = {}
        self.watchers: dict[ShopId, list[CurrentSubscription]] = {}

    @override
    def subscribe(
        self, socket: SocketSession, name: CurrentName, *, frame_id: str | None, position: object
    ) -> None:
        """Show the newest mark; who watches already is shown it anew."""
        del position  # a mark is whole
        shop, person = name.shop_id, socket.person
        if not may_watch(person.role, person.shop_id, shop):
            self._joins.refuse(socket, frame_id, Forbid())
            return
        s = str(name)
        if s not in socket.subscriptions:
            watcher = CurrentSubscription(socket, shop, self)
            self._hub.attach(watcher)
            self.watchers.setdefault(shop, []).append(watcher)
        socket.answer(server.ok(frame_id, {"s": s}))
        shown = self._shown.get(board_share(shop, self._of), b'{"through":null}')
        socket.answer(server.snap(s, shown))

    @override
    def unsubscribe(self, socket: SocketSession, name: CurrentName) -> None:
        """Watch no more."""
        watched = socket.subscriptions.get(str(name))
        if watched is not None:
            self._hub.detach(watched)

    @override
    def leave(self, subscription: Subscription) -> None:
        """Let a socket watch no more."""
        assert isinstance(subscription, CurrentSubscription)
        watchers = self.watchers[subscription.shop]
        watchers.remove(subscription)
        if not watchers:
            del self.watchers[subscription.shop]

    @override
    def deliver(self, told: BoardsCurrent) -> None:
        """Keep a mark, and send it to who watches a shop of its shares."""
        if told.of != self._of:  # of a release that shares the shops out otherwise
            self._of, self._shown = told.of, {}
        d = b'{"through":"%b"}' % rfc3339(told.through).encode()
        self._shown |= dict.fromkeys(told.shares, d)
        for shop, watchers in self.watchers.items():
            if board_share(shop, told.of) in told.shares:
                s = str(CurrentName(shop))
                frame = server.patch(s, d)
                for watcher in watchers:
                    watcher.socket.patch(s, frame)

    @override
    def hears(self) -> Hearers:
        """Return that marks are what is watched."""
        return {BOARD: self._hear}

    def _hear(self, record: Record) -> None:
        # A board is large, and another kind of stream decodes it.
        if record.header("ce_type") == _TYPE:
            event = contracts.decode(record)
            assert isinstance(event, BoardsCurrent)
            self.deliver(event)
