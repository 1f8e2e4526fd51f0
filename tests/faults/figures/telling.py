"""The events of one conversation as services would have written them, at moments of one's choice.

Keeps version, seat and owner in order; which move comes next, `stories` draws.
"""

import random
from datetime import timedelta
from typing import Any, Final

from contracts.base import Event
from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationOpened,
    ConversationQueued,
    ConversationRated,
    ConversationReopened,
    ConversationStageChanged,
    ConversationTransferred,
    LateMessage,
    LaterLifecycle,
    Lifecycle,
)
from contracts.gateway import ChatMessage
from contracts.people import (
    ConversationId,
    MessageId,
    PersonId,
    SenderKind,
    ShopId,
    SkillGroupId,
    Stage,
)
from tests.faults.figures.log import EPOCH

GROUP: Final = SkillGroupId("general")
BOT: Final = PersonId("bot")
SYSTEM: Final = PersonId("system")


def name(rng: random.Random) -> str:
    """Return an id that the seed alone decides."""
    digits = f"{rng.getrandbits(128):032x}"
    return "-".join((digits[:8], digits[8:12], f"7{digits[13:16]}", digits[16:20], digits[20:]))


class Conversation:
    """One conversation's log as it grows, in the order in which it is written."""

    def __init__(self, rng: random.Random, shop: ShopId, buyer: PersonId) -> None:
        self._rng, self.shop, self.buyer = rng, shop, buyer
        self.id = ConversationId(name(rng))
        self.log: list[Event] = []
        self.version = self.seat = self.stamp = 0
        """`stamp` is the seat that a gateway writes into words of staff who have none."""
        self.owner: PersonId | None = None
        self.queued = self.closed = False
        self.waiting = False
        """Whether the buyer owes nothing and people owe him an answer: what sweeps look at."""
        self.ended_at = 0
        self.last_at = 0
        self.lost: list[tuple[PersonId, int]] = []
        """Who had the seat once, and its version."""

    # -- words ------------------------------------------------------------------------------------

    def buyer_says(self, at: int) -> ChatMessage:
        """Let the buyer speak."""
        self.waiting, self.last_at = True, at
        return self._say(at, SenderKind.BUYER, self.buyer)

    def owner_says(self, at: int) -> None:
        """Let the owner answer."""
        if self.owner is not None:
            self.waiting, self.last_at = False, at
            seat = None if self._rng.random() < 0.02 else self.seat  # None: of an older release
            self._say(at, SenderKind.AGENT, self.owner, seat=seat)

    def loser_says(self, at: int) -> None:
        """Let somebody speak who has lost the seat, or has it no more since the close."""
        if self.lost:
            who, seat = self._rng.choice(self.lost)
            self._say(at, SenderKind.AGENT, who, seat=seat)

    def outsider_says(self, at: int, who: PersonId) -> None:
        """Let staff speak who never had a seat here."""
        seat = self._rng.choice((None, self.stamp, self.stamp))
        self._say(at, SenderKind.AGENT, who, seat=seat)

    def machine_says(self, at: int, kind: SenderKind) -> None:
        """Let a bot or an automatic text speak."""
        self._say(at, kind, BOT)

    # -- changes ----------------------------------------------------------------------------------

    def opened(self, at: int) -> None:
        """It begins."""
        self._change(ConversationOpened, at, skill_group_id=GROUP)

    def assigned(self, at: int, agent: PersonId, *, answers_first: bool = False) -> None:
        """Give it to an agent, whose first words may be faster than the news (H8)."""
        if answers_first:
            self.waiting = False
            self._say(at, SenderKind.AGENT, agent, seat=self.version + 1)
        self._change(
            ConversationAssigned, at, agent_id=agent, skill_group_id=GROUP, reason="routed"
        )
        self._own(agent)

    def enqueued(self, at: int, reason: str = "lost") -> None:
        """Put it into the queue: nobody is free, or its agent is gone."""
        self._change(
            ConversationQueued,
            at,
            skill_group_id=GROUP,
            previous_agent_id=self.owner,
            reason=reason,
        )
        self._own(None)

    def transferred(self, at: int, to: PersonId | None, *, answers_first: bool = False) -> None:
        """Hand it on to a colleague, or to a group."""
        by = self.owner or SYSTEM
        if answers_first and to is not None:
            self.waiting = False
            self._say(at, SenderKind.AGENT, to, seat=self.version + 1)
        self._change(
            ConversationTransferred,
            at,
            from_agent_id=by,
            to_agent_id=to,
            to_skill_group_id=GROUP,
            note="-",
            by=by,
        )
        self._own(to)

    def ended(self, at: int, by: PersonId, sweep: str | None = None) -> None:
        """Close it, by a person or by a sweep."""
        self._change(
            ConversationClosed,
            at,
            agent_id=self.owner,
            by=by,
            reason=sweep or "settled",
            sweep=sweep,
        )
        self._own(None)
        self.stamp = self.version
        self.queued, self.closed, self.waiting, self.ended_at = False, True, False, at

    def reopened(self, at: int, reason: str) -> None:
        """Go on with it."""
        by = SYSTEM if reason == "staff" else self.buyer
        self._change(ConversationReopened, at, by=by, reason=reason)
        self.closed = False

    def told_late(self, at: int, message: ChatMessage, other: "Conversation") -> None:
        """Tell that the message belongs into the other conversation, here and there (H30)."""
        named = MessageId(message.id)
        self._change(LateMessage, at, message_id=named, continue_in=other.id, agent_id=other.owner)
        other._change(
            ConversationContacted,
            at,
            message_id=named,
            written_in=self.id,
            received_at=message.time,
        )
        other.waiting, other.last_at = True, at

    def noted(self, at: int) -> None:
        """Let something happen that is no figure's business; a type of a later release, too."""
        chance = self._rng.random()
        if chance < 0.4 and not self.closed:
            stages = {"stage": Stage.VERIFY, "previous": Stage.WELCOME}
            self._change(ConversationStageChanged, at, agent_id=self.owner, **stages)
        elif chance < 0.8:
            self._change(ConversationRated, at, agent_id=self.owner, score=5)
        else:
            self._change(LaterLifecycle, at)

    def repeated(self, since: int) -> None:
        """Deliver a record of a moment ago once more."""
        young = [event for event in self.log[-6:] if _ms(event) >= since]
        if young:
            self.log.append(self._rng.choice(young))

    # -- how --------------------------------------------------------------------------------------

    def _own(self, agent: PersonId | None) -> None:
        if self.owner is not None:
            self.lost.append((self.owner, self.seat))
        self.owner, self.seat, self.queued = agent, self.version, agent is None
        if agent is not None:
            self.stamp = self.version

    def _say(
        self, at: int, by: SenderKind, who: PersonId, *, seat: int | None = None
    ) -> ChatMessage:
        message = ChatMessage(
            id=name(self._rng),
            time=EPOCH + timedelta(milliseconds=at),
            shop_id=self.shop,
            conversation_id=self.id,
            sender_id=who,
            sender_kind=by,
            client_id=name(self._rng),
            kind="text",
            d={"text": "好的"},
            body_hash="0" * 32,
            assignment_version=seat,
        )
        self.log.append(message)
        return message

    def _change(self, kind: type[Lifecycle], at: int, **more: Any) -> None:
        self.version += 1
        self.log.append(
            kind(
                id=name(self._rng),
                time=EPOCH + timedelta(milliseconds=at),
                shop_id=self.shop,
                conversation_id=self.id,
                buyer_id=self.buyer,
                version=self.version,
                **more,
            )
        )


def _ms(event: Event) -> int:
    return (event.time - EPOCH) // timedelta(milliseconds=1)
