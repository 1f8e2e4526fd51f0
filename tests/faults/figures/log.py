"""What one conversation's log says, once identity, order and seats are settled (H1, H7, H8, H33).

Turns records into entries and entries into facts that every rule profile reads alike. Knows no
figure. Moments are whole milliseconds since the epoch.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from contracts.base import Event
from contracts.conversation import (
    AgentStateChanged,
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
from contracts.gateway import ChatMessage
from contracts.people import AgentState, SenderKind

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def ms(moment: datetime) -> int:
    """Return a moment in whole milliseconds, as it is written on the wire."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


class Change(Enum):
    """What a lifecycle event does to a conversation, as far as figures ask."""

    OPENED = "opened"
    """Or opened again."""
    QUEUED = "queued"
    OWNED = "owned"
    CLOSED = "closed"
    LATE = "late"
    CONTACTED = "contacted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Said:
    """A message. `seat` is the assignment version that an agent wrote from; 0 or None: none."""

    at: int
    id: str
    by: SenderKind
    who: str
    seat: int | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A lifecycle event. `agent` owns from it on; `message` and `since` are those of H30."""

    at: int
    version: int
    change: Change
    agent: str | None = None
    sweep: str | None = None
    message: str = ""
    since: int = 0


Entry = Said | Changed


def entry(event: Event) -> Entry:
    """Return what an event of the chat topic says."""
    if isinstance(event, ChatMessage):
        return Said(
            ms(event.time), event.id, event.sender_kind, event.sender_id, event.assignment_version
        )
    if not isinstance(event, Lifecycle):
        raise TypeError(f"{event.type} does not belong on the chat topic")
    changed = Changed(ms(event.time), event.version, Change.OTHER)
    match event:
        case ConversationOpened() | ConversationReopened():
            changed = replace(changed, change=Change.OPENED)
        case ConversationQueued() | ConversationTransferred(to_agent_id=None):
            changed = replace(changed, change=Change.QUEUED)
        case ConversationAssigned(agent_id=agent) | ConversationTransferred(to_agent_id=agent):
            changed = replace(changed, change=Change.OWNED, agent=agent)
        case ConversationClosed():
            changed = replace(changed, change=Change.CLOSED, sweep=event.sweep)
        case LateMessage():
            changed = replace(changed, change=Change.LATE, message=event.message_id)
        case ConversationContacted():
            changed = replace(changed, change=Change.CONTACTED, since=ms(event.received_at))
    return changed


class Voice(Enum):
    """Who spoke, as far as figures ask. `COLLEAGUE` is staff without the seat (H8)."""

    BUYER = "buyer"
    OWNER = "owner"
    COLLEAGUE = "colleague"
    BOT = "bot"


@dataclass(frozen=True, slots=True)
class Spoke:
    """A contact: words of a buyer, of staff or of the assist bot that are no goodbye (H33)."""

    at: int
    voice: Voice


@dataclass(frozen=True, slots=True)
class Opened:
    """It is with people from now on, be it that nobody owns it yet."""

    at: int


@dataclass(frozen=True, slots=True)
class Owned:
    """The same, and it has another owner; None: it is queued."""

    at: int
    agent: str | None


@dataclass(frozen=True, slots=True)
class Closed:
    """It was closed, by a person or by a sweep. `owner` owns it still: a later seat came first."""

    at: int
    sweep: str | None
    owner: str | None


Fact = Spoke | Opened | Owned | Closed

_VOICES: Final = {SenderKind.BUYER: Voice.BUYER, SenderKind.ASSIST_BOT: Voice.BOT}


class _Standing:
    """Version, seat and owner of one conversation while its log is read."""

    def __init__(self) -> None:
        self.version = self.seat = self.closed = 0
        self.open = True
        self.owner: str | None = None
        self.seen: set[str] = set()

    def said(self, said: Said) -> Iterator[Fact]:
        if said.by is not SenderKind.AGENT:
            if said.by in _VOICES:
                yield Spoke(said.at, _VOICES[said.by])
            return
        seat = said.seat or 0
        if seat <= self.closed and not (seat == 0 and self.open):
            return  # a goodbye: who has no seat says it as long as it is closed
        if seat > self.seat:
            self.seat = seat
            yield from self._own(said.at, said.who)
        owns = seat in {0, self.seat} and said.who == self.owner
        yield Spoke(said.at, Voice.OWNER if owns else Voice.COLLEAGUE)

    def changed(self, changed: Changed) -> Iterator[Fact]:
        if changed.version <= self.version:
            return
        self.version = changed.version
        match changed.change:
            case Change.CONTACTED:
                yield Spoke(changed.since, Voice.BUYER)
            case Change.CLOSED:
                self.closed = max(self.closed, changed.version)
                if changed.version > self.seat:
                    self.seat, self.owner, self.open = changed.version, None, False
                yield Closed(changed.at, changed.sweep, self.owner)
            case Change.OPENED:
                self.open = True
                yield Opened(changed.at)
            case Change.QUEUED | Change.OWNED if changed.version > self.seat:
                self.seat = changed.version
                yield from self._own(changed.at, changed.agent)
            case _:
                pass

    def _own(self, at: int, agent: str | None) -> Iterator[Fact]:
        """Tell of an owner even if he is the same: who was closed is with people again."""
        self.owner, self.open = agent, True
        yield Owned(at, agent)


def facts(entries: Sequence[Entry]) -> Iterator[Fact]:
    """Yield what one conversation's entries, in log order, come to.

    An id counts once (H1), a version once (H7); a late message is as if it was never said (H30).
    """
    standing = _Standing()
    late = {one.message for one in entries if isinstance(one, Changed)} - {""}
    for one in entries:
        if isinstance(one, Changed):
            yield from standing.changed(one)
        elif one.id not in standing.seen and one.id not in late:
            standing.seen.add(one.id)
            yield from standing.said(one)


class Roster:
    """The states of a shop's agents as the topic `staff` tells them: who was there when (H35)."""

    AWAY: Final = frozenset({AgentState.OFFLINE, AgentState.SUSPENDED})

    def __init__(self, changes: Iterable[AgentStateChanged]) -> None:
        self._by_agent: dict[str, list[AgentStateChanged]] = defaultdict(list)
        for change in sorted(changes, key=lambda change: change.version):
            self._by_agent[change.agent_id].append(change)

    def nobody(self, at: int) -> bool:
        """Whether all agents were offline or suspended; at equal milliseconds chat is first.

        Of a shop of which no agent was ever told nothing says that nobody was there.
        """
        states = [_state(changes, at) for changes in self._by_agent.values()]
        return bool(states) and self.AWAY.issuperset(states)


def _state(changes: Sequence[AgentStateChanged], at: int) -> AgentState:
    state = changes[0].previous
    for change in changes:
        if ms(change.since) < at:
            state = change.state
    return state
