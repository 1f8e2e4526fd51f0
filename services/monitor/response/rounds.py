"""The state machine behind every response time: rounds, sessions, owner, waiting clock.

Pure and deterministic: records go in in log order, settled rounds and sessions come out.
Must not know profiles' windows and caps, storage or Kafka.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from contracts.people import ConversationId, PersonId, SenderKind, ShopId
from services.monitor.profiles.domain import Reading, ReadingKey
from services.monitor.response.domain import Outcome, Round, Session

FORGET_MS: Final = 86_400_000
"""A conversation closed for so long is begun anew by its next record, so its state may go."""

TWINS: Final = 4
"""How far back a twin is looked for: a record settles a round and its next one per reading."""

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


class Conversation(msgspec.Struct, array_like=True):
    """What the fold remembers of one conversation. Stored as it is, one row each.

    `version` is the newest lifecycle version seen in the log (H7), `seat_version` the newest
    that log or message told about the owner (H8).
    """

    name: ConversationId
    shop_id: ShopId
    buyer_id: PersonId
    born_offset: int
    version: int = 0
    seat_version: int = 0
    owner: PersonId | None = None
    open: bool = True
    closed_ms: int | None = None
    to_human_ms: int | None = None
    left_message: bool = False
    contact_ms: int | None = None
    tracks: list[Track] = msgspec.field(default_factory=list)

    @property
    def forget_after_ms(self) -> int | None:
        """Return the moment after which the next record begins the conversation anew."""
        return None if self.closed_ms is None else self.closed_ms + FORGET_MS


_DECODER: Final = msgspec.msgpack.Decoder(Conversation)


@dataclass(slots=True)
class Settled:
    """What became final."""

    rounds: list[Round] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)


class Machine:
    """Folds one record after the other into a conversation's state; collects what is settled.

    `at_ms` is the producer's receive time, `offset` the record's place in its partition.
    """

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.readings = tuple(readings)
        self._keys: tuple[ReadingKey, ...] = tuple(reading.key for reading in readings)
        self._settled = Settled()

    @property
    def has_settled(self) -> bool:
        """Tell whether `take` has anything to return; most records settle nothing."""
        return bool(self._settled.rounds or self._settled.sessions)

    def take(self) -> Settled:
        """Return what was settled since the last call."""
        taken, self._settled = self._settled, Settled()
        return taken

    def begin(
        self, name: ConversationId, *, shop_id: ShopId, buyer_id: PersonId, offset: int
    ) -> Conversation:
        """Return the state of a conversation of which `offset` is the first record."""
        tracks = [Track() for _ in self.readings]
        return Conversation(name, shop_id, buyer_id, offset, tracks=tracks)

    def message(
        self,
        state: Conversation,
        *,
        at_ms: int,
        offset: int,
        sender_id: PersonId,
        kind: SenderKind,
        seat: int | None = None,
    ) -> bool:
        """Fold a message; return False when an agent wrote it from a seat lost meanwhile (H8).

        `seat` is the assignment version that the message carries.
        """
        if kind not in _CONTACT:
            return True
        asks = kind is SenderKind.BUYER
        if asks:
            state.buyer_id = sender_id
        owned = kind is not SenderKind.AGENT or self._owns(
            state, sender_id, seat, at_ms=at_ms, offset=offset
        )
        contact = state.contact_ms
        for index, reading in enumerate(self.readings):
            silence = reading.silence_ms
            if silence is not None and contact is not None and at_ms - contact >= silence:
                self._end_session(state, index, contact + silence)
            if asks:
                self._ask(state, index, at_ms=at_ms, offset=offset)
            elif owned and kind in reading.effective:
                self._answer(state, index, at_ms)
        if contact is None or contact < at_ms:
            state.contact_ms = at_ms
        if owned and kind is SenderKind.AGENT:
            state.left_message = False
        return owned

    def opened(self, state: Conversation, *, at_ms: int, version: int) -> None:
        """Fold `opened`: from here on people are asked."""
        if _news(state, version) and state.to_human_ms is None:
            state.to_human_ms = at_ms

    def seated(
        self,
        state: Conversation,
        *,
        at_ms: int,
        offset: int,
        version: int,
        agent_id: PersonId | None,
        left_message: bool = False,
    ) -> None:
        """Fold `assigned`, `transferred` or `queued` (`agent_id` None): the owner is known anew.

        `left_message`: nobody was there to answer. That holds until an agent does.
        """
        if not _news(state, version):
            return
        if state.to_human_ms is None:
            state.to_human_ms = at_ms
        state.left_message = state.left_message or left_message
        if version > state.seat_version:
            state.seat_version = version
            self._change_owner(state, agent_id, at_ms=at_ms, offset=offset)

    def closed(self, state: Conversation, *, at_ms: int, version: int) -> None:
        """Fold `closed`: open rounds end unanswered, the session ends, nobody owns it."""
        if not _news(state, version):
            return
        for index, track in enumerate(state.tracks):
            self._close_round(state, index, at_ms, Outcome.CLOSED)
            self._settle(state, index, None)
            if track.session_ms is not None:
                track.session_ended_ms = at_ms
        state.open = False
        state.closed_ms = at_ms
        state.owner = None
        state.to_human_ms = None
        state.left_message = False

    def reopened(self, state: Conversation, *, version: int) -> None:
        """Fold `reopened`."""
        if _news(state, version):
            state.open = True
            state.closed_ms = None

    def noted(self, state: Conversation, *, version: int) -> None:
        """Fold an event that changes nothing here but the version."""
        _news(state, version)

    def as_if_over(self, state: Conversation, at_ms: int) -> Settled:
        """Return what would be settled if nobody answered any more. Changes nothing."""
        copy = decode_state(encode_state(state))
        aside = Machine(self.readings)
        for index in range(len(copy.tracks)):
            aside._close_round(copy, index, at_ms, Outcome.CLOSED)
            aside._settle(copy, index, None)
        return aside.take()

    def _owns(
        self,
        state: Conversation,
        sender_id: PersonId,
        seat: int | None,
        *,
        at_ms: int,
        offset: int,
    ) -> bool:
        """Return whether the sender owns the conversation, by the higher of log and message."""
        if seat is None:
            return sender_id == state.owner
        if seat < state.seat_version:
            return False
        if seat > state.seat_version or state.owner is None:
            state.seat_version = seat
            self._change_owner(state, sender_id, at_ms=at_ms, offset=offset)
        return sender_id == state.owner

    def _change_owner(
        self, state: Conversation, agent_id: PersonId | None, *, at_ms: int, offset: int
    ) -> None:
        if agent_id == state.owner:
            return
        state.owner = agent_id
        for index, track in enumerate(state.tracks):
            if agent_id is not None and track.session_assigned_ms is None:
                track.session_assigned_ms = at_ms
            if track.round_ms is None:
                continue
            if track.round_owner is not None:
                self._close_round(state, index, at_ms, Outcome.TRANSFERRED)
                track.round_ms, track.round_offset = at_ms, offset
            track.round_owner = agent_id

    def _ask(self, state: Conversation, index: int, *, at_ms: int, offset: int) -> None:
        track = state.tracks[index]
        ended = track.session_ended_ms
        over = ended is not None and at_ms - ended >= self.readings[index].rejoin_ms
        if track.session_ms is None or over:
            track.session_ms, track.session_offset = at_ms, offset
            track.session_settled = False
            track.session_assigned_ms = None if state.owner is None else at_ms
        track.session_ended_ms = None
        if track.round_ms is None:
            track.round_ms = track.waiting_ms = at_ms
            track.round_offset = track.waiting_offset = offset
            track.round_owner = state.owner

    def _answer(self, state: Conversation, index: int, at_ms: int) -> None:
        self._close_round(state, index, at_ms, Outcome.ANSWERED)
        if state.tracks[index].session_ended_ms is None:
            self._settle(state, index, at_ms)

    def _end_session(self, state: Conversation, index: int, at_ms: int) -> None:
        track = state.tracks[index]
        self._close_round(state, index, at_ms, Outcome.SILENT)
        self._settle(state, index, None)
        track.session_ms = track.session_ended_ms = track.session_assigned_ms = None

    def _close_round(self, state: Conversation, index: int, at_ms: int, outcome: Outcome) -> None:
        track = state.tracks[index]
        opened = track.round_ms
        if opened is None:
            return
        session = opened if track.session_ms is None else track.session_ms
        ended = Round(
            readings=[],
            conversation_id=state.name,
            shop_id=state.shop_id,
            buyer_id=state.buyer_id,
            agent_id=track.round_owner,
            opened_offset=track.round_offset,
            opened_ms=opened,
            closed_ms=at_ms,
            outcome=outcome,
            waiting_since_ms=track.waiting_ms,
            session_ms=session,
            to_human_ms=session if state.to_human_ms is None else state.to_human_ms,
            left_message=state.left_message,
            born_offset=state.born_offset,
        )
        _add(self._settled.rounds, ended, self._keys[index])
        track.round_ms = track.round_owner = None

    def _settle(self, state: Conversation, index: int, replied_ms: int | None) -> None:
        track = state.tracks[index]
        started = track.session_ms
        if started is None or track.session_settled:
            return
        track.session_settled = True
        settled = Session(
            readings=[],
            conversation_id=state.name,
            shop_id=state.shop_id,
            buyer_id=state.buyer_id,
            agent_id=state.owner,
            started_offset=track.session_offset,
            started_ms=started,
            to_human_ms=started if state.to_human_ms is None else state.to_human_ms,
            assigned_ms=track.session_assigned_ms,
            replied_ms=replied_ms,
            left_message=state.left_message,
            born_offset=state.born_offset,
        )
        _add(self._settled.sessions, settled, self._keys[index])


def encode_state(state: Conversation) -> bytes:
    """Return the state as it is stored."""
    return msgspec.msgpack.encode(state)


def decode_state(stored: bytes) -> Conversation:
    """Read a stored state. Raises `msgspec.ValidationError`."""
    return _DECODER.decode(stored)


def _add(settled: list[T], new: T, reading: ReadingKey) -> None:
    """Append, or add the reading to the twin that another reading settled just before."""
    for twin in settled[-TWINS:]:
        new.readings = twin.readings
        if new == twin:
            twin.readings.append(reading)
            return
    new.readings = [reading]
    settled.append(new)


def _news(state: Conversation, version: int) -> bool:
    """Raise the version; return False for one that the reader already has (H7)."""
    if version <= state.version:
        return False
    state.version = version
    return True
