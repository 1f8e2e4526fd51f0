"""The smallest log that still shows a difference: events are left out as long as it stays.

Each try is a shop of its own with ids of its own, some days later than the one before, so that one
monitor judges hundreds of tries. Must not know why anything differs.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contracts.base import Event
from contracts.conversation import (
    AgentStateChanged,
    ConversationAssigned,
    ConversationClosed,
    ShopListed,
)
from contracts.gateway import ChatMessage
from kit.ids import derived_id
from tests.faults.figures.log import ms
from tests.faults.figures.stories import moment

ROUNDS: Final = 18
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
    """Return a part of the events that differs, and of which nothing more could be left out."""
    kept, size = list(events), len(events) // 2
    for _ in range(ROUNDS):
        tries = dict(enumerate(_without(kept, size)))
        found = await differ(tries)
        if found and size == 1:
            needed = [event for place, event in enumerate(kept) if place not in found]
            together = len(found) > 1 and needed and await differ({0: needed})
            kept = needed if together else tries[min(found)]
        elif found:
            kept = min((tries[number] for number in found), key=len)
        elif size == 1:
            break
        size = min(size // 2, len(kept) // 2) or 1
        if len(kept) == 1:
            break
    return kept


def _without(kept: Sequence[Event], size: int) -> list[list[Event]]:
    """Return what is left without each stretch of that many events."""
    places = range(0, len(kept), max(1, size))
    return [[*kept[:first], *kept[first + max(1, size) :]] for first in places]


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
    if isinstance(event, ShopListed):
        return f"{at}  a shop in {event.time_zone}"
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
