"""Turns: what a buyer and one member of staff say to one another, until it is somebody else's.

Pure and deterministic: facts go in in log order, whole turns come out, also those that go on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from contracts.conversation import (
    ConversationClosed,
    ConversationContacted,
    LateMessage,
    LaterLifecycle,
    Lifecycle,
)
from contracts.people import MessageId, PersonId, SenderKind
from services.monitor.calendar.domain import Calendar
from services.monitor.fold.measures import Fact
from services.monitor.fold.schemas import Heard
from services.monitor.fold.standing import Standing, Voice

ACTIVE_MS: Final = 600_000
"""Nobody wrote for so long: the turn is over."""

AGENT_WORDS: Final = 50
"""Messages of staff in one turn, which is written whole again and again while it goes on."""

UNDECIDED_WORDS: Final = 64
"""Words into what may be closed that are remembered until it is told what they are."""


class Turn(msgspec.Struct, array_like=True, gc=False):
    """What was said from `from_ms` on; `until_ms` is its end as if nobody wrote any more.

    Its name is the record that began it. `agent_id` None: nobody had the buyer. Not `owned`: staff
    that did not have the conversation wrote into it. Goodbyes are of those.
    """

    first_offset: int
    agent_id: PersonId | None
    owned: bool
    from_ms: int
    last_ms: int
    until_ms: int
    day_end_ms: int
    """The midnight behind it, which it does not outlast."""
    buyer_words: int = 0
    agent_ms: list[int] = msgspec.field(default_factory=list)
    agent_offsets: list[int] = msgspec.field(default_factory=list)
    over: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether nobody said anything in it."""
        return not (self.buyer_words or self.agent_ms)

    @property
    def has_room(self) -> bool:
        """Tell whether another message of staff does not make it full."""
        return len(self.agent_ms) < AGENT_WORDS - 1

    def touch(self, at_ms: int) -> None:
        """Somebody wrote; gateways' clocks differ, but it never ends before it did."""
        if at_ms > self.last_ms:
            self.last_ms = at_ms
            self.until_ms = min(at_ms + ACTIVE_MS, self.day_end_ms)

    def end(self, at_ms: int) -> None:
        """It is over, at that moment at the latest and not before its last word."""
        self.over = True
        self.until_ms = min(self.until_ms, max(at_ms, self.last_ms))


class Undecided(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A buyer's word where nobody told that it is open: it may count elsewhere (H30)."""

    id: MessageId
    turn: int
    """The `first_offset` of the turn that counts it."""


class Turns(msgspec.Struct, array_like=True, gc=False):
    """What is remembered of one conversation.

    `heard_offset` is the newest record it knows of, `waits`: a buyer's word is not answered.
    """

    heard_offset: int = -1
    waits: bool = False
    open: list[Turn] = msgspec.field(default_factory=list)
    undecided: list[Undecided] = msgspec.field(default_factory=list)

    def forget(self) -> None:
        """Remember nothing: records behind these were told to nobody here."""
        self.waits = False
        self.open.clear()
        self.undecided.clear()


class TurnSpan(NamedTuple):
    """A part of a partition's log, `[first_offset, end)`, of which turns are told whole.

    Where `end` is not known it goes on.
    """

    first_offset: int
    since_ms: int
    end: int = 2**62


class ToldTurn(NamedTuple):
    """A turn as it stands after a batch, and in whose conversation."""

    turn: Turn
    standing: Standing


@dataclass(slots=True)
class ToldTurns:
    """What a batch tells: turns as they stand behind it, by the record that began them.

    `withdrawn` are to be as if they had never been (H30).
    """

    whole: dict[int, ToldTurn] = field(default_factory=dict)
    withdrawn: list[int] = field(default_factory=list)


def tell(turns: Turns, fact: Fact, calendar: Calendar, *, out: ToldTurns) -> None:
    """Take a fact in. Nearly always somebody goes on with a turn, and that alone is done then."""
    turns.heard_offset = fact.offset
    told, after = fact.told, fact.after
    if isinstance(told, Heard) and len(turns.open) == 1 and fact.before.owner == after.owner:
        turn, at_ms, kind = turns.open[0], fact.at_ms, told.body.sender_kind
        goes_on = turn.owned and turn.agent_id == after.owner and at_ms < turn.until_ms
        if goes_on and after.open and after.version > 0 and not turns.undecided:
            if kind is SenderKind.BUYER:
                turn.touch(at_ms)
                turn.buyer_words += 1
                turns.waits = True
                out.whole[turn.first_offset] = ToldTurn(turn, after)
                return
            if kind is SenderKind.AGENT and fact.voice is Voice.OWNED and turn.has_room:
                turn.touch(at_ms)
                turn.agent_ms.append(at_ms)
                turn.agent_offsets.append(fact.offset)
                turns.waits = False
                out.whole[turn.first_offset] = ToldTurn(turn, after)
                return
    Telling(turns, fact, calendar, out=out).apply()


class Telling:
    """What one fact does to the turns of its conversation."""

    def __init__(self, turns: Turns, fact: Fact, calendar: Calendar, *, out: ToldTurns) -> None:
        self._turns = turns
        self._fact = fact
        self._calendar = calendar
        self._out = out

    def apply(self) -> None:
        """Take the fact in."""
        turns, fact, told = self._turns, self._fact, self._fact.told
        if turns.open:
            self._end_silent(fact.at_ms)
        if fact.before.owner != fact.after.owner:
            self._change_owner()
        if not isinstance(told, Heard):
            self._lifecycle(told)
        elif told.body.sender_kind is SenderKind.BUYER:
            self._asked(told)
        elif told.body.sender_kind is SenderKind.AGENT:
            self._answered(told.body.sender_id)
        if turns.open:
            self._let_go()

    def _end_silent(self, at_ms: int) -> None:
        """End what nobody wrote in for long: how it is written does not change by that."""
        for turn in self._turns.open:
            if at_ms >= turn.until_ms:
                turn.over = True

    def _change_owner(self) -> None:
        """The conversation is somebody else's; who gets a buyer that waits has his turn at once."""
        at_ms, owner = self._fact.at_ms, self._fact.after.owner
        for turn in self._going_on():
            if turn.owned:
                self._end(turn, at_ms)
        if owner is not None and self._turns.waits:
            self._turn_of(owner, at_ms, owned=True)

    def _asked(self, told: Heard) -> None:
        turns, after = self._turns, self._fact.after
        turn = self._turn_of(after.owner, self._fact.at_ms, owned=True)
        turn.buyer_words += 1
        turns.waits = True
        if after.open and after.version > 0:
            turns.undecided.clear()
        elif len(turns.undecided) < UNDECIDED_WORDS:
            turns.undecided.append(Undecided(told.id, turn.first_offset))

    def _answered(self, sender: PersonId) -> None:
        at_ms, owned = self._fact.at_ms, self._fact.voice is Voice.OWNED
        turn = self._turn_of(sender, at_ms, owned=owned)
        turn.agent_ms.append(at_ms)
        turn.agent_offsets.append(self._fact.offset)
        if owned:
            self._turns.waits = False
        if len(turn.agent_ms) >= AGENT_WORDS:
            self._end(turn, at_ms)

    def _lifecycle(self, event: Lifecycle) -> None:
        turns, at_ms = self._turns, self._fact.at_ms
        match event:
            case ConversationClosed(sweep=sweep):
                for turn in self._going_on() if sweep is None else ():
                    self._end(turn, at_ms)
                turns.waits = False
                turns.undecided.clear()
            case ConversationContacted(received_at=received_at, written_in=written_in):
                turns.waits = True
                turn = self._turn_of(
                    self._fact.after.owner, round(received_at.timestamp() * 1000), owned=True
                )
                if written_in != self._fact.after.name:  # else it was counted when it was heard
                    turn.buyer_words += 1
            case LateMessage(message_id=message_id):
                self._withdraw(message_id)
            case LaterLifecycle():
                pass
            case _:
                if self._fact.after.open:
                    turns.undecided.clear()

    def _withdraw(self, message_id: MessageId) -> None:
        """A word had never been said: it was late, and is answered elsewhere (H30)."""
        turns = self._turns
        word = next((one for one in turns.undecided if one.id == message_id), None)
        if word is None:
            return
        turns.undecided.remove(word)
        turns.waits = bool(turns.undecided)
        turn = next((one for one in turns.open if one.first_offset == word.turn), None)
        if turn is None:
            return
        turn.buyer_words -= 1
        if turn.is_empty:
            turns.open.remove(turn)
            self._out.whole.pop(turn.first_offset, None)
            self._out.withdrawn.append(turn.first_offset)
        else:
            self._write(turn)

    def _turn_of(self, agent_id: PersonId | None, at_ms: int, *, owned: bool) -> Turn:
        """Return somebody's turn, which goes on or begins with this fact."""
        for turn in self._turns.open:
            if turn.owned is owned and turn.agent_id == agent_id and not turn.over:
                turn.touch(at_ms)
                break
        else:
            midnight = self._calendar.day_end(at_ms)
            turn = Turn(
                self._fact.offset, agent_id, owned, at_ms, at_ms,
                min(at_ms + ACTIVE_MS, midnight), midnight,
            )  # fmt: skip
            self._turns.open.append(turn)
        self._write(turn)
        return turn

    def _end(self, turn: Turn, at_ms: int) -> None:
        turn.end(at_ms)
        self._write(turn)

    def _write(self, turn: Turn) -> None:
        self._out.whole[turn.first_offset] = ToldTurn(turn, self._fact.after)

    def _going_on(self) -> Iterator[Turn]:
        return (turn for turn in self._turns.open if not turn.over)

    def _let_go(self) -> None:
        """Forget what is over, but for turns of which a word may yet be withdrawn."""
        turns = self._turns
        if any(turn.over for turn in turns.open):
            held = {word.turn for word in turns.undecided}
            turns.open = [t for t in turns.open if not t.over or t.first_offset in held]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Turns)


def encode(turns: Turns) -> bytes:
    """Return what is remembered as it is stored."""
    return _ENCODER.encode(turns)


def decode(stored: bytes) -> Turns:
    """Read what was stored. Raises `msgspec.ValidationError`."""
    return _DECODER.decode(stored)
