"""One conversation of a test, told to the log fact by fact."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol, Self

from contracts.base import Event
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationOpened,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    LateMessage,
)
from contracts.gateway import ChatMessage
from contracts.people import ConversationId, MessageId, PersonId, SenderKind, ShopId, SkillGroupId
from kit.ids import Ids, derived_id

NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)
"""Twelve o'clock in Shanghai: inside every profile's window."""


Json = dict[str, Any]


class Log(Protocol):
    """Where facts are told."""

    @property
    def ids(self) -> Ids:
        """New ids."""

    async def produce(self, *events: Event) -> None:
        """Write events on their topics."""


@dataclass
class Chat:
    """One conversation, told to the log fact by fact. Times are seconds after noon."""

    rig: Log
    shop_id: ShopId
    agent_id: PersonId
    id: ConversationId
    buyer_id: PersonId
    start: datetime = NOON
    version: int = 0
    said: int = 0
    log: list[Event] = field(default_factory=list)

    async def opened(self, at: float = 0) -> Self:
        """Open the conversation and seat the agent."""
        await self.tell(
            ConversationOpened(**self._fact(at), skill_group_id=SkillGroupId("pre_sale"))
        )
        return await self.assigned(at, self.agent_id)

    async def assigned(self, at: float, agent_id: PersonId) -> Self:
        """Seat an agent."""
        self.agent_id = agent_id
        group = SkillGroupId("pre_sale")
        return await self.tell(
            ConversationAssigned(
                **self._fact(at), agent_id=agent_id, skill_group_id=group, reason="least_loaded"
            )
        )

    async def transferred(self, at: float, to: PersonId) -> Self:
        """Hand the conversation on."""
        event = ConversationTransferred(
            **self._fact(at),
            from_agent_id=self.agent_id,
            to_agent_id=to,
            to_skill_group_id=SkillGroupId("pre_sale"),
            note="",
            by=self.agent_id,
        )
        self.agent_id = to
        return await self.tell(event)

    async def queued(self, at: float, reason: str = "agent_lost") -> Self:
        """Nobody has the seat any more."""
        group = SkillGroupId("pre_sale")
        return await self.tell(
            ConversationQueued(
                **self._fact(at),
                skill_group_id=group,
                previous_agent_id=self.agent_id,
                reason=reason,
            )
        )

    async def closed(self, at: float, sweep: Literal["idle", "abandoned"] | None = None) -> Self:
        """Close it: a person does, or a sweep for silence."""
        return await self.tell(
            ConversationClosed(
                **self._fact(at),
                agent_id=self.agent_id,
                by=self.agent_id,
                reason=sweep or "",
                sweep=sweep,
            )
        )

    async def reopened(self, at: float) -> Self:
        """A word of the buyer reopens it."""
        return await self.tell(
            ConversationReopened(**self._fact(at), by=self.buyer_id, reason="buyer_message")
        )

    async def late(self, at: float, into: "Chat") -> Self:
        """The buyer's last word was late: it is answered in another conversation (H30)."""
        word = next(one for one in reversed(self.log) if isinstance(one, ChatMessage))
        await self.tell(
            LateMessage(
                **self._fact(at),
                message_id=MessageId(word.id),
                continue_in=into.id,
                agent_id=into.agent_id,
            )
        )
        await into.tell(
            ConversationContacted(
                **into._fact(at),
                message_id=MessageId(word.id),
                written_in=self.id,
                received_at=word.time,
            )
        )
        return self

    async def buyer(self, at: float, words: str = "在吗，这件什么时候发货") -> Self:
        """The buyer writes."""
        return await self.tell(self._message(at, self.buyer_id, SenderKind.BUYER, words))

    async def agent(
        self, at: float, words: str = "亲，今天下午发出", seat: int | None = None
    ) -> Self:
        """The agent writes, from the newest seat or from an older one."""
        message = self._message(at, self.agent_id, SenderKind.AGENT, words)
        if seat is not None:
            message = message.model_copy(update={"assignment_version": seat})
        return await self.tell(message)

    async def bot(self, at: float, words: str = "亲，稍等") -> Self:
        """The assist bot answers."""
        bot = PersonId("bot")
        return await self.tell(self._message(at, bot, SenderKind.ASSIST_BOT, words))

    async def auto(self, at: float, words: str = "您好，欢迎光临") -> Self:
        """An automatic reply is sent."""
        return await self.tell(self._message(at, PersonId("auto"), SenderKind.AUTO, words))

    async def agent_shows(self, at: float, kind: Literal["image", "card"], d: Json) -> Self:
        """The agent sends something that is no text."""
        message = self._message(at, self.agent_id, SenderKind.AGENT, "")
        return await self.tell(message.model_copy(update={"kind": kind, "d": d}))

    async def tell(self, event: Event) -> Self:
        """Write a fact on the log."""
        self.log.append(event)
        await self.rig.produce(event)
        return self

    def _message(self, at: float, sender: PersonId, kind: SenderKind, words: str) -> ChatMessage:
        self.said += 1
        client_id = f"{self.said}"
        return ChatMessage(
            id=derived_id("message", self.id, sender, client_id),
            time=self.start + timedelta(seconds=at),
            shop_id=self.shop_id,
            conversation_id=self.id,
            sender_id=sender,
            sender_kind=kind,
            client_id=client_id,
            kind="text",
            d={"text": words},
            body_hash="0" * 32,
            assignment_version=self.version if kind is SenderKind.AGENT else None,
        )

    def _fact(self, at: float) -> dict[str, Any]:
        self.version += 1
        return {
            "id": self.rig.ids.new(),
            "time": self.start + timedelta(seconds=at),
            "shop_id": self.shop_id,
            "conversation_id": self.id,
            "buyer_id": self.buyer_id,
            "version": self.version,
        }


@contextlib.asynccontextmanager
async def talking(chat: Chat, *, per_s: int, at_most_s: int = 60) -> AsyncIterator[None]:
    """Let buyer and agent write by turns, so many records a second, while the block lasts."""

    async def write() -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(at_most_s * per_s):
            await asyncio.sleep(begun + number / per_s - loop.time())
            at = (datetime.now(UTC) - chat.start).total_seconds()
            await (chat.agent(at) if number % 2 else chat.buyer(at))

    writing = asyncio.create_task(write())
    try:
        yield
        assert not writing.done(), "the talk ended before what was to be seen beside it"
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
