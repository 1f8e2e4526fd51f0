"""The state machine behind every response time: rounds, sessions, the buyer's waiting clock.

Pure and deterministic: facts go in in log order, settled rounds and sessions come out.
Must not know profiles' windows and caps, storage or Kafka.
"""

from collections.abc import Sequence

import msgspec

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationContacted,
    ConversationOpened,
    ConversationQueued,
    ConversationReopened,
    ConversationTransferred,
    LateMessage,
    Lifecycle,
)
from contracts.people import MessageId, PersonId, SenderKind
from services.monitor.calendar.domain import CalendarOf
from services.monitor.fold.measures import Fact
from services.monitor.fold.schemas import Heard
from services.monitor.fold.standing import Standing, Voice
from services.monitor.profiles.domain import Reading, ReadingKey
from services.monitor.response import talks
from services.monitor.response.domain import Outcome, Round, Session, Settled
from services.monitor.response.talks import (
    UNDECIDED_WORDS,
    Talk,
    Track,
    Undecided,
    Word,
)

_CONTACT = frozenset({SenderKind.BUYER, SenderKind.AGENT, SenderKind.ASSIST_BOT})


class Machine:
    """Folds one fact after the other into a conversation's state; adds what is settled to `out`."""

    def __init__(self, readings: Sequence[Reading], calendar_of: CalendarOf) -> None:
        self.readings = tuple(readings)
        self.keys: tuple[ReadingKey, ...] = tuple(reading.key for reading in readings)
        self.calendar_of = calendar_of
        self.shortest_gap_ms = min((reading.gap_ms for reading in readings), default=0)

    def begin(self) -> Talk:
        """Return the state of a conversation of which nothing is known yet."""
        return Talk(tracks=[Track() for _ in self.readings])

    def encode(self, talk: Talk) -> bytes:
        """Return the state as it is stored."""
        return talks.encode(talk, self.keys)

    def decode(self, stored: bytes) -> Talk:
        """Read a stored state; a reading that is new to it begins at its next session (H32).

        Raises `msgspec.ValidationError`.
        """
        return talks.decode(stored, self.keys)

    def apply(self, talk: Talk, fact: Fact, *, out: Settled) -> None:
        """Take a fact in."""
        turn = _Turn(self, talk, fact.after, fact.at_ms, fact.offset, out)
        told, before = fact.told, fact.before.owner
        if not isinstance(told, Heard):
            turn.lifecycle(told, before)
        elif told.body.sender_kind in _CONTACT and fact.voice is not Voice.GOODBYE:
            if before != fact.after.owner:
                turn.change_owner(before)
            owned = fact.voice is Voice.OWNED
            turn.hear(
                Word(told.id, told.body.sender_kind, fact.at_ms, fact.offset),
                owned=owned,
            )

    def as_if_over(
        self,
        talk: Talk,
        standing: Standing,
        at_ms: int,
        *,
        out: Settled,
        but_who_waits: bool = False,
    ) -> None:
        """Add what would be settled if nobody answered any more (H34). Changes nothing.

        `but_who_waits` leaves out who waits on a day that is not over: he is shown as waiting.
        """
        copy = self.decode(self.encode(talk))
        turn = _Turn(self, copy, standing, at_ms, 0, out)
        for index, track in copy.known():
            waits = but_who_waits and track.round_ms is not None
            started = track.session_ms
            if not (waits and turn.is_today(track.round_ms)):
                turn.close_round(index, at_ms, Outcome.CLOSED)
            if not (waits and turn.is_today(started)):
                turn.settle(index, None)


class _Settling(msgspec.Struct, gc=False):
    """A moment in one conversation at which rounds and first responses settle.

    `standing` is as it is after the fact. A msgspec struct: every record makes one.
    """

    machine: Machine
    talk: Talk
    standing: Standing
    at_ms: int
    offset: int
    out: Settled

    def close_round(self, index: int, at_ms: int, outcome: Outcome) -> None:
        """Settle the open round, if there is one."""
        track = self.talk.tracks[index]
        if track is None or track.round_ms is None:
            return
        known, opened = self.standing, track.round_ms
        session = opened if track.session_ms is None else track.session_ms
        human = track.session_human_ms
        ended = Round(
            readings=[],
            conversation_id=known.name,
            shop_id=known.shop_id,
            buyer_id=known.buyer_id,
            agent_id=track.round_owner,
            opened_offset=track.round_offset,
            opened_ms=opened,
            closed_ms=at_ms,
            outcome=outcome,
            waiting_since_ms=track.waiting_ms,
            session_ms=session,
            to_human_ms=session if human is None else human,
            born_offset=known.born_offset,
            settled_offset=self.offset,
        )
        talks.add(self.out.rounds, ended, self.machine.keys[index])
        track.round_ms = track.round_owner = None

    def settle(self, index: int, replied_ms: int | None) -> None:
        """Settle the first response of the session, if there is one that is not."""
        track = self.talk.tracks[index]
        if track is None or track.session_ms is None or track.session_settled:
            return
        known, started = self.standing, track.session_ms
        if replied_ms is not None and replied_ms < self.day_end(started):
            track.session_owner = known.owner
        track.session_settled = True
        human = track.session_human_ms
        settled = Session(
            readings=[],
            conversation_id=known.name,
            shop_id=known.shop_id,
            buyer_id=known.buyer_id,
            agent_id=track.session_owner,
            started_offset=track.session_offset,
            started_ms=started,
            to_human_ms=started if human is None else human,
            assigned_ms=track.session_assigned_ms,
            replied_ms=replied_ms,
            born_offset=known.born_offset,
            settled_offset=self.offset,
        )
        talks.add(self.out.sessions, settled, self.machine.keys[index])

    def day_end(self, at_ms: int) -> int:
        """Return the shop's midnight after a moment."""
        return self.machine.calendar_of(self.standing.shop_id).day_end(at_ms)

    def is_today(self, at_ms: int | None) -> bool:
        """Tell whether a moment's day is not over yet."""
        return at_ms is not None and self.at_ms < self.day_end(at_ms)

    def may_change_hands(self, track: Track) -> bool:
        """Tell whether whose the session is may still change: open, and its day not over (N5)."""
        return not track.session_settled and self.is_today(track.session_ms)


class _Turn(_Settling):
    """One fact at work on one conversation."""

    def hear(self, word: Word, *, owned: bool) -> None:
        """Somebody speaks. A word into a closed conversation may yet turn out to be late (H30).

        One who writes from a seat newer than the close has it open again (H8). Where no lifecycle
        event is known his seat may be one of before the forgetting, and proves nothing.
        """
        talk, standing = self.talk, self.standing
        outran = standing.owner is not None and standing.seat > standing.version
        goes_on = standing.version > 0 and (standing.open or outran)
        if goes_on or word.kind is SenderKind.AGENT:
            talk.undecided = None
            self.contact(word.kind, owned=owned)
            return
        if talk.undecided is None and word.kind is SenderKind.BUYER:
            self.end_what_is_over()
            talk.undecided = Undecided(talk.contact_ms, talk.ended_ms, talks.copied(talk.tracks))
        rounds, sessions = len(self.out.rounds), len(self.out.sessions)
        self.contact(word.kind, owned=owned)
        undecided = talk.undecided
        if undecided is not None:
            if len(undecided.words) < UNDECIDED_WORDS:
                undecided.words.append(word)
            undecided.rounds += [one.opened_offset for one in self.out.rounds[rounds:]]
            undecided.sessions += [one.started_offset for one in self.out.sessions[sessions:]]

    def contact(self, kind: SenderKind, *, owned: bool) -> None:
        """Somebody speaks: sessions end or go on, a round opens or is answered."""
        talk = self.talk
        self.end_what_is_over()
        goes_on, talk.ended_ms = talk.ended_ms is not None, None
        asks, readings = kind is SenderKind.BUYER, self.machine.readings
        for index, track in enumerate(talk.tracks):
            if track is None:
                continue
            if goes_on and self.may_change_hands(track):
                track.session_owner = self.standing.owner
            if asks:
                self._ask(track)
            elif owned and kind in readings[index].effective:
                self.close_round(index, self.at_ms, Outcome.ANSWERED)
                self.settle(index, self.at_ms)
        if talk.contact_ms is None or talk.contact_ms < self.at_ms:
            talk.contact_ms = self.at_ms

    def lifecycle(self, event: Lifecycle, before: PersonId | None) -> None:
        """Take in who is asked, who owns, and that it is over."""
        talk = self.talk
        match event:
            case ConversationOpened():
                talk.undecided = None
                self._turn_to_human()
            case ConversationAssigned() | ConversationTransferred() | ConversationQueued():
                talk.undecided = None
                self._turn_to_human()
                if before != self.standing.owner:
                    self.change_owner(before)
            case ConversationClosed(sweep=sweep):
                self._close(sweep)
            case ConversationReopened():
                talk.undecided = None
            case ConversationContacted(received_at=received_at):
                self.at_ms = round(received_at.timestamp() * 1000)
                self.contact(SenderKind.BUYER, owned=True)
            case LateMessage(message_id=message_id):
                self._withdraw(message_id)
            case _:
                pass

    def change_owner(self, before: PersonId | None) -> None:
        """The seat goes to somebody else, or to nobody. Whose a past day's was it stays (N5)."""
        owner = self.standing.owner
        self.end_silent(only_waits=True)
        for index, track in self.talk.known():
            if track.session_ms is not None:
                if owner is not None and track.session_assigned_ms is None:
                    track.session_assigned_ms = self.at_ms
                if self.may_change_hands(track):
                    track.session_owner = owner
            if track.round_ms is None:
                continue
            if before is not None:
                self.close_round(index, self.at_ms, Outcome.TRANSFERRED)
                track.round_ms, track.round_offset = self.at_ms, self.offset
                track.round_owner = owner
            elif self.is_today(track.round_ms):
                track.round_owner = owner

    def end_what_is_over(self) -> None:
        """End sessions that a contact now does not continue; begin readings that are new (H32)."""
        talk, ended = self.talk, self.talk.ended_ms
        if ended is None and talk.contact_ms is not None and talk.is_whole:
            if self.at_ms - talk.contact_ms >= self.machine.shortest_gap_ms:
                self.end_silent()
            return  # as nearly always
        for index, reading in enumerate(self.machine.readings):
            track = talk.tracks[index]
            if track is None:
                if self._surely_begins(reading):
                    talk.tracks[index] = Track()
            elif (
                ended is not None
                and track.session_ms is not None
                and self.at_ms - ended >= reading.rejoin_ms
            ):
                self._end(index, track, self.at_ms)
        self.end_silent()

    def end_silent(self, *, only_waits: bool = False) -> None:
        """End sessions whose gap has run out: not after a close, nor while somebody waits (H36).

        `only_waits`: only those that end though somebody waits, as kuaimai's do.
        """
        contact = self.talk.contact_ms
        if contact is None or self.talk.ended_ms is not None:
            return
        for index, track in self.talk.known():
            reading = self.machine.readings[index]
            if track.session_ms is None or self.at_ms - contact < reading.gap_ms:
                continue
            waits = track.round_ms is not None
            if (waits and reading.gap_while_waiting) or not (waits or only_waits):
                self._end(index, track, contact + reading.gap_ms)

    def _ask(self, track: Track) -> None:
        at_ms, owner = self.at_ms, self.standing.owner
        if track.session_ms is None:
            track.session_ms, track.session_offset = at_ms, self.offset
            track.session_settled, track.session_owner = False, owner
            track.session_human_ms = None if self.talk.to_human_ms is None else at_ms
            track.session_assigned_ms = None if owner is None else at_ms
        if track.round_ms is None:
            track.round_ms = track.waiting_ms = at_ms
            track.round_offset = track.waiting_offset = self.offset
            track.round_owner = owner

    def _turn_to_human(self) -> None:
        if self.talk.to_human_ms is None:
            self.talk.to_human_ms = self.at_ms
        for _, track in self.talk.known():
            if track.session_ms is not None and track.session_human_ms is None:
                track.session_human_ms = self.at_ms

    def _close(self, sweep: str | None) -> None:
        """Only a person ends a session; a sweep for silence meets no open round (H36)."""
        self.end_silent()
        for index, _ in self.talk.known() if sweep != "idle" else ():
            self.close_round(index, self.at_ms, Outcome.CLOSED)
        if sweep is None:
            self.talk.ended_ms = self.at_ms
        self.talk.to_human_ms = None
        self.talk.undecided = None

    def _end(self, index: int, track: Track, at_ms: int) -> None:
        self.close_round(index, at_ms, Outcome.SILENT)
        self.settle(index, None)
        track.session_ms = None

    def _surely_begins(self, reading: Reading) -> bool:
        """Tell whether a contact now begins a session of a reading that the state does not know."""
        contact, ended = self.talk.contact_ms, self.talk.ended_ms
        if contact is None:
            return True
        if ended is not None:
            return self.at_ms - ended >= reading.rejoin_ms
        waiting = any(track.round_ms is not None for _, track in self.talk.known())
        return not waiting and self.at_ms - contact >= reading.gap_ms

    def _withdraw(self, message_id: MessageId) -> None:
        """Go on as if a word had never been said: it was late, and is answered elsewhere (H30)."""
        talk, undecided = self.talk, self.talk.undecided
        if undecided is None or all(word.id != message_id for word in undecided.words):
            return
        self.out.withdrawn_rounds += undecided.rounds
        self.out.withdrawn_sessions += undecided.sessions
        talk.contact_ms, talk.ended_ms = undecided.contact_ms, undecided.ended_ms
        talk.tracks, talk.undecided = undecided.tracks, None
        for word in undecided.words:
            if word.id != message_id:
                again = _Turn(self.machine, talk, self.standing, word.at_ms, word.offset, self.out)
                again.hear(word, owned=True)
