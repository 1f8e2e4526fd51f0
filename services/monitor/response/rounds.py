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
from services.monitor.profiles.domain import Reading
from services.monitor.response import talks
from services.monitor.response.domain import Outcome, Settled
from services.monitor.response.sessions import Readings, Sessions
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
        self._by = Readings(readings, calendar_of)
        self.keys = self._by.keys

    def begin(self) -> Talk:
        """Return the state of a conversation of which nothing is known yet."""
        return Talk(tracks=[Track() for _ in self.keys])

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
        turn = _Turn(self._by, talk, fact.after, fact.at_ms, fact.offset, out)
        told, before = fact.told, fact.before.owner
        if not isinstance(told, Heard):
            turn.lifecycle(told, before)
        elif told.body.sender_kind in _CONTACT:
            body = told.body
            seat = body.assignment_version or 0
            turn.hear(
                Word(told.id, body.sender_kind, fact.at_ms, fact.offset, body.sender_id, seat),
                before=before,
                voice=fact.voice,
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
        turn = _Turn(self._by, copy, standing, at_ms, 0, out)
        turn.end_silent()
        for index, track in copy.known():
            waits = but_who_waits and track.round_ms is not None
            started = track.session_ms
            if not (waits and turn.is_today(track.round_ms)):
                turn.close_round(index, at_ms, Outcome.CLOSED)
            if not (waits and turn.is_today(started)):
                turn.settle(index, None)


class _Turn(Sessions):
    """One fact at work on one conversation."""

    def hear(self, word: Word, *, before: PersonId | None, voice: Voice) -> None:
        """Somebody speaks; `before` owned the conversation until then.

        A word into a closed conversation may yet turn out to be late (H30). Where no lifecycle
        event is known nothing says whether it was closed: an agent's word may come from a seat of
        before the forgetting, and the first event tells.
        """
        if voice is Voice.GOODBYE:
            return
        talk, standing = self.talk, self.standing
        told, asks = standing.version > 0, word.kind is SenderKind.BUYER
        if told and (standing.open or word.kind is SenderKind.AGENT or self._outran):
            talk.undecided = None
        elif talk.undecided is None and (asks or not told):
            self.end_what_is_over()
            talk.undecided = Undecided(talk.contact_ms, talk.ended_ms, talks.copied(talk.tracks))
        rounds, sessions = len(self.out.rounds), len(self.out.sessions)
        if before != standing.owner:
            self.turn_to_human()
            self.change_owner(before)
        self.contact(word.kind, owned=voice is Voice.OWNED)
        undecided = talk.undecided
        if undecided is not None:
            if len(undecided.words) < UNDECIDED_WORDS:
                undecided.words.append(word)
            undecided.rounds += [one.opened_offset for one in self.out.rounds[rounds:]]
            undecided.sessions += [one.started_offset for one in self.out.sessions[sessions:]]

    @property
    def _outran(self) -> bool:
        """Tell whether an agent's word told of a seat that is newer than any event (H8)."""
        return self.standing.owner is not None and self.standing.seat > self.standing.version

    def lifecycle(self, event: Lifecycle, before: PersonId | None) -> None:
        """Take in who is asked, who owns, and that it is over."""
        talk = self.talk
        match event:
            case ConversationOpened():
                talk.undecided = None
                self.turn_to_human()
            case ConversationAssigned() | ConversationTransferred() | ConversationQueued():
                talk.undecided = None
                self.turn_to_human()
                if before != self.standing.owner:
                    self.change_owner(before)
            case ConversationClosed(sweep=sweep):
                self.close(sweep)
            case ConversationReopened():
                self._leave_out_goodbyes()
                talk.undecided = None
                self.turn_to_human()
            case ConversationContacted(received_at=received_at):
                self.at_ms = round(received_at.timestamp() * 1000)
                self.contact(SenderKind.BUYER, owned=True)
            case LateMessage(message_id=message_id):
                self._withdraw(message_id)
            case _:
                pass

    def _withdraw(self, message_id: MessageId) -> None:
        """Go on as if a word had never been said: it was late, and is answered elsewhere (H30)."""
        undecided = self.talk.undecided
        if undecided is not None and any(word.id == message_id for word in undecided.words):
            self._go_back(undecided, without=message_id)

    def _leave_out_goodbyes(self) -> None:
        """Go on as if words of before the close had not been said: it was closed, and forgotten."""
        undecided, seat = self.talk.undecided, self.standing.version
        if undecided is not None and any(
            word.kind is SenderKind.AGENT and word.seat < seat for word in undecided.words
        ):
            self._go_back(undecided)

    def _go_back(self, undecided: Undecided, *, without: MessageId | None = None) -> None:
        """Stand where the first undecided word came, and hear them as what is known by now says."""
        talk, now = self.talk, self.standing
        self.out.withdrawn_rounds += undecided.rounds
        self.out.withdrawn_sessions += undecided.sessions
        talk.contact_ms, talk.ended_ms = undecided.contact_ms, undecided.ended_ms
        talk.tracks, talk.undecided, talk.to_human_ms = undecided.tracks, None, None
        then = msgspec.structs.replace(now, open=False, seat=now.closed_version, owner=None)
        for word in undecided.words:
            if word.id == without:
                continue
            before, voice = then.owner, Voice.OWNED
            if word.kind is SenderKind.AGENT:
                then, voice = then.heard(word.kind, word.sender, seat=word.seat)
            standing = msgspec.structs.replace(then, open=now.open)
            again = _Turn(self.by, talk, standing, word.at_ms, word.offset, self.out)
            again.hear(word, before=before, voice=voice)
