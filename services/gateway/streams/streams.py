"""Leads each `sub` and `unsub` to the kind of stream that it names, and keeps their number.

Knows that there are kinds; what one does with its names is its own business.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from services.gateway.channels import Hearers
from services.gateway.frames import server
from services.gateway.frames.names import stream_of
from services.gateway.frames.refusals import BadStream, TooManySubscriptions
from services.gateway.hub import SocketSession
from services.gateway.streams.joins import Joins
from services.gateway.streams.port import Stream


class Streams:
    """All kinds of streams. A socket holds at most `limit` subscriptions."""

    def __init__(
        self, joins: Joins, kinds: Sequence[Stream[Any, Any]], *, limit: int = 200
    ) -> None:
        self._joins = joins
        self._kinds = {kind.names: kind for kind in kinds}
        self._limit = limit

    def subscribe(
        self, socket: SocketSession, s: str, *, frame_id: str | None, position: object
    ) -> None:
        """Begin to join; every answer goes to the socket."""
        try:
            name = stream_of(s)
        except BadStream as refusal:
            self._joins.refuse(socket, frame_id, refusal)
            return
        held = socket.subscriptions
        if len(held) >= self._limit and str(name) not in held:
            self._joins.refuse(socket, frame_id, TooManySubscriptions())
            return
        kind = self._kinds[type(name)]
        kind.subscribe(socket, name, frame_id=frame_id, position=position)

    def unsubscribe(self, socket: SocketSession, s: str, *, frame_id: str) -> None:
        """Leave a stream; to leave what was not joined is no mistake."""
        try:
            name = stream_of(s)
        except BadStream as refusal:
            self._joins.refuse(socket, frame_id, refusal)
            return
        self._kinds[type(name)].unsubscribe(socket, name)
        socket.answer(server.ok(frame_id, {}))

    def hears(self) -> Iterator[Hearers]:
        """Return what each kind hears."""
        return (kind.hears() for kind in self._kinds.values())

    def refill(self, socket: SocketSession) -> None:
        """Give a socket what was withheld while its queue was full (H15)."""
        self._joins.spawn(self._refill(socket))

    async def stop(self) -> None:
        """Give up what is being joined."""
        await self._joins.stop()

    async def _refill(self, socket: SocketSession) -> None:
        socket.full_since = None
        for kind in self._kinds.values():
            await kind.refill(socket)
