"""Leads each `sub` and `unsub` to the kind of stream that it names, and keeps their number.

Knows names; what a kind does with them is its own business.
"""

from typing import assert_never

from services.gateway.frames import server
from services.gateway.frames.names import BoardName, ConversationName, InboxName, StreamName
from services.gateway.frames.refusals import TooManySubscriptions
from services.gateway.hub import Session
from services.gateway.streams.board import BoardStream
from services.gateway.streams.conversation import ConversationStream
from services.gateway.streams.inbox import InboxStream
from services.gateway.streams.joins import Joins


class Streams:
    """All kinds of streams. A socket holds at most `limit` subscriptions."""

    def __init__(
        self,
        joins: Joins,
        *,
        conversations: ConversationStream,
        inboxes: InboxStream,
        boards: BoardStream,
        limit: int = 200,
    ) -> None:
        self._joins = joins
        self.conversations = conversations
        self.inboxes = inboxes
        self.boards = boards
        self._limit = limit

    def subscribe(
        self, session: Session, name: StreamName, *, frame_id: str | None, position: object
    ) -> None:
        """Begin to join; every answer goes to the session."""
        held = session.subscriptions
        if len(held) >= self._limit and str(name) not in held:
            self._joins.refuse(session, frame_id, TooManySubscriptions())
            return
        match name:
            case ConversationName():
                self.conversations.subscribe(session, name, frame_id=frame_id, position=position)
            case InboxName():
                self.inboxes.subscribe(session, name, frame_id=frame_id, position=position)
            case BoardName():
                self.boards.subscribe(session, name, frame_id=frame_id, position=position)
            case _:
                assert_never(name)

    def unsubscribe(self, session: Session, name: StreamName, *, frame_id: str) -> None:
        """Leave a stream; to leave what was not joined is no mistake."""
        match name:
            case ConversationName():
                self.conversations.unsubscribe(session, name)
            case InboxName():
                self.inboxes.unsubscribe(session, name)
            case BoardName():
                self.boards.unsubscribe(session, name)
            case _:
                assert_never(name)
        session.answer(server.ok(frame_id, {}))

    def refill(self, session: Session) -> None:
        """Give a session what was withheld while its queue was full (H15)."""
        self._joins.spawn(self._refill(session))

    async def stop(self) -> None:
        """Give up what is being joined."""
        await self._joins.stop()

    async def _refill(self, session: Session) -> None:
        session.full_since = None
        self.inboxes.refill(session)
        await self.conversations.refill(session)
