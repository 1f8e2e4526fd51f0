"""The words of waits that a colleague may be asked to answer. Pure values."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from contracts.people import ConversationId, PersonId, ShopId
from kit.ids import derived_id
from services.monitor.profiles.book import ProfileBook
from services.monitor.profiles.domain import Profile, ProfileName


class LongWait(NamedTuple):
    """An agent's buyer who has waited as long as his shop lets him before a colleague is asked.

    `waiting_offset` is the record since which he waits for a person; partition and that name him.
    """

    partition: int
    waiting_offset: int
    shop_id: ShopId
    conversation_id: ConversationId
    agent_id: PersonId
    seat_version: int
    waiting_ms: int
    due_ms: int
    breach_ms: int
    late_ms: int

    @property
    def event_id(self) -> str:
        """Return the id of the event that tells of it, the same whoever raises it."""
        return derived_id("handoff_due", self.conversation_id, str(self.waiting_offset))


def breach_s(
    book: ProfileBook, names: Sequence[ProfileName], day: date, *, first: bool
) -> int | None:
    """Return the wait that is too long for a shop's screens on a day; None: nothing says (F17)."""
    ruling = [one for name in names if (one := book.in_force(name, day)) is not None]
    shown = next((one for one in ruling if one.levels is not None), None)
    if shown is not None:
        return _deepest(shown, first=first)
    return ruling[0].breach_s if ruling else None


def _deepest(profile: Profile, *, first: bool) -> int:
    if profile.levels is None:
        return profile.breach_s
    *_, deepest = profile.levels.first if first else profile.levels.later
    return deepest
