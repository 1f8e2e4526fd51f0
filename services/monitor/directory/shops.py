"""The directory in memory: shops' time zones, profiles and wording policies, people's names (H13).

Live state fed from the compacted topic `directory`; must not know who reads it.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.conversation import PersonListed, ShopListed
from contracts.people import CHATTING_STAFF, PersonId, ShopId, SkillGroupId
from services.monitor.calendar.domain import Calendar
from services.monitor.profiles.domain import ProfileName
from wording import HOUSE, Policy, policy_of

HOUSE_ZONE: Final = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Shop:
    """What the monitor needs to know of a shop."""

    calendar: Calendar
    profiles: tuple[ProfileName, ...]
    policy: Policy
    version: int
    name: str = ""
    offer_s: int | None = None
    """A wait after which the buyer of an agent who has not answered is offered to a colleague."""


class Person(NamedTuple):
    """What the monitor needs to know of a person. `chats_in` is None for who holds nothing."""

    version: int
    name: str
    chats_in: ShopId | None
    capacity: int | None = None
    groups: tuple[SkillGroupId, ...] | None = None


_UNLISTED: Final = Person(0, "", None)


class Directory:
    """Latest entry of each shop and person wins."""

    def __init__(self) -> None:
        self._shops: dict[ShopId, Shop] = {}
        self._people: dict[PersonId, Person] = {}
        self._staff: dict[ShopId, set[PersonId]] = {}
        self._calendars: dict[ZoneInfo, Calendar] = {}
        """One for all shops of a time zone: each remembers a megabyte in 42 days."""
        self._house = Shop(self._calendar_of(HOUSE_ZONE), _defaults(), HOUSE, 0)

    def shop(self, shop_id: ShopId) -> Shop:
        """Return a shop's entry; one not listed yet has the house's rules."""
        return self._shops.get(shop_id, self._house)

    def shops(self) -> Mapping[ShopId, Shop]:
        """Return every listed shop."""
        return self._shops

    def calendar(self, shop_id: ShopId) -> Calendar:
        """Return a shop's calendar."""
        return self.shop(shop_id).calendar

    def name(self, person_id: PersonId) -> str:
        """Return a person's name; empty for one who is not listed."""
        return self._people.get(person_id, _UNLISTED).name

    def person(self, person_id: PersonId) -> Person:
        """Return a person's entry; nothing is known of one who is not listed."""
        return self._people.get(person_id, _UNLISTED)

    def staff(self, shop_id: ShopId) -> AbstractSet[PersonId]:
        """Return everybody active in a shop who may hold a conversation."""
        return self._staff.get(shop_id, frozenset())

    def list_shop(self, entry: ShopListed) -> None:
        """Take an entry in, unless a newer one is known."""
        known = self._shops.get(entry.shop_id)
        if known is not None and known.version >= entry.version:
            return
        calendar = self._calendar_of(_zone(entry.time_zone))
        profiles = tuple(ProfileName(name) for name in entry.profiles)
        self._shops[entry.shop_id] = Shop(
            calendar,
            profiles,
            policy_of(entry),
            entry.version,
            entry.name,
            entry.timing.handoff.offer_s,
        )

    def list_person(self, entry: PersonListed) -> None:
        """Take an entry in, unless a newer one is known."""
        known = self._people.get(entry.subject, _UNLISTED)
        if known.version >= entry.version:
            return
        chats = entry.active and entry.role in CHATTING_STAFF
        chats_in = entry.shop_id if chats else None
        self._people[entry.subject] = Person(
            entry.version, entry.name, chats_in, entry.capacity, entry.groups
        )
        if known.chats_in is not None and known.chats_in != chats_in:
            self._staff[known.chats_in].discard(entry.subject)
        if chats_in is not None:
            self._staff.setdefault(chats_in, set()).add(entry.subject)

    def _calendar_of(self, zone: ZoneInfo) -> Calendar:
        found = self._calendars.get(zone)
        if found is None:
            found = self._calendars[zone] = Calendar(zone)
        return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return HOUSE_ZONE


def _defaults() -> tuple[ProfileName, ...]:
    field = ShopListed.model_fields["profiles"]
    return tuple(ProfileName(name) for name in field.default)
