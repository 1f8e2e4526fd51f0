"""The directory in memory: shops' time zones, profiles and wording policies, people's names (H13).

Live state fed from the compacted topic `directory`; must not know who reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.conversation import PersonListed, ShopListed
from contracts.people import PersonId, ShopId
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


class Directory:
    """Latest entry of each shop and person wins."""

    def __init__(self) -> None:
        self._shops: dict[ShopId, Shop] = {}
        self._names: dict[PersonId, tuple[int, str]] = {}
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
        return self._names.get(person_id, (0, ""))[1]

    def list_shop(self, entry: ShopListed) -> None:
        """Take an entry in, unless a newer one is known."""
        known = self._shops.get(entry.shop_id)
        if known is not None and known.version >= entry.version:
            return
        calendar = self._calendar_of(_zone(entry.time_zone))
        profiles = tuple(ProfileName(name) for name in entry.profiles)
        self._shops[entry.shop_id] = Shop(
            calendar, profiles, policy_of(entry), entry.version, entry.name
        )

    def list_person(self, entry: PersonListed) -> None:
        """Take an entry in, unless a newer one is known."""
        if self._names.get(entry.subject, (0, ""))[0] < entry.version:
            self._names[entry.subject] = entry.version, entry.name

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
