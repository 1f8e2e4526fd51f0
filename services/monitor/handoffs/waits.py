"""Waits of one partition that a colleague may be asked to answer: on a wheel, until they are due.

Knows rounds and shops; must not know when it is asked or how an event is stored.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from contracts.handoffs import HandoffDue
from contracts.people import ConversationId
from services.monitor.directory.rules import Rules
from services.monitor.fold.states import Conversation
from services.monitor.handoffs.domain import LongWait, breach_s
from services.monitor.response.talks import Talk, Track, first_known
from services.monitor.waiting.waits import SETTLE_MS
from services.monitor.waiting.wheel import Due, Wheel

States: TypeAlias = Mapping[ConversationId, Conversation]


class OpenWaits:
    """The open waits of one partition, of shops that ask colleagues.

    Each is due once: what nobody owns then is the queue's, and what is too long already is told by
    alerts. What fell due is returned until it is `told`.
    """

    def __init__(self, rules: Rules, partition: int, *, place: int) -> None:
        """`place`: where the measure of response times stands among a conversation's parts."""
        self._rules = rules
        self._partition = partition
        self._place = place
        self._wheel = Wheel()
        self._watched: dict[ConversationId, int] = {}
        self._taken: list[Due] = []
        self._offered = 0

    @property
    def threatens(self) -> bool:
        """Whether one may fall due: of an answered wait too, until its slot comes round."""
        return bool(self._taken) or not self._wheel.is_empty

    def watch(self, states: Iterable[Conversation]) -> None:
        """Put each open wait that is not watched yet on the wheel."""
        for state in states:
            standing = state.standing
            offer_s = self._rules.directory.shop(standing.shop_id).offer_s
            track = self._track(state) if offer_s is not None else None
            if offer_s is None or track is None:
                self._watched.pop(standing.name, None)
            elif self._watched.get(standing.name) != track.waiting_offset:
                self._watched[standing.name] = track.waiting_offset
                due = Due(standing.name, track.waiting_offset, track.waiting_ms, offer_s)
                self._wheel.put(due)

    def due(self, states: States, *, through_ms: int, now_ms: int, limit: int) -> list[LongWait]:
        """Return waits that fell due, oldest first, of `limit` conversations at most.

        The partition is folded through `through_ms`, and `states` is what that gave.
        """
        self._taken += self._wheel.take(through_ms - SETTLE_MS)
        self._offered = min(limit, len(self._taken))
        found = (self._long(states, one, now_ms) for one in self._taken[: self._offered])
        return [one for one in found if one is not None]

    def told(self) -> None:
        """Let what `due` returned last be done."""
        del self._taken[: self._offered]
        self._offered = 0

    def _track(self, state: Conversation) -> Track | None:
        """Return the reading by which the buyer waits for a person, if he does."""
        talk: Talk = state.parts[self._place]
        track = first_known(talk.tracks, self._rules.waits_for)
        return None if track is None or track.round_ms is None else track

    def _long(self, states: States, due: Due, now_ms: int) -> LongWait | None:
        state = states.get(due.conversation_id)
        track = None if state is None else self._track(state)
        if state is None or track is None or track.waiting_offset != due.waiting_offset:
            if self._watched.get(due.conversation_id) == due.waiting_offset:
                del self._watched[due.conversation_id]
            return None
        standing = state.standing
        shop = self._rules.directory.shop(standing.shop_id)
        too_long_s = breach_s(
            self._rules.book,
            shop.profiles,
            shop.calendar.day(due.waiting_ms),
            first=not track.session_settled,
        )
        if standing.owner is None or shop.offer_s is None or too_long_s is None:
            return None
        breach_ms = due.waiting_ms + too_long_s * 1000
        if now_ms >= breach_ms:
            return None
        return LongWait(
            partition=self._partition,
            waiting_offset=due.waiting_offset,
            shop_id=standing.shop_id,
            conversation_id=standing.name,
            agent_id=standing.owner,
            seat_version=standing.seat,
            waiting_ms=due.waiting_ms,
            due_ms=due.due_ms,
            breach_ms=breach_ms,
            late_ms=max(0, now_ms - due.due_ms),
        )


def event_of(wait: LongWait, *, now: datetime) -> HandoffDue:
    """Return what is told of it; its id is the same whoever raises it."""
    return HandoffDue(
        id=wait.event_id,
        time=now,
        shop_id=wait.shop_id,
        conversation_id=wait.conversation_id,
        agent_id=wait.agent_id,
        seat_version=wait.seat_version,
        waiting_since=_moment(wait.waiting_ms),
        breach_at=_moment(wait.breach_ms),
    )


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
