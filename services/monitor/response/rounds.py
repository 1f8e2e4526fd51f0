"""The state machine behind every response time: rounds, sessions, the buyer's waiting clock.

Pure and deterministic: facts go in in log order, settled rounds and sessions come out.
Must not know profiles' windows and caps, storage or Kafka.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from contracts.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationOpened,
    ConversationQueued,
    ConversationTransferred,
    Lifecycle,
)
from contracts.people import PersonId, SenderKind
from services.monitor.fold.measures import Fact
from services.monitor.fold.schemas import Heard
from services.monitor.fold.standing import Standing, Voice
from services.monitor.profiles.domain import Reading, ReadingKey
from services.monitor.response.domain import Outcome, Round, Session

TWINS: Final = 4
"""How far back a twin is looked for: a record settles a round and its next one per reading."""

LEAVE_MESSAGE: Final = frozenset({"leave_message", "nobody_online", "outside_shift"})
"""Reasons of `queued` that mean: no agent was online or willing, so the buyer left a message."""

T = TypeVar("T", Round, Session)

_CONTACT: Final = frozenset({SenderKind.BUYER, SenderKind.AGENT, SenderKind.ASSIST_BOT})


class Track(msgspec.Struct, array_like=True):
    """One reading's view of one conversation. Times are milliseconds; None: there is none."""

    round_ms: int | None = None
    round_offset: int = 0
    round_owner: PersonId | None = None
    waiting_ms: int = 0
    waiting_offset: int = 0
    session_ms: int | None = None
    session_offset: int = 0
    session_settled: bool = False
    session_ended_ms: int | None = None
    session_assigned_ms: int | None = None


class Talk(msgspec.Struct, array_like=True):
    """What the machine remembers of one conversation."""

    to_human_ms: int | None = None
    left_message: bool = False
    contact_ms: int | None = None
    tracks: list[Track] = msgspec.field(default_factory=list)


_DECODER: Final = msgspec.msgpack.Decoder(Talk)


@dataclass(slots=True)
class Settled:
    """What became final."""

    rounds: list[Round] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)


class Machine:
    """Folds one fact after the other into a conversation's state; adds what is settled to `out`."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.readings = tuple(readings)
        self.keys: tuple[ReadingKey, ...] = tuple(reading.key for reading in readings)

    def begin(self) -> Talk:
        """Return the state of a conversation of which nothing is known yet."""
        return Talk(tracks=[Track() for _ in self.readings])

    def apply(self, talk: Talk, fact: Fact, *, out: Settled) -> None:
        """Take a fact in."""
        before, after = fact.before, fact.after
        if isinstance(fact.told, Heard):
            kind = fact.told.body.sender_kind
            if kind in _CONTACT:
                turn = _Turn(self, talk, after, fact, out)
                if before.owner != after.owner:
                    turn.change_owner(after.owner)
                turn.contact(kind)
            return
        known = before if isinstance(fact.told, ConversationClosed) else after
        _Turn(self, talk, known, fact, out).lifecycle(fact.told)

    def encode(self, talk: Talk) -> bytes:
        """Return the state as it is stored."""
        return msgspec.msgpack.encode(talk)

    def decode(self, stored: bytes) -> Talk:
        """Read a stored state. Raises `msgspec.ValidationError`."""
        return _DECODER.decode(stored)

    def as_if_over(self, talk: Talk, standing: Standing, at_ms: int, *, out: Settled) -> None:
        """Add what would be settled if nobody answered any more. Changes nothing."""
        fact = Fact(0, 0, at_ms, _NOBODY, standing, standing)
        turn = _Turn(self, self.decode(self.encode(talk)), standing, fact, out)
        for index in range(len(talk.tracks)):
            turn.close_round(index, at_ms, Outcome.CLOSED)
            turn.settle(index, None)


@dataclass(slots=True)
class _Turn:
    """One fact at work on one conversation."""

    machine: Machine
    state: Talk
    standing: Standing
    fact: Fact
    out: Settled

    def contact(self, kind: SenderKind) -> None:
        """Somebody speaks: silences end, a round opens or is answered."""
        state, at_ms = self.state, self.fact.at_ms
        contact, owned = state.contact_ms, self.fact.voice is Voice.OWNED
        for index, reading in enumerate(self.machine.readings):
            silence = reading.silence_ms
            if silence is not None and contact is not None and at_ms - contact >= silence:
                self.end_session(index, contact + silence)
            if kind is SenderKind.BUYER:
                self.ask(index)
            elif owned and kind in reading.effective:
                self.answer(index)
        if contact is None or contact < at_ms:
            state.contact_ms = at_ms
        if owned and kind is SenderKind.AGENT:
            state.left_message = False

    def lifecycle(self, event: Lifecycle) -> None:
        """Take in who is asked, who owns, and that it is over."""
        state, at_ms = self.state, self.fact.at_ms
        match event:
            case ConversationOpened():
                if state.to_human_ms is None:
                    state.to_human_ms = at_ms
            case ConversationAssigned() | ConversationTransferred() | ConversationQueued():
                if state.to_human_ms is None:
                    state.to_human_ms = at_ms
                if isinstance(event, ConversationQueued) and event.reason in LEAVE_MESSAGE:
                    state.left_message = True
                if self.fact.before.owner != self.fact.after.owner:
                    self.change_owner(self.fact.after.owner)
            case ConversationClosed():
                self.close()

    def close(self) -> None:
        """Open rounds end unanswered, the session ends."""
        for index, track in enumerate(self.state.tracks):
            self.close_round(index, self.fact.at_ms, Outcome.CLOSED)
            self.settle(index, None)
            if track.session_ms is not None:
                track.session_ended_ms = self.fact.at_ms
        self.state.to_human_ms = None
        self.state.left_message = False

    def change_owner(self, agent_id: PersonId | None) -> None:
        """The seat goes to somebody else, or to nobody."""
        at_ms = self.fact.at_ms
        for index, track in enumerate(self.state.tracks):
            if agent_id is not None and track.session_assigned_ms is None:
                track.session_assigned_ms = at_ms
            if track.round_ms is None:
                continue
            if track.round_owner is not None:
                self.close_round(index, at_ms, Outcome.TRANSFERRED)
                track.round_ms, track.round_offset = at_ms, self.fact.offset
            track.round_owner = agent_id

    def ask(self, index: int) -> None:
        """The buyer speaks."""
        track, at_ms, offset = self.state.tracks[index], self.fact.at_ms, self.fact.offset
        ended = track.session_ended_ms
        over = ended is not None and at_ms - ended >= self.machine.readings[index].rejoin_ms
        if track.session_ms is None or over:
            track.session_ms, track.session_offset = at_ms, offset
            track.session_settled = False
            track.session_assigned_ms = None if self.standing.owner is None else at_ms
        track.session_ended_ms = None
        if track.round_ms is None:
            track.round_ms = track.waiting_ms = at_ms
            track.round_offset = track.waiting_offset = offset
            track.round_owner = self.standing.owner

    def answer(self, index: int) -> None:
        """An effective reply."""
        self.close_round(index, self.fact.at_ms, Outcome.ANSWERED)
        if self.state.tracks[index].session_ended_ms is None:
            self.settle(index, self.fact.at_ms)

    def end_session(self, index: int, at_ms: int) -> None:
        """The session ends by silence."""
        track = self.state.tracks[index]
        self.close_round(index, at_ms, Outcome.SILENT)
        self.settle(index, None)
        track.session_ms = track.session_ended_ms = track.session_assigned_ms = None

    def close_round(self, index: int, at_ms: int, outcome: Outcome) -> None:
        state, known = self.state, self.standing
        track = state.tracks[index]
        opened = track.round_ms
        if opened is None:
            return
        session = opened if track.session_ms is None else track.session_ms
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
            to_human_ms=session if state.to_human_ms is None else state.to_human_ms,
            left_message=state.left_message,
            born_offset=known.born_offset,
        )
        _add(self.out.rounds, ended, self.machine.keys[index])
        track.round_ms = track.round_owner = None

    def settle(self, index: int, replied_ms: int | None) -> None:
        state, known = self.state, self.standing
        track = state.tracks[index]
        started = track.session_ms
        if started is None or track.session_settled:
            return
        track.session_settled = True
        settled = Session(
            readings=[],
            conversation_id=known.name,
            shop_id=known.shop_id,
            buyer_id=known.buyer_id,
            agent_id=known.owner,
            started_offset=track.session_offset,
            started_ms=started,
            to_human_ms=started if state.to_human_ms is None else state.to_human_ms,
            assigned_ms=track.session_assigned_ms,
            replied_ms=replied_ms,
            left_message=state.left_message,
            born_offset=known.born_offset,
        )
        _add(self.out.sessions, settled, self.machine.keys[index])


_NOBODY: Final = Lifecycle.model_construct()  # type: ignore[call-arg] # what is over needs no fact


def _add(settled: list[T], new: T, reading: ReadingKey) -> None:
    """Append, or add the reading to the twin that another reading settled just before."""
    for twin in settled[-TWINS:]:
        new.readings = twin.readings
        if new == twin:
            twin.readings.append(reading)
            return
    new.readings = [reading]
    settled.append(new)
