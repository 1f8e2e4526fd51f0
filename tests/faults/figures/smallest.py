"""The smallest log that still shows a difference: events are left out as long as it stays.

Each try is a shop of its own with ids of its own, some days later than the one before, so that one
monitor judges hundreds of tries. Must not know why anything differs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.base import Event
from contracts.conversation import AgentStateChanged, ConversationAssigned, ConversationClosed
from contracts.gateway import ChatMessage
from kit.ids import derived_id
from tests.faults.figures.log import ms
from tests.faults.figures.stories import moment

ROUNDS: Final = 14
"""Times that something is left out at most."""

Differ = Callable[[Mapping[int, Sequence[Event]]], Awaitable[set[int]]]
"""Play logs, each a shop of its own by its number; return the numbers of those that differ."""

_NAMES: Final = (
    "id", "shop_id", "conversation_id", "buyer_id", "sender_id", "agent_id", "previous_agent_id",
    "from_agent_id", "to_agent_id", "by", "message_id", "continue_in", "written_in",
)  # fmt: skip


def elsewhere(events: Sequence[Event], salt: str, *, days: int) -> list[Event]:
    """Return the same story of other people, so many days later."""
    return [_moved(event, salt, timedelta(days=days)) for event in events]


def _moved(event: Event, salt: str, later: timedelta) -> Event:
    changed: dict[str, object] = {}
    for field in type(event).model_fields:
        value = getattr(event, field)
        if field in _NAMES and isinstance(value, str):
            changed[field] = derived_id(value, salt)
        elif isinstance(value, datetime):
            changed[field] = value + later
    return event.model_copy(update=changed)


async def smallest(events: Sequence[Event], differ: Differ) -> list[Event]:
    """Return a part of the events that differs and of which nothing can be left out alone."""
    kept = list(events)
    for _ in range(ROUNDS):
        tries = dict(enumerate(_parts(kept)))
        found = await differ(tries)
        if not found:
            return kept
        singles = len(kept)
        together = [
            event for place, event in enumerate(kept) if len(tries) - singles + place not in found
        ]
        kept = min((tries[number] for number in found), key=len)
        if len(together) < len(kept) and await differ({0: together}):
            kept = together
    return kept


def _parts(kept: Sequence[Event]) -> list[list[Event]]:
    """Return what is left without each half, quarter and eighth, and then without each event."""
    parts = []
    for share in (2, 4, 8):
        size = max(1, len(kept) // share)
        parts += [
            [*kept[:first], *kept[first + size :]]
            for first in range(0, len(kept), size)
            if size < len(kept)
        ]
    return parts + [[*kept[:place], *kept[place + 1 :]] for place in range(len(kept))]


@dataclass
class Names:
    """Short names for ids, in the order in which they appear."""

    known: dict[str, str]

    def of(self, kind: str, name: str | None) -> str:
        """Return the short name."""
        if name is None:
            return "nobody"
        return self.known.setdefault(name, f"{kind}{len(self.known) + 1}")


def told(events: Sequence[Event]) -> list[str]:
    """Return a log as lines to be read, in its order."""
    names = Names({})
    return [_line(event, names) for event in events]


def _line(event: Event, names: Names) -> str:
    at = moment(ms(event.time))
    if isinstance(event, AgentStateChanged):
        agent = names.of("agent", event.agent_id)
        return f"{at}  staff: {agent} v{event.version} {event.previous} -> {event.state}"
    talk = names.of("talk", getattr(event, "conversation_id", None))
    if isinstance(event, ChatMessage):
        who = names.of(str(event.sender_kind), event.sender_id)
        seat = "" if event.assignment_version is None else f" from seat {event.assignment_version}"
        return f"{at}  {talk}: {event.sender_kind} {who} speaks{seat} ({names.of('m', event.id)})"
    more = [f"v{getattr(event, 'version', '?')}"]
    if isinstance(event, ConversationAssigned):
        more.append(f"to {names.of('agent', event.agent_id)}")
    if isinstance(event, ConversationClosed):
        more.append(f"by {event.sweep or 'a person'}")
    for field in ("to_agent_id", "reason", "message_id", "received_at"):
        value = getattr(event, field, None)
        if value:
            shown = moment(ms(value)) if isinstance(value, datetime) else value
            more.append(f"{field}={names.known.get(str(shown), shown)}")
    kind = event.type.removeprefix("conversation.").removesuffix(".v1")
    return f"{at}  {talk}: {kind} {' '.join(more)}"
