"""Looks at one conversation by the rules of reception, fact by fact.

Pure and deterministic. What must wait is decided by the conversation's next record, or as if all
were over: there is no timer. Must not know storage, or the log.
"""

from typing import Final

from contracts.conversation import (
    ConversationClosed,
    ConversationContacted,
    ConversationTransferred,
    LateMessage,
    Lifecycle,
)
from contracts.people import PersonId, SenderKind
from reception import RuleName
from services.monitor.fold.measures import Fact
from services.monitor.fold.schemas import Heard
from services.monitor.reception.rounds import Speaking
from services.monitor.reception.talks import BUYER_LAST, HANDED, Pending

PROTECTED: Final = frozenset({"handoff", "abuse", "crossed"})
"""Why a conversation is handed on without anything that speaks against who does."""


class Look(Speaking):
    """Takes facts in."""

    __slots__ = ()

    def apply(self, fact: Fact) -> None:
        """Take a fact in."""
        self.at_ms, self.offset = fact.at_ms, fact.offset
        talk, told = self.talk, fact.told
        if talk.hold or talk.curt or talk.greet:
            self.due()
        if fact.before.owner != fact.after.owner:
            self._changes_hands(fact)
        if not isinstance(told, Heard):
            self._told(told, fact.before.owner)
            return
        match told.body.sender_kind:
            case SenderKind.BUYER:
                self.buyer(told.words())
            case SenderKind.AGENT:
                self.agent(told.body.sender_id, told.words().lower(), fact.voice)
            case SenderKind.AUTO:
                self.auto(told.words())
            case _:
                pass

    def over(self, at_ms: int) -> None:
        """Decide what is open as if nobody wrote any more."""
        self.at_ms = at_ms
        self.due()
        self.silent(self.standing.owner, never=True)

    def due(self) -> None:
        """Decide what no word can decide otherwise any more."""
        talk, at_ms = self.talk, self.at_ms
        hold, curt, greet = self.book.forgotten, self.book.curt, self.book.greeting
        if talk.hold and hold and at_ms - talk.hold.at_ms > hold.over_ms:
            seconds = (at_ms - talk.hold.at_ms) // 1000
            self.fire(RuleName.FORGOTTEN, talk.hold, hold.severity, seconds=seconds)
            talk.hold = None
        if talk.curt and curt and at_ms - talk.curt.at_ms > curt.within_ms:
            self.was_curt(talk.curt)
            talk.curt = None
        if talk.greet and greet and at_ms - talk.greet.at_ms > greet.within_ms:
            self.fire(RuleName.GREETING, talk.greet, greet.severity)
            talk.greet = None

    def _told(self, event: Lifecycle, owner: PersonId | None) -> None:
        talk = self.talk
        match event:
            case ConversationTransferred():
                self._handed(event)
            case ConversationClosed():
                self._closed(event, owner)
            case LateMessage():
                talk.wait_ms = 0
            case ConversationContacted(received_at=at) if not talk.wait_ms:
                talk.wait_ms, talk.wait_offset = round(at.timestamp() * 1000), self.offset
            case _:
                pass

    def _changes_hands(self, fact: Fact) -> None:
        """Whoever loses the seat let the buyer wait until now; the next one's wait begins."""
        talk, event = self.talk, fact.told
        before, after = fact.before.owner, fact.after.owner
        if isinstance(event, ConversationClosed):
            return
        if before is not None:
            if _reason(event) not in PROTECTED:
                self.silent(before, never=False)
            talk.note(HANDED)
            talk.hold = None
        if talk.wait_ms and after is not None:
            talk.wait_ms, talk.wait_offset = self.at_ms, self.offset

    def _handed(self, event: ConversationTransferred) -> None:
        """People hand a conversation on; a leader who takes it over has his reason."""
        rule, talk = self.book.ping_pong, self.talk
        giver, taker = event.from_agent_id, event.to_agent_id or PersonId("")
        taken = taker == event.by != giver
        if rule is None or taken or _reason(event) in PROTECTED:
            return
        moves = [move for move in talk.moves if self.at_ms - move[0] <= rule.within_ms]
        back = False
        if moves:
            at_ms, first, second = moves[-1]
            silent = talk.wrote.get(giver, -1) < at_ms
            soon = self.at_ms - at_ms <= rule.back_ms
            back = (first, second) == (taker, giver) and silent and soon
        moves.append((self.at_ms, giver, taker))
        talk.moves = moves[-rule.changes :]
        if back or len(moves) >= rule.changes:
            self.fire(RuleName.PING_PONG, Pending(giver, self.at_ms, self.offset), rule.severity)

    def _closed(self, event: ConversationClosed, owner: PersonId | None) -> None:
        """It is over. A close as idle ends nobody's wait: what he wrote had not been seen."""
        talk, rule = self.talk, self.book.farewell
        talk.hold = None
        if event.sweep == "idle":
            return
        self.silent(owner, never=True)
        talk.wait_ms = 0
        if event.sweep is not None:
            return
        talk.ended_ms = self.at_ms
        if rule is None or owner is None or event.by != owner or talk.rounds < rule.rounds:
            return
        blessed = talk.blessed and talk.spoke - talk.blessed < rule.messages
        if not (blessed or talk.is_so(BUYER_LAST) or talk.is_so(HANDED)):
            talk.bye = Pending(owner, self.at_ms, self.offset)
            self.fire(
                RuleName.FAREWELL, talk.bye, rule.severity, due_ms=self.at_ms + rule.within_ms
            )


def _reason(event: Heard | Lifecycle) -> str:
    return str(getattr(event, "reason", ""))
